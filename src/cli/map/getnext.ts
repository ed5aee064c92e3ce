import { ToolError } from '../../domain/errors.ts';
import { hexWords } from '../../domain/hex.ts';
import { one, type Outcome } from '../../output/outcome.ts';
import type { Verb } from '../verb.ts';
import { takeHandle } from '../words/handle.ts';
import { takeKey } from '../words/key.ts';
import { WordList } from '../words/word-list.ts';
import { toOpenMap } from './capabilities.ts';
import { checkListable } from './dump.ts';
import { keyName } from './lookup.ts';

export const verb: Verb = {
  object: 'map',
  name: 'getnext',
  summary: "print the key after a key, or the map's first",
  synopsis: ['MAP [key KEY]'],
  description: [
    "The order is the map's own. After the last key the command ends with exit 3. A key that a hash map does not hold is followed by the first key.",
  ],
  arguments: [
    { name: 'MAP', description: 'id N, name NAME, pinned PATH, a bare NAME or a /PATH' },
    { name: 'KEY', description: 'as for lookup' },
  ],
  json: 'an object: key (null for the first) and next_key as bytes',
  capabilities: toOpenMap,
  examples: [
    {
      command: 'xdpctl map getnext pinned forward',
      description: 'the first key',
      output: `
key       none
next key  0`,
    },
    {
      command: 'xdpctl -j map getnext pinned forward key 0',
      description: 'the key after it',
      output: `
{"key":["0x00","0x00","0x00","0x00"],
 "next_key":["0x01","0x00","0x00","0x00"]}`,
    },
  ],
  run({ words: list }, context): Outcome {
    const words = new WordList(list);
    const handle = takeHandle(words, 'map');
    const map = context.maps.open(handle);
    checkListable(map);
    const key = words.accept('key') ? takeKey(words, map.info) : null;
    words.end();
    const next = new Uint8Array(map.info.keySize);
    if (!map.nextKey(key, next)) {
      throw new ToolError(
        'not-found',
        key === null ? 'the map has no entries' : `there is no key after ${keyName(key)}`,
        { errno: 2, operation: 'map getnext' },
      );
    }
    return one({ key: key === null ? null : hexWords(key), next_key: hexWords(next) }, [
      ['key', key === null ? 'none' : keyName(key)],
      ['next key', keyName(next)],
    ]);
  },
};
