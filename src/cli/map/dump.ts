import { errnoName } from '../../domain/errno.ts';
import { ToolError } from '../../domain/errors.ts';
import { hexWords } from '../../domain/hex.ts';
import { decodeInteger, encodeInteger } from '../../domain/integer.ts';
import { aMapOf, isIndexed, unlistableReason, unreadableReason } from '../../domain/map-type.ts';
import { entryChunks } from '../../kernel/map-entries.ts';
import type { BpfMap } from '../../kernel/map.ts';
import { type Column, type Outcome, rows } from '../../output/outcome.ts';
import { counted } from '../../output/reporter.ts';
import type { Context } from '../context.ts';
import type { Verb } from '../verb.ts';
import { takeHandle } from '../words/handle.ts';
import { WordList } from '../words/word-list.ts';
import { toReadMap } from './capabilities.ts';
import { keyText } from './format/bytes.ts';
import { type EntryFormat, entryFormat, type EntryRow, isPlainBytes } from './format/entry-format.ts';

export const verb: Verb = {
  object: 'map',
  name: 'dump',
  summary: 'print the entries of a map, with names for numbers',
  synopsis: ['MAP [all]'],
  description: [
    'Prints the occupied entries; with the word all the empty slots too, as bpftool does.',
    'An ifindex is given its name in the network namespace that the command runs in (--netns chooses another), where it may be that of another device: see xdpctl(8), network namespaces.',
    'Where the kernel has BTF types for a map, keys and values are shown by them, as bpftool does: integers and pointers as numbers, enums by name, char arrays as text where it is printable and ends with a zero, bitfields and 128-bit integers as 0x numbers in a string, data sections as a list of their variables. Unlike bpftool, floats are numbers, text is escaped, and members without a name share one object, under an empty key, in which none hides another.',
    'The sockets of an xskmap are read by a program that looks at them, because the system call refuses to: queue, interface, whether the socket is bound, and the process that holds it. Its value is what a BPF program finds there, the number of the queue. Without CAP_PERFMON only the queues can be read, on Linux 5.10 nothing.',
  ],
  arguments: [
    { name: 'MAP', description: 'id N, name NAME, pinned PATH, a bare NAME or a /PATH' },
    { name: 'all', description: 'empty slots too' },
  ],
  json: 'an array of entries: key and value as bytes, and decoded under formatted',
  capabilities: toReadMap,
  examples: [
    {
      command: 'xdpctl map dump pinned forward',
      description: 'the entries by name',
      output: `
KEY  IFINDEX  INTERFACE  PROGRAM
  0        3  eth1
1 of 64 slots occupied`,
    },
    {
      command: 'xdpctl -j map dump pinned forward',
      description: 'the same for programs',
      output: `
[{"key":["0x00","0x00","0x00","0x00"],
  "value":["0x03","0x00","0x00","0x00","0x00","0x00","0x00","0x00"],
  "formatted":{"key":0,"value":{"ifindex":3,"ifname":"eth1"}}}]`,
    },
    {
      command: 'xdpctl map dump pinned forward all',
      description: 'empty slots too',
      output: `
KEY  IFINDEX  INTERFACE  PROGRAM
  0        3  eth1
  1        -
  2        -
…`,
    },
    {
      command: 'xdpctl map dump pinned sockets',
      description: 'the AF_XDP sockets of an xskmap, and whose they are',
      given: 'bound',
      output: `
KEY  QUEUE  INTERFACE  STATE  MODE  OWNER
  0      0  eth0       bound  copy  xdpctl(4711)
1 of 4 slots occupied`,
    },
    {
      command: 'xdpctl -j map dump pinned sockets',
      description: 'the same for programs',
      given: 'bound',
      output: `
[{"key":["0x00","0x00","0x00","0x00"],"value":["0x00","0x00","0x00","0x00"],
  "formatted":{"key":0,"value":{"queue":0,"state":"bound","mode":"copy",
    "ifindex":2,"ifname":"eth0","netns":4026532178,"inode":930535,
    "pid":4711,"comm":"xdpctl"}}}]`,
    },
  ],
  run({ words: list }, context): Outcome | Promise<Outcome> {
    const words = new WordList(list);
    const handle = takeHandle(words, 'map');
    const all = words.accept('all');
    words.end();
    const map = context.maps.open(handle);
    checkReadable(map);
    checkListable(map);
    const { keySize, valueSize, maxEntries, typeName } = map.info;
    if (typeName === 'xskmap') return dumpXskmap(map, all, context);
    if (isPlainBytes(map)) {
      return { kind: 'entries', keySize, valueSize, chunks: entryChunks(map) };
    }
    const format = entryFormat(map);
    return rows(entryRows(map, format, all), columnsOf(format), (count) =>
      isIndexed(typeName) && !all ? slots(count, maxEntries) : counted(count, 'entry', 'entries'),
    );
  },
};

