import { errnoName } from '../../domain/errno.ts';
import { ToolError } from '../../domain/errors.ts';
import { hexWords } from '../../domain/hex.ts';
import { decodeInteger } from '../../domain/integer.ts';
import { isIndexed, unreadableReason } from '../../domain/map-type.ts';
import { entryChunks } from '../../kernel/map-entries.ts';
import type { BpfMap } from '../../kernel/map.ts';
import { type Column, type Outcome, rows } from '../../output/outcome.ts';
import { counted } from '../../output/reporter.ts';
import type { Verb } from '../verb.ts';
import { takeHandle } from '../words/handle.ts';
import { WordList } from '../words/word-list.ts';
import { type EntryFormat, entryFormat, type EntryRow, isPlainBytes } from './format/entry-format.ts';

export const verb: Verb = {
  object: 'map',
  name: 'dump',
  summary: 'print the entries of a map, with names for numbers',
  synopsis: ['MAP [all]'],
  description: [
    'Prints the occupied entries; with the word all the empty slots too, as bpftool does.',
    'An ifindex is given its name in the network namespace that the command runs in (--netns chooses another).',
  ],
  arguments: [
    { name: 'MAP', description: 'id N, name NAME, pinned PATH, a bare NAME or a /PATH' },
    { name: 'all', description: 'empty slots too' },
  ],
  json: 'an array of entries: key and value as bytes, and decoded under formatted',
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
  ],
  run({ words: list }, context): Outcome {
    const words = new WordList(list);
    const handle = takeHandle(words, 'map');
    const all = words.accept('all');
    words.end();
    const map = context.maps.open(handle);
    checkReadable(map);
    const { keySize, valueSize, maxEntries, typeName } = map.info;
    if (isPlainBytes(map.info)) {
      return { kind: 'entries', keySize, valueSize, chunks: entryChunks(map) };
    }
    const format = entryFormat(map);
    return rows(entryRows(map, format, all), columnsOf(format), (count) =>
      isIndexed(typeName) && !all ? `${count} of ${maxEntries} slots occupied` : counted(count, 'entry', 'entries'),
    );
  },
};

/** @throws ToolError unsupported for maps that user space cannot read */
export function checkReadable(map: BpfMap): void {
  const reason = unreadableReason(map.info.typeName);
  if (reason === undefined) return;
  throw new ToolError('unsupported', `the entries of a ${map.info.typeName} cannot be read: ${reason}`);
}

function* entryRows(map: BpfMap, format: EntryFormat, all: boolean): Generator<EntryRow> {
  const { keySize } = map.info;
  for (const chunk of entryChunks(map, { all })) {
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

function columnsOf(format: EntryFormat): Column<EntryRow>[] {
  return [
    { header: 'KEY', cell: (row) => (isEmpty(row) ? emptyKey(row) : format.key(row)), align: 'right' },
    ...format.columns.map((column, index) => ({
      ...column,
      cell: (row: EntryRow) => (isEmpty(row) ? (index === 0 ? '-' : '') : column.cell(row)),
    })),
  ];
}

function isEmpty({ value }: EntryRow): boolean {
  return value !== undefined && 'error' in value;
}

function emptyKey({ formatted }: EntryRow): string {
  return String((formatted as { key: number }).key);
}
