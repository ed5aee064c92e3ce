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
  if (!isIndexed(info.typeName) || info.keySize !== 4) return;
  const index = readU32(key);
  if (index < info.maxEntries) return;
  throw usageError(
    `key ${index} is outside the ${info.typeName}: its ${info.maxEntries} keys go from 0 to ${info.maxEntries - 1}`,
  );
}
