import { usageError } from '../../domain/errors.ts';
import { parseUnsigned } from './number.ts';
import type { WordList } from './word-list.ts';

/**
 * Exactly `size` byte words in host memory order, as bpftool takes them: decimal or 0x; after `hex`, hexadecimal.
 *
 * @throws ToolError usage for too few words, a word that is no number, or one over 255
 */
export function parseBytes(words: WordList, size: number, what: string): Uint8Array {
  const hexadecimal = words.accept('hex');
  const bytes = new Uint8Array(size);
  for (let index = 0; index < size; index += 1) {
    const word = words.peek();
    if (word === undefined || (!hexadecimal && !/^-?[0-9]/.test(word))) {
      throw usageError(
        `${what} needs ${size} byte words, and there are ${index}${word === undefined ? '' : ` before '${word}'`}`,
      );
    }
    words.take(what);
    bytes[index] = hexadecimal ? parseHexByte(word, what) : parseUnsigned(word, `byte ${index} of the ${what}`, 255);
  }
  return bytes;
}

function parseHexByte(word: string, what: string): number {
  if (!/^(?:0x)?[0-9a-f]{1,2}$/i.test(word)) {
    throw usageError(`'${word}' is not a hexadecimal byte of the ${what}: 00 to ff`);
  }
  return Number.parseInt(word.replace(/^0x/i, ''), 16);
}
