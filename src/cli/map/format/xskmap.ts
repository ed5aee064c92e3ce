import { errnoName } from '../../../domain/errno.ts';
import type { KernelRefusal } from '../../../domain/errors.ts';
import { hexWords } from '../../../domain/hex.ts';
import { encodeInteger } from '../../../domain/integer.ts';
import { interfaceName } from '../../../kernel/interface-names.ts';
import type { BpfMap } from '../../../kernel/map.ts';
import { currentNetnsInode } from '../../../kernel/namespaces.ts';
import { type SocketOwner, socketOwners } from '../../../kernel/socket-owners.ts';
import { effectiveCapabilities } from '../../../kernel/surroundings.ts';
import { type XskmapEntry, XskmapReader, type XskState } from '../../../kernel/xskmap-reader.ts';
import type { Column } from '../../../output/outcome.ts';
import type { Warning } from '../../../output/reporter.ts';
import type { EntryRow } from './entry-format.ts';

interface Process {
  readonly pid: number;
  readonly comm: string;
}

/** An AF_XDP socket, as far as this kernel and this process's rights allow it to be described. */
export interface SocketValue {
  /** Absent where the socket is known not to be bound. */
  readonly queue?: number;
  readonly state?: XskState;
  readonly mode?: 'copy' | 'zerocopy';
  readonly ifindex?: number;
  /** Only in the network namespace of the command. */
  readonly ifname?: string;
  /** Inode number of the socket's network namespace. */
  readonly netns?: number;
  readonly inode?: number;
  /** The process that holds it, the first where there are several. */
  readonly pid?: number;
  readonly comm?: string;
  /** All of them, where there are several. */
  readonly pids?: readonly Process[];
}

export interface XskmapRow extends EntryRow {
  readonly value: readonly string[];
  readonly formatted: { readonly key: number; readonly value: SocketValue };
}

export const xskmapColumns: readonly Column<XskmapRow>[] = [
  { header: 'QUEUE', cell: ({ formatted: { value } }) => String(value.queue ?? '-'), align: 'right' },
  { header: 'INTERFACE', cell: ({ formatted: { value } }) => interfaceText(value) },
  { header: 'STATE', cell: ({ formatted: { value } }) => value.state ?? '?' },
  { header: 'MODE', cell: ({ formatted: { value } }) => value.mode ?? '' },
  { header: 'OWNER', cell: ({ formatted: { value } }) => ownerText(value) },
];

/** What an XSKMAP holds, read at once: the owners of all sockets are found in one walk through /proc. */
export interface XskmapContents {
  readonly rows: readonly XskmapRow[];
  /** What of the sockets could not be read, and why. */
  readonly warning: Warning | undefined;
}

/**
 * Reads the keys `from` to `to` - 1 of an XSKMAP.
 *
 * @throws KernelRefusal `object load` where this process may not run a program
 */
export function readXskmap(map: BpfMap, from = 0, to = map.info.maxEntries): XskmapContents {
  using reader = new XskmapReader(map);
  const entries = [...reader.entries(from, to)];
  const owners = socketOwners(new Set(entries.flatMap(({ details }) => (details?.inode ? [details.inode] : []))));
  const netns = currentNetnsInode();
  const names = new Map<number, string | undefined>();
  const nameOf = (ifindex: number): string | undefined => {
    if (!names.has(ifindex)) names.set(ifindex, interfaceName(ifindex));
    return names.get(ifindex);
  };
  return {
    rows: entries.map((entry) => xskmapRow(entry, owners.get(entry.details?.inode ?? 0) ?? [], netns, nameOf)),
    warning: reader.refusal === undefined || entries.length === 0 ? undefined : onlyQueues(reader.refusal),
  };
}

function xskmapRow(
  entry: XskmapEntry,
  owners: readonly SocketOwner[],
  netns: number,
  nameOf: (ifindex: number) => string | undefined,
): XskmapRow {
  return {
    key: hexWords(encodeInteger(entry.key, 4)),
    // What a BPF program finds there: struct bpf_xdp_sock is the queue's number.
    value: hexWords(encodeInteger(entry.queue, 4)),
    formatted: { key: entry.key, value: socketValue(entry, owners, netns, nameOf) },
  };
}

function socketValue(
  { queue, details }: XskmapEntry,
  owners: readonly SocketOwner[],
  netns: number,
  nameOf: (ifindex: number) => string | undefined,
): SocketValue {
  if (details === undefined) return { queue };
  const { state, ifindex, zeroCopy, inode } = details;
  const ifname = details.netns === netns && ifindex !== 0 ? nameOf(ifindex) : undefined;
  const processes = owners.map(({ pid, comm }) => ({ pid, comm }));
  return {
    ...(state === 'bound' && { queue }),
    state,
    ...(state === 'bound' && { mode: zeroCopy ? 'zerocopy' : 'copy', ifindex }),
    ...(ifname !== undefined && { ifname }),
    netns: details.netns,
    ...(inode !== 0 && { inode }),
    ...processes[0],
    ...(processes.length > 1 && { pids: processes }),
  };
}

function interfaceText({ ifindex, ifname, netns }: SocketValue): string {
  if (ifindex === undefined) return '';
  return ifname ?? `ifindex ${ifindex} in netns ${netns}`;
}

/** The processes that hold the socket, for people; empty when they are not known. */
export function ownerText({ pid, comm, pids = [] }: SocketValue): string {
  if (pid === undefined) return '';
  const all = pids.length > 0 ? pids : [{ pid, comm }];
  return all.map((process) => `${process.comm}(${process.pid})`).join(' ');
}

function onlyQueues(refusal: KernelRefusal): Warning {
  const capabilities = effectiveCapabilities();
  const lacks = capabilities !== undefined && !capabilities.has('CAP_PERFMON') && !capabilities.has('CAP_SYS_ADMIN');
  return {
    message: `only the queues of the sockets can be read, not their device, state and owner${
      lacks ? ': that needs CAP_PERFMON' : ` (${errnoName(refusal.errno) ?? `errno ${refusal.errno}`})`
    }`,
    hint: lacks
      ? 'run it as root, or with CAP_PERFMON'
      : 'a kernel with BTF is required (CONFIG_DEBUG_INFO_BTF); --debug shows what the kernel said',
  };
}
