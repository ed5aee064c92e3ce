import { mapFlagText } from '../../domain/map-flags.ts';
import { type Holder, mapHolders } from '../../kernel/holders.ts';
import { readMapFdInfo } from '../../kernel/map-info.ts';
import { allMaps } from '../../kernel/map-list.ts';
import type { BpfMap } from '../../kernel/map.ts';
import { pinsOf } from '../../kernel/pins.ts';
import { type Column, one, type Outcome, rows, unlessEmpty } from '../../output/outcome.ts';
import type { Verb } from '../verb.ts';
import { takeHandle } from '../words/handle.ts';
import { WordList } from '../words/word-list.ts';

/** A map as `map show` prints it in JSON, with bpftool's keys. */
interface MapRow {
  readonly id: number;
  readonly type: string | number;
  readonly name?: string;
  readonly flags: number;
  readonly bytes_key: number;
  readonly bytes_value: number;
  readonly max_entries: number;
  readonly bytes_memlock?: number;
  readonly frozen: 0 | 1;
  readonly btf_id?: number;
  readonly pinned?: readonly string[];
  readonly pids?: readonly Holder[];
}

export const verb: Verb = {
  object: 'map',
  name: 'show',
  aliases: ['list'],
  summary: 'list the maps of this kernel, or show one',
  synopsis: ['[MAP]'],
  description: [
    'Shows id, type, name, sizes and flags. For one map, and with --bpffs for all, also the paths where it is pinned and the processes that hold it open; reading those takes a look at every descriptor of every process.',
    'A map that vanishes while the list is being read is left out.',
  ],
  arguments: [{ name: 'MAP', description: 'id N, name NAME, pinned PATH, a bare NAME or a /PATH' }],
  json: 'an array of maps; with MAP one object. Keys are those of bpftool; absent ones are left out',
  capabilities:
    'CAP_SYS_ADMIN for the list, and to name a map by its id or name; root to see who holds a map, when that is another user',
  examples: [
    {
      command: 'xdpctl map show',
      description: 'every map',
      output: `
  ID  TYPE          NAME             KEY  VALUE  ENTRIES  FLAGS
…
  42  devmap        forward           4B     8B       64  rdonly_prog
…`,
    },
    {
      command: 'xdpctl map show pinned forward',
      description: 'one map, with its pins and who holds it open',
      output: `
id           42
type         devmap
name         forward
flags        rdonly_prog (0x80)
key          4 bytes
value        8 bytes
max entries  64
memory       920 bytes
pinned       /sys/fs/bpf/forward`,
    },
    {
      command: 'xdpctl -j map show pinned forward',
      description: 'the same as a JSON object',
      output: `
{"id":42,"type":"devmap","name":"forward","flags":128,"bytes_key":4,
 "bytes_value":8,"max_entries":64,"bytes_memlock":920,"frozen":0,
 "pinned":["/sys/fs/bpf/forward"],"pids":[]}`,
    },
  ],
  run({ words: list }, context): Outcome {
    const words = new WordList(list);
    if (words.done) return rows(listed(context.options.bpffs), columns(context.options.bpffs), unlessEmpty('maps'));
    const handle = takeHandle(words, 'map');
    words.end();
    const map = context.maps.open(handle);
    const row = describe(map, pinsOf('map').get(map.info.id) ?? [], mapHolders().get(map.info.id) ?? []);
    return one(row, lines(row));
  },
};

function* listed(withPins: boolean): Generator<MapRow> {
  const pins = withPins ? pinsOf('map') : undefined;
  const holders = withPins ? mapHolders() : undefined;
  for (const map of allMaps()) {
    const { id } = map.info;
    yield describe(map, pins && (pins.get(id) ?? []), holders && (holders.get(id) ?? []));
  }
}

function describe(map: BpfMap, pinned: readonly string[] | undefined, pids: readonly Holder[] | undefined): MapRow {
  const { info } = map;
  const { memlock, frozen } = readMapFdInfo(map.fd);
  return {
    id: info.id,
    type: info.typeName ?? info.type,
    ...(info.name !== '' && { name: info.name }),
    flags: info.flags,
    bytes_key: info.keySize,
    bytes_value: info.valueSize,
    max_entries: info.maxEntries,
    ...(memlock !== undefined && { bytes_memlock: memlock }),
    frozen: frozen ? 1 : 0,
    ...(info.btfId !== 0 && { btf_id: info.btfId }),
    ...(pinned && { pinned }),
    ...(pids && { pids }),
  };
}

function columns(withPins: boolean): Column<MapRow>[] {
  return [
    { header: 'ID', cell: (map) => String(map.id), align: 'right' },
    { header: 'TYPE', cell: (map) => typeText(map) },
    { header: 'NAME', cell: (map) => map.name ?? '' },
    { header: 'KEY', cell: (map) => `${map.bytes_key}B`, align: 'right' },
    { header: 'VALUE', cell: (map) => `${map.bytes_value}B`, align: 'right' },
    { header: 'ENTRIES', cell: (map) => String(map.max_entries), align: 'right' },
    { header: 'FLAGS', cell: (map) => mapFlagText(map.flags) },
    ...(withPins
      ? [
          { header: 'PINNED', cell: (map: MapRow) => (map.pinned ?? []).join(' ') },
          { header: 'PIDS', cell: (map: MapRow) => holderText(map.pids ?? []) },
        ]
      : []),
  ];
}

function lines(map: MapRow): [string, string | undefined][] {
  return [
    ['id', String(map.id)],
    ['type', typeText(map)],
    ['name', map.name],
    ['flags', map.flags === 0 ? 'none' : `${mapFlagText(map.flags)} (0x${map.flags.toString(16)})`],
    ['key', `${map.bytes_key} bytes`],
    ['value', `${map.bytes_value} bytes`],
    ['max entries', String(map.max_entries)],
    ['memory', map.bytes_memlock === undefined ? undefined : `${map.bytes_memlock} bytes`],
    ['frozen', map.frozen ? 'yes' : undefined],
    ['btf id', map.btf_id === undefined ? undefined : String(map.btf_id)],
    ['pinned', map.pinned?.length ? map.pinned.join(' ') : undefined],
    ['held by', map.pids?.length ? holderText(map.pids) : undefined],
  ];
}

/** Types newer than this program are shown by their number. */
function typeText({ type }: MapRow): string {
  return typeof type === 'number' ? `type ${type}` : type;
}

function holderText(holders: readonly Holder[]): string {
  return holders.map(({ pid, comm }) => `${comm}(${pid})`).join(' ');
}
