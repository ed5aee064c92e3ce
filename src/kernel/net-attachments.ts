import { KernelRefusal } from '../domain/errors.ts';
import { ENOENT, EPERM } from './check.ts';
import { type Interface, readInterface, readInterfaces, type XdpMode } from './interfaces.ts';
import type { LinkInfo } from './link-info.ts';
import { xdpLinks } from './link-list.ts';
import { NETLINK_ROUTE, NetlinkSocket } from './netlink.ts';
import { BpfProgram, readProgramMapIds } from './program.ts';

/** An XDP program on an interface of this network namespace. What may not be found out is absent. */
export interface NetAttachment {
  readonly ifindex: number;
  readonly ifname: string;
  readonly mode: XdpMode;
  readonly progId: number;
  readonly prog?: { readonly name: string; readonly tag: string; readonly mapIds: readonly number[] };
  /** The link that holds it there; absent where it is attached without one. */
  readonly linkId?: number;
}

/**
 * The XDP programs on all interfaces of this network namespace, or on one: by one dump of each kind.
 *
 * @throws KernelRefusal `link list`, `link get`
 */
export function netAttachments(ifindex?: number): NetAttachment[] {
  using socket = new NetlinkSocket(NETLINK_ROUTE);
  const interfaces =
    ifindex === undefined
      ? readInterfaces(socket)
      : [readInterface(ifindex, socket)].filter((found) => found !== undefined);
  const attached = interfaces.filter(({ xdp }) => xdp.length > 0);
  if (attached.length === 0) return [];
  const links = permitted(xdpLinks) ?? [];
  const programs = new Map<number, NetAttachment['prog']>();
  return attached.flatMap((each) => attachmentsOf(each, links, programs));
}

function attachmentsOf(
  { ifindex, name, xdp }: Interface,
  links: readonly LinkInfo[],
  programs: Map<number, NetAttachment['prog']>,
): NetAttachment[] {
  return xdp.map(({ mode, progId }) => {
    if (!programs.has(progId))
      programs.set(
        progId,
        permitted(() => describeProgram(progId)),
      );
    const prog = programs.get(progId);
    const linkId = links.find((link) => link.ifindex === ifindex && link.progId === progId)?.id;
    return {
      ifindex,
      ifname: name,
      mode,
      progId,
      ...(prog !== undefined && { prog }),
      ...(linkId !== undefined && { linkId }),
    };
  });
}

function describeProgram(id: number): NonNullable<NetAttachment['prog']> {
  using program = BpfProgram.byId(id);
  const { name, tag } = program.info;
  return { name, tag, mapIds: readProgramMapIds(program.fd) };
}

/** Undefined for what may not be looked at without CAP_SYS_ADMIN, or has gone meanwhile. */
function permitted<Result>(read: () => Result): Result | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof KernelRefusal && [EPERM, ENOENT].includes(error.errno)) return undefined;
    throw error;
  }
}
