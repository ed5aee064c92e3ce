import { usageError } from '../../domain/errors.ts';
import { mapFlagBit, mapFlagNames } from '../../domain/map-flags.ts';
import { looksNumeric, parseUnsigned, U32_MAX } from './number.ts';

/**
 * Map flags as a number, or as names joined by commas.
 *
 * @throws ToolError usage for a name that is no flag
 */
export function parseMapFlags(word: string): number {
  if (looksNumeric(word)) return parseUnsigned(word, 'flags', U32_MAX);
  return word.split(',').reduce((flags, name) => {
    const bit = mapFlagBit(name);
    if (bit === undefined) {
      throw usageError(`'${name}' is no map flag`, `flags are ${mapFlagNames.join(', ')}`);
    }
    return flags | bit;
  }, 0);
}
