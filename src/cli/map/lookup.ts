import { ToolError } from '../../domain/errors.ts';
import { hexText } from '../../domain/hex.ts';
import { decodeInteger } from '../../domain/integer.ts';
import type { BpfMap } from '../../kernel/map.ts';
import { type Column, one, type Outcome } from '../../output/outcome.ts';
import type { Context } from '../context.ts';
import type { Verb } from '../verb.ts';
import { takeHandle } from '../words/handle.ts';
import { takeKey } from '../words/key.ts';
import { WordList } from '../words/word-list.ts';
import { toReadMap } from './capabilities.ts';
import { checkReadable } from './dump.ts';
import { entryFormat } from './format/entry-format.ts';

export const verb: Verb = {
  object: 'map',
  name: 'lookup',
  aliases: ['peek'],
  summary: 'print one entry of a map',
  synopsis: ['MAP key KEY'],
  description: ['An absent entry is exit 3; a key that the map cannot have is exit 2.'],
  arguments: [
    { name: 'MAP', description: 'id N, name NAME, pinned PATH, a bare NAME or a /PATH' },
    {
      name: 'KEY',
      description: 'as many byte words as the key has bytes, an integer, or for devmaps an interface',
    },
  ],
  json: 'an object: key and value as bytes, and decoded under formatted',
  capabilities: toReadMap,
  examples: [
    {
      command: 'xdpctl map lookup pinned forward key 0',
      description: 'where key 0 leads',
      output: `
key        0
ifindex    3
interface  eth1`,
    },
    {
      command: 'xdpctl -j map lookup pinned forward key 0 0 0 0',
      description: "the key in bpftool's form, the answer as JSON",
      output: `
{"key":["0x00","0x00","0x00","0x00"],
 "value":["0x03","0x00","0x00","0x00","0x00","0x00","0x00","0x00"],
 "formatted":{"key":0,"value":{"ifindex":3,"ifname":"eth1"}}}`,
    },
    {
      command: 'xdpctl -j map lookup pinned forward key 9',
      description: 'an empty slot',
      exit: 3,
      output: `
{"error":{"exit":3,"message":"the devmap has no entry at key 9",
          "hint":"see: xdpctl map dump id 42","errno":2,"errnoName":"ENOENT",
          "operation":"map lookup"}}`,
    },
  ],
  run({ words: list }, context): Outcome | Promise<Outcome> {
    const words = new WordList(list);
    const handle = takeHandle(words, 'map');
    const map = context.maps.open(handle);
    checkReadable(map);
    words.expect('key');
    const key = takeKey(words, map.info);
    words.end();
    if (map.info.typeName === 'xskmap') return lookUpSocket(map, key, context);
    const value = new Uint8Array(map.valueLength);
    if (!map.lookup(key, value)) throw noEntry(map, key);
    const format = entryFormat(map);
    const row = format.row(key, value);
    return entryOutcome(row, format.key(row), format.columns);
  },
};

async function lookUpSocket(map: BpfMap, key: Uint8Array, { warn }: Context): Promise<Outcome> {
  const { readXskmap, xskmapColumns } = await import('./format/xskmap.ts');
  const index = Number(decodeInteger(key));
  const { rows, warning } = readXskmap(map, index, index + 1);
  const [row] = rows;
  if (row === undefined) throw noEntry(map, key);
  if (warning !== undefined) await warn(warning);
  return entryOutcome(row, keyName(key), xskmapColumns);
}

function entryOutcome<Row extends object>(row: Row, key: string, columns: readonly Column<Row>[]): Outcome {
  return one(row, [
    ['key', key],
    ...columns.map(({ header, cell }): [string, string | undefined] => [header.toLowerCase(), cell(row) || undefined]),
  ]);
}

function noEntry(map: BpfMap, key: Uint8Array): ToolError {
  return new ToolError('not-found', `the ${map.info.typeName} has no entry at key ${keyName(key)}`, {
    hint: ({ own }) => `see: ${own(['map', 'dump', 'id', String(map.info.id)])}`,
    errno: 2,
    operation: 'map lookup',
  });
}

/** A key in a message: the integer, or the bytes. */
export function keyName(key: Uint8Array): string {
  return String(decodeInteger(key) ?? hexText(key));
}
