import { KernelRefusal, ToolError } from '../../domain/errors.ts';
import { decodeInteger } from '../../domain/integer.ts';
import { EINVAL } from '../../kernel/check.ts';
import type { BpfMap } from '../../kernel/map.ts';
import type { Outcome } from '../../output/outcome.ts';
import type { Context } from '../context.ts';
import { dryRun } from '../dry-run.ts';
import { flag, type Verb } from '../verb.ts';
import { takeHandle } from '../words/handle.ts';
import { takeKey } from '../words/key.ts';
import { WordList } from '../words/word-list.ts';
import { toOpenMap } from './capabilities.ts';
import { keyName } from './lookup.ts';
import { mapText } from './map-text.ts';

export const verb: Verb = {
  object: 'map',
  name: 'delete',
  summary: 'remove an entry of a map',
  synopsis: ['MAP key KEY [--strict]'],
  description: [
    'Removing an entry that is not there succeeds, except where the map itself tells (hash maps: exit 3). With --strict it is exit 3 for every type; for maps that do not tell, the entry is looked up first.',
  ],
  arguments: [
    { name: 'MAP', description: 'id N, name NAME, pinned PATH, a bare NAME or a /PATH' },
    { name: 'KEY', description: 'as for lookup' },
  ],
  options: [{ name: 'strict', description: 'an absent entry is exit 3' }],
  changes: 'removes an entry of the map',
  namesStay: true,
  capabilities: toOpenMap,
  examples: [
    { command: 'xdpctl map delete pinned forward key 0', description: 'empties key 0' },
    {
      command: 'xdpctl -j map delete pinned forward key 9 --strict',
      description: 'nothing is at key 9',
      exit: 3,
      output: `
{"error":{"exit":3,"message":"the devmap has no entry at key 9","errno":2,
          "errnoName":"ENOENT","operation":"map delete"}}`,
    },
  ],
  run(input, context): Outcome | undefined | Promise<Outcome | undefined> {
    const words = new WordList(input.words);
    const handle = takeHandle(words, 'map');
    words.expect('key');
    const map = context.maps.open(handle);
    const key = takeKey(words, map.info);
    words.end();
    if (!flag(input, 'strict')) return remove(map, key, context);
    switch (map.info.typeName) {
      // These do not tell whether there was an entry (dev_map_delete_elem, cpu_map_delete_elem, xsk_map_delete_elem).
      case 'devmap':
      case 'cpumap':
        if (!map.lookup(key, map.scratch.value)) throw absent(map, key);
        return remove(map, key, context);
      case 'xskmap':
        return removeSocket(map, key, context);
      case undefined:
      default:
        return remove(map, key, context);
    }
  },
};

/** @throws ToolError not-found where the map itself tells that there is no entry */
function remove(map: BpfMap, key: Uint8Array, { options }: Context): Outcome | undefined {
  if (options.dryRun) return rehearse(map, key);
  if (!map.delete(key)) throw absent(map, key);
  return undefined;
}

/** What a dry run can tell: whether the map takes changes, and the types that tell of an absent entry. @throws as `remove` */
function rehearse(map: BpfMap, key: Uint8Array): Outcome {
  map.checkChangeable('map delete');
  const { typeName } = map.info;
  // array_map_delete_elem (kernel/bpf/arraymap.c).
  if (typeName === 'array' || typeName === 'percpu_array') throw new KernelRefusal('map delete', EINVAL, map.facts());
  if (tellsAbsence.has(typeName) && !map.lookup(key, new Uint8Array(map.valueLength))) {
    throw absent(map, key);
  }
  return dryRun([`remove key ${keyName(key)} of ${mapText(map.info)}`]);
}

/** Types that say ENOENT of an entry that is not there, and can be looked into. */
const tellsAbsence: ReadonlySet<string | undefined> = new Set([
  'hash',
  'lru_hash',
  'percpu_hash',
  'lru_percpu_hash',
  'devmap_hash',
  'hash_of_maps',
  'array_of_maps',
  'prog_array',
]);

/** Removes a socket that is there: a program looks, because the system call refuses to. @throws ToolError not-found */
async function removeSocket(map: BpfMap, key: Uint8Array, context: Context): Promise<Outcome | undefined> {
  const { XskmapReader } = await import('../../kernel/xskmap-reader.ts');
  const index = Number(decodeInteger(key));
  using reader = new XskmapReader(map);
  for (const _socket of reader.entries(index, index + 1)) return remove(map, key, context);
  throw absent(map, key);
}

function absent(map: BpfMap, key: Uint8Array): ToolError {
  return new ToolError('not-found', `the ${map.info.typeName} has no entry at key ${keyName(key)}`, {
    errno: 2,
    operation: 'map delete',
  });
}
