import { usageError } from '../../domain/errors.ts';
import { looksNumeric, parseUnsigned, plainByte } from './number.ts';
import type { WordList } from './word-list.ts';

/**
 * Exactly `size` byte words in host memory order, as bpftool takes them: decimal or 0x; after `hex`, hexadecimal.
 *
 * @param bytes where they go; a new buffer when absent
 * @throws ToolError usage for too few words, a word that is no number, or one over 255
 */
export function parseBytes(
  words: WordList,
  size: number,
  what: string,
  bytes: Uint8Array = new Uint8Array(size),
): Uint8Array {
  const hexadecimal = words.accept('hex');
  for (let index = 0; index < size; index += 1) {
    const word = words.peek();
    const plain = word === undefined || hexadecimal ? -1 : plainByte(word);
    if (plain >= 0) bytes[index] = plain;
    else if (word === undefined || (!hexadecimal && !looksNumeric(word))) throw tooFew(size, what, index, word);
    else
      bytes[index] = hexadecimal ? parseHexByte(word, what) : parseUnsigned(word, `byte ${index} of the ${what}`, 255);
    words.skip();
  }
  const next = words.peek();
  if (next !== undefined && (hexadecimal ? /^[0-9a-f]{1,2}$/i.test(next) : looksNumeric(next))) {
    throw usageError(`${what} is ${size} bytes, and there are more byte words: '${next}'`);
  }
  return bytes;
}

function tooFew(size: number, what: string, count: number, word: string | undefined): Error {
  return usageError(
    `${what} needs ${size} byte words, and there are ${count}${word === undefined ? '' : ` before '${word}'`}`,
  );
}

function parseHexByte(word: string, what: string): number {
  if (!/^(?:0x)?[0-9a-f]{1,2}$/i.test(word)) {
    throw usageError(`'${word}' is not a hexadecimal byte of the ${what}: 00 to ff`);
  }
  return Number.parseInt(word.replace(/^0x/i, ''), 16);
}
