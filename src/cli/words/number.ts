import { usageError } from '../../domain/errors.ts';

const pattern = /^(?:0x[0-9a-f]+|[0-9]+)$/i;

const ZERO = 48;
const DASH = 45;

/** Whether the word is a number rather than a name: digits always are (an interface called `5` needs `dev 5`). */
export function looksNumeric(word: string | undefined): boolean {
  if (word === undefined) return false;
  return digitAt(word, 0) >= 0 || (word.charCodeAt(0) === DASH && digitAt(word, 1) >= 0);
}

/**
 * The byte that a word of one to three decimal digits says, or -1: `parseUnsigned` finds out what the word is then.
 * Batches have a dozen such words a line, and regular expressions would take most of their time.
 */
export function plainByte(word: string): number {
  const { length } = word;
  const first = digitAt(word, 0);
  if (first < 0 || length > 3) return -1;
  if (length === 1) return first;
  const second = digitAt(word, 1);
  // A leading zero may be octal.
  if (first === 0 || second < 0) return -1;
  if (length === 2) return first * 10 + second;
  const third = digitAt(word, 2);
  const value = first * 100 + second * 10 + third;
  return third < 0 || value > 255 ? -1 : value;
}

/** The decimal digit at a position, or -1. */
function digitAt(word: string, position: number): number {
  const digit = word.charCodeAt(position) - ZERO;
  return digit >= 0 && digit <= 9 ? digit : -1;
}

/**
 * An unsigned integer in decimal or 0x form, no larger than `max`.
 *
 * @throws ToolError usage for a negative, an empty word, a number over `max`, or one with a leading zero that C would
 *   read as octal
 */
export function parseUnsigned(word: string, what: string, max: number): number {
  const value = Number(checkedDigits(word, what));
  if (value > max) throw tooLarge(word, what, max);
  return value;
}

/** As `parseUnsigned`, for numbers of up to 64 bits. */
export function parseUnsigned64(word: string, what: string): bigint {
  const value = BigInt(checkedDigits(word, what));
  if (value > U64_MAX) throw tooLarge(word, what, U64_MAX);
  return value;
}

export const U32_MAX = 0xffff_ffff;
const U64_MAX = 0xffff_ffff_ffff_ffffn;

function checkedDigits(word: string, what: string): string {
  if (word === '') throw usageError(`${what} is an empty word`);
  if (word.startsWith('-')) throw usageError(`${what} cannot be negative: ${word}`);
  if (!pattern.test(word)) throw usageError(`${what} must be a number, not '${word}'`);
  // `00` to `07` mean the same in every base; `010` would be 8 to C programs and 10 to people.
  if (/^0[0-9]+$/.test(word) && !/^0[0-7]$/.test(word)) {
    throw usageError(
      `${what} ${word} begins with a zero, which C programs take for octal`,
      `write ${word.replace(/^0+(?=.)/, '')} for the decimal number`,
    );
  }
  return word;
}

function tooLarge(word: string, what: string, max: number | bigint): Error {
  return usageError(`${what} ${word} is out of range: at most ${max}`);
}
