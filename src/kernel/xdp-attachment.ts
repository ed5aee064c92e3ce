import { littleEndian } from '../domain/byte-order.ts';
import { KernelRefusal, type RefusalFacts } from '../domain/errors.ts';
import { recordLibbpf } from '../ffi/libbpf-log.ts';
import { libbpf } from '../ffi/libbpf.ts';
import { interfaceName } from './interface-names.ts';
import { readInterface, type XdpAttachment, type XdpMode } from './interfaces.ts';
import { NETLINK_ROUTE, NetlinkSocket } from './netlink.ts';

export type { XdpAttachment, XdpMode } from './interfaces.ts';

/** XDP_FLAGS_* (linux/if_link.h). */
const XDP_FLAGS_UPDATE_IF_NOEXIST = 1 << 0;
const XDP_FLAGS_REPLACE = 1 << 4;
export const xdpModeFlags: Readonly<Record<XdpMode, number>> = { generic: 1 << 1, native: 1 << 2, offload: 1 << 3 };

/**
 * What is attached to a device of this network namespace; nothing where there is no such device.
 *
 * @throws KernelRefusal `link get`
 */
export function attachedPrograms(ifindex: number): readonly XdpAttachment[] {
  using socket = new NetlinkSocket(NETLINK_ROUTE);
  return readInterface(ifindex, socket)?.xdp ?? [];
}

/**
 * Attaches a program, always naming what is expected to be there.
 *
 * @param expectedFd descriptor of the program that is there in this mode; undefined when there must be none
 * @throws KernelRefusal `xdp attach`; its fact `extack` is the kernel's own explanation, when it gave one
 */
export function attachXdp(ifindex: number, progFd: number, mode: XdpMode, expectedFd?: number): void {
  change('xdp attach', { ifindex, mode }, () =>
    libbpf.bpf_xdp_attach(ifindex, progFd, ...expectation(mode, expectedFd)),
  );
}

/**
 * Detaches a program.
 *
 * @param expectedFd descriptor of the program that must be there
 * @throws KernelRefusal `xdp detach`; with the fact `extack`
 */
export function detachXdp(ifindex: number, mode: XdpMode, expectedFd: number): void {
  change('xdp detach', { ifindex, mode }, () => libbpf.bpf_xdp_detach(ifindex, ...expectation(mode, expectedFd)));
}

/**
 * Attaches a program as bpftool does: whatever is there.
 *
 * @param mode undefined: native where the driver can, else generic
 * @param overwrite replace a program that is there in this mode; else there must be none
 * @throws KernelRefusal `xdp attach`, with the facts `extack`, and `net`: it was asked for in the words of `net`
 */
export function putXdp(ifindex: number, progFd: number, mode: XdpMode | undefined, overwrite: boolean): void {
  const flags = (mode === undefined ? 0 : xdpModeFlags[mode]) | (overwrite ? 0 : XDP_FLAGS_UPDATE_IF_NOEXIST);
  change('xdp attach', { ifindex, mode, net: true }, () => libbpf.bpf_xdp_attach(ifindex, progFd, flags, null));
}

/** Detaches whatever is there in a mode, as bpftool does. @throws KernelRefusal `xdp detach`; with the fact `extack` */
export function removeXdp(ifindex: number, mode: XdpMode): void {
  change('xdp detach', { ifindex, mode, net: true }, () => libbpf.bpf_xdp_detach(ifindex, xdpModeFlags[mode], null));
}

/** The flags and options of a change that expects something. */
function expectation(mode: XdpMode, expectedFd: number | undefined): [number, Uint8Array | null] {
  return expectedFd === undefined
    ? [xdpModeFlags[mode] | XDP_FLAGS_UPDATE_IF_NOEXIST, null]
    : [xdpModeFlags[mode] | XDP_FLAGS_REPLACE, expecting(expectedFd)];
}

function change(operation: string, facts: RefusalFacts & { readonly ifindex: number }, act: () => number): void {
  const { result, messages } = recordLibbpf(act);
  if (result >= 0) return;
  const extack = messages
    .map(({ text }) => /Kernel error message: (.*)/.exec(text)?.[1])
    .find((text) => text !== undefined);
  const ifname = interfaceName(facts.ifindex);
  throw new KernelRefusal(operation, -result, { ...facts, ifname, ...(extack !== undefined && { extack }) });
}

/** struct bpf_xdp_attach_opts (bpf/libbpf.h): size_t sz, int old_prog_fd. */
function expecting(fd: number): Uint8Array {
  const options = new Uint8Array(16);
  const view = new DataView(options.buffer);
  view.setBigUint64(0, 16n, littleEndian);
  view.setInt32(8, fd, littleEndian);
  return options;
}
