import { readU32 } from './byte-order.ts';
import { usageError } from './errors.ts';
import type { MapInfo } from './map-info.ts';
import { isIndexed } from './map-type.ts';

/**
 * Refuses a key that the map cannot have: what the kernel would answer with E2BIG, EINVAL or, worse, "no such entry".
 *
 * @throws ToolError usage
 */
export function checkKeyInside(key: Uint8Array, info: MapInfo): void {
  if (info.typeName === 'lpm_trie') checkPrefix(key);
  if (!isIndexed(info.typeName) || info.keySize !== 4) return;
  const index = readU32(key);
  if (index < info.maxEntries) return;
  throw usageError(
    `key ${index} is outside the ${info.typeName}: its ${info.maxEntries} keys go from 0 to ${info.maxEntries - 1}`,
  );
}

/** struct bpf_lpm_trie_key (linux/bpf.h): the length of the prefix in bits, and then the bytes that it is of. */
function checkPrefix(key: Uint8Array): void {
  const length = readU32(key);
  const most = 8 * (key.length - 4);
  if (length <= most) return;
  throw usageError(
    `the prefix of a key of this lpm_trie has at most ${most} bits, not ${length}: its first four bytes say how many, in host byte order`,
  );
}