async function dumpXskmap(map: BpfMap, all: boolean, { warn }: Context): Promise<Outcome> {
  const { readXskmap, xskmapColumns } = await import('./format/xskmap.ts');
  const { rows: sockets, warning } = readXskmap(map);
  if (warning !== undefined) await warn(warning);
  const { maxEntries } = map.info;
  const columns = columnsOf({ key: keyText, columns: xskmapColumns });
  return all
    ? rows(withEmptySlots(sockets, maxEntries), columns, (count) => counted(count, 'entry', 'entries'))
    : rows(sockets, columns, (count) => slots(count, maxEntries));
}

/** The sockets, and for each key between them an empty slot. */
function* withEmptySlots(
  sockets: readonly (EntryRow & { readonly formatted: { readonly key: number } })[],
  maxEntries: number,
): Generator<EntryRow> {
  let next = 0;
  for (let key = 0; key < maxEntries; key += 1) {
    const socket = sockets[next];
    if (socket?.formatted.key === key) {
      next += 1;
      yield socket;
    } else yield emptyRow(encodeInteger(key, 4), ENOENT);
  }
}

function slots(occupied: number, all: number): string {
  return `${occupied} of ${all} slots occupied`;
}

/** @throws ToolError unsupported for maps that user space cannot read */
export function checkReadable({ info: { typeName, valueSize } }: BpfMap): void {
  const reason = unreadableReason(typeName, valueSize);
  if (reason === undefined || typeName === undefined) return;
  throw new ToolError('unsupported', `the entries of ${aMapOf(typeName)} cannot be read: ${reason}`);
}

/** @throws ToolError unsupported for maps whose keys the kernel does not list */
export function checkListable({ info: { typeName } }: BpfMap): void {
  const reason = unlistableReason(typeName);
  if (reason === undefined || typeName === undefined) return;
  throw new ToolError('unsupported', `the entries of ${aMapOf(typeName)} cannot be listed: ${reason}`);
}

function* entryRows(map: BpfMap, format: EntryFormat, all: boolean): Generator<EntryRow> {
  const { keySize } = map.info;
  for (const chunk of entryChunks(map, { all, unreadable: true })) {
    for (let index = 0; index < chunk.count; index += 1) {
      const key = chunk.keys.subarray(index * keySize, (index + 1) * keySize);
      const errno = chunk.errnos?.[index] ?? 0;
      yield errno === 0
        ? format.row(key, chunk.values.subarray(index * map.valueLength, (index + 1) * map.valueLength))
        : emptyRow(key, errno);
    }
  }
}

const ENOENT = 2;
/** What bpftool's JSON says of an empty slot. */
const NO_ENTRY = 'No such file or directory';

/** A slot without an entry, in bpftool's form. */
function emptyRow(key: Uint8Array, errno: number): EntryRow {
  return {
    key: hexWords(key),
    value: { error: errno === ENOENT ? NO_ENTRY : (errnoName(errno) ?? `errno ${errno}`) },
    formatted: { key: decodeInteger(key) },
  };
}

function columnsOf(format: Pick<EntryFormat, 'key' | 'columns'>): Column<EntryRow>[] {
  return [
    { header: 'KEY', cell: (row) => (isEmpty(row) ? keyText(row) : format.key(row)), align: 'right' },
    ...format.columns.map((column, index) => ({
      ...column,
      cell: (row: EntryRow) => (isEmpty(row) ? (index === 0 ? '-' : '') : column.cell(row)),
    })),
  ];
}

function isEmpty({ value }: EntryRow): boolean {
  return value !== undefined && 'error' in value;
}
