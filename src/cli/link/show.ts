import { KernelRefusal } from '../../domain/errors.ts';
import { linkTypeName } from '../../domain/link-type.ts';
import { EAGAIN, ENOENT } from '../../kernel/check.ts';
import { type Holder, holdersOf } from '../../kernel/holders.ts';
import { type Interface, readInterfaces } from '../../kernel/interfaces.ts';
import type { LinkInfo } from '../../kernel/link-info.ts';
import { NETLINK_ROUTE, NetlinkSocket } from '../../kernel/netlink.ts';
import { objectIds } from '../../kernel/object-ids.ts';
import { pinsOf } from '../../kernel/pins.ts';
import { XdpLink } from '../../kernel/xdp-link.ts';
import { type Column, one, type Outcome, rows, unlessEmpty } from '../../output/outcome.ts';
import type { Verb } from '../verb.ts';
import { WordList } from '../words/word-list.ts';
import { openLink, takeLink } from './open-link.ts';

/** A link as `link show` prints it in JSON, with bpftool's keys. */
interface LinkRow {
  readonly id: number;
  readonly type: string | number;
  readonly prog_id: number;
  readonly devname?: string;
  readonly ifindex?: number;
  readonly ifname?: string;
  readonly pinned?: readonly string[];
  readonly pids?: readonly Holder[];
}

export const verb: Verb = {
  object: 'link',
  name: 'show',
  aliases: ['list'],
  summary: 'list the links of this kernel, or show one',
  synopsis: ['[LINK]'],
  description: [
    'A link holds a program where it is attached, for as long as a process or a pin holds the link. Of XDP links the interface is shown, by its name where it is in this network namespace; ifindex 0 means that it is detached, or the interface has gone. Of all others only the type and the program are.',
    'For one link, and with --bpffs for all, also the paths where it is pinned and the processes that hold it open.',
  ],
  arguments: [{ name: 'LINK', description: 'id N, pinned PATH or a /PATH' }],
  json: 'an array of links; with LINK one object. Keys are those of bpftool, and ifname beside devname; absent ones are left out',
  capabilities:
    'CAP_SYS_ADMIN for the list, and to name a link by its id; root to see who holds it, when that is another user',
  examples: [
    {
      command: 'xdpctl link show pinned uplink',
      description: 'one link, with its pins and who holds it open',
      given: 'linked',
      output: `
id         5
type       xdp
program    63
interface  eth0 (ifindex 2)
pinned     /sys/fs/bpf/uplink /sys/fs/bpf/xdpctl/4026532457_2/link`,
    },
    {
      command: 'xdpctl -j link show pinned uplink',
      description: 'the same as a JSON object',
      given: 'linked',
      output: `
{"id":5,"type":"xdp","prog_id":63,"devname":"eth0","ifindex":2,"ifname":"eth0",
 "pinned":["/sys/fs/bpf/uplink","/sys/fs/bpf/xdpctl/4026532457_2/link"],
 "pids":[]}`,
    },
    {
      command: 'xdpctl link show',
      description: 'every link',
      given: 'linked',
      output: `
ID  TYPE  PROGRAM  INTERFACE
…eth0
`,
    },
  ],
  run({ words: list }, context): Outcome {
    const words = new WordList(list);
    if (words.done) return rows(listed(context.options.bpffs), columns(context.options.bpffs), unlessEmpty('links'));
    const handle = takeLink(words);
    words.end();
    using link = openLink(handle);
    const { id } = link.info;
    const row = describe(link.info, interfacesHere(), pinsOf('link').get(id) ?? [], holdersOf('link').get(id) ?? []);
    return one(row, lines(row));
  },
};

type Interfaces = ReadonlyMap<number, Interface>;

function interfacesHere(): Interfaces {
  using socket = new NetlinkSocket(NETLINK_ROUTE);
  return new Map(readInterfaces(socket).map((each) => [each.ifindex, each]));
}

function* listed(withPins: boolean): Generator<LinkRow> {
  const pins = withPins ? pinsOf('link') : undefined;
  const holders = withPins ? holdersOf('link') : undefined;
  const interfaces = interfacesHere();
  for (const id of objectIds('link')) {
    const info = infoOf(id);
    if (info !== undefined)
      yield describe(info, interfaces, pins && (pins.get(id) ?? []), holders && (holders.get(id) ?? []));
  }
}

/** Undefined for a link that has gone meanwhile, or is only being made (EAGAIN: bpf_link_by_id, kernel/bpf/syscall.c). */
function infoOf(id: number): LinkInfo | undefined {
  try {
    using link = XdpLink.byId(id);
    return link.info;
  } catch (error) {
    if (error instanceof KernelRefusal && (error.errno === ENOENT || error.errno === EAGAIN)) return undefined;
    throw error;
  }
}

function describe(
  { id, type, progId, ifindex }: LinkInfo,
  interfaces: Interfaces,
  pinned: readonly string[] | undefined,
  pids: readonly Holder[] | undefined,
): LinkRow {
  // The namespace of the ifindex is not told: it is ours where the program is attached to the interface of ours.
  const found = ifindex === undefined ? undefined : interfaces.get(ifindex);
  const here = found?.xdp.some((attached) => attached.progId === progId) === true ? found.name : undefined;
  return {
    id,
    type: linkTypeName(type) ?? type,
    prog_id: progId,
    ...(ifindex !== undefined && {
      ...(here !== undefined && { devname: here }),
      ifindex,
      ...(here !== undefined && { ifname: here }),
    }),
    ...(pinned && { pinned }),
    ...(pids && { pids }),
  };
}

function columns(withPins: boolean): Column<LinkRow>[] {
  return [
    { header: 'ID', cell: ({ id }) => String(id), align: 'right' },
    { header: 'TYPE', cell: typeText },
    { header: 'PROGRAM', cell: ({ prog_id: program }) => String(program), align: 'right' },
    { header: 'INTERFACE', cell: (row) => interfaceText(row) ?? '' },
    ...(withPins
      ? [
          { header: 'PINNED', cell: ({ pinned = [] }: LinkRow) => pinned.join(' ') },
          { header: 'PIDS', cell: ({ pids = [] }: LinkRow) => holderText(pids) },
        ]
      : []),
  ];
}

function lines(row: LinkRow): [string, string | undefined][] {
  return [
    ['id', String(row.id)],
    ['type', typeText(row)],
    ['program', String(row.prog_id)],
    ['interface', row.ifname === undefined ? interfaceText(row) : `${row.ifname} (ifindex ${row.ifindex})`],
    ['pinned', row.pinned?.length ? row.pinned.join(' ') : undefined],
    ['held by', row.pids?.length ? holderText(row.pids) : undefined],
  ];
}

/** Undefined for links of other types. */
function interfaceText({ ifindex, ifname }: LinkRow): string | undefined {
  if (ifindex === 0) return '(detached)';
  return ifname ?? (ifindex === undefined ? undefined : `ifindex ${ifindex} of another namespace`);
}

/** Types newer than this program are shown by their number. */
function typeText({ type }: LinkRow): string {
  return typeof type === 'number' ? `type ${type}` : type;
}

function holderText(holders: readonly Holder[]): string {
  return holders.map(({ pid, comm }) => `${comm}(${pid})`).join(' ');
}
