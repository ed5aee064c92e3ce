import { expect, it } from 'vitest';

import type { MapInfo } from '../../src/domain/map-info.ts';
import { checkKeyInside } from '../../src/domain/map-key.ts';

function info(typeName: string, keySize: number): MapInfo {
  return { typeName, keySize, maxEntries: 8 } as unknown as MapInfo;
}

it('a key of an array has an index below the number of entries', () => {
  expect(() => checkKeyInside(Uint8Array.of(7, 0, 0, 0), info('devmap', 4))).not.toThrow();
  expect(() => checkKeyInside(Uint8Array.of(8, 0, 0, 0), info('devmap', 4))).toThrow('its 8 keys go from 0 to 7');
  expect(() => checkKeyInside(Uint8Array.of(8, 0, 0, 0), info('devmap_hash', 4))).not.toThrow();
});

it('a key of an lpm_trie has no longer a prefix than it has bits', () => {
  expect(() => checkKeyInside(Uint8Array.of(32, 0, 0, 0, 10, 0, 0, 1), info('lpm_trie', 8))).not.toThrow();
  expect(() => checkKeyInside(Uint8Array.of(33, 0, 0, 0, 10, 0, 0, 1), info('lpm_trie', 8))).toThrow(
    'the prefix of a key of this lpm_trie has at most 32 bits, not 33',
  );
});
