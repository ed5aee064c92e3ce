import * as fc from 'fast-check';

/** What terminals, shells, and readers of JSON, numbers and paths make something of. */
const pieces = [
  '\u001b]0;x\u0007',
  '\u001b[2J',
  '\u009b2J',
  '\u202e',
  '\u200b',
  '\ufeff',
  '\udcff',
  '\ud800',
  '\u2028',
  '\0',
  '\n',
  '\r',
  '\t',
  ' ',
  "'",
  '"',
  '`',
  '\\',
  '$(id)',
  'a;b',
  '|',
  '&',
  '<',
  '>',
  '{}',
  '[]',
  ',',
  ':',
  '=',
  '/',
  '..',
  '.',
  '-',
  '--',
  '%s%n',
  '#',
  '!',
  '*',
  'ä',
  '漢',
  '😀',
  '__proto__',
  'constructor',
  'eth0',
  'lo',
  '0',
  '1',
  '-1',
  '010',
  '0x',
  '0xff',
  '255',
  '256',
  '4294967295',
  '4294967296',
  '18446744073709551616',
  '1e9',
  '1.5',
  'Infinity',
  'NaN',
];

/** A text of nasty pieces. */
export const nasty: fc.Arbitrary<string> = fc
  .array(fc.constantFrom(...pieces), { maxLength: 6 })
  .map((list) => list.join(''));

/** Any text, mostly nasty. */
export const anyText: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: nasty },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 20 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 20 }) },
  { weight: 1, arbitrary: fc.string({ maxLength: 20 }) },
);

/** A number as somebody might type it. */
export const numberWord: fc.Arbitrary<string> = fc.oneof(
  fc.nat(255).map(String),
  fc.nat(0xffff_ffff).map(String),
  fc.bigInt({ min: 0n, max: 2n ** 65n }).map(String),
  fc.nat(0xffff).map((number) => `0x${number.toString(16)}`),
  fc.nat(255).map((number) => number.toString(16).padStart(2, '0')),
  fc.nat(99).map((number) => `0${number}`),
  fc.nat(99).map((number) => `-${number}`),
);

/** A line of words, of which these are the ones that mean something there. */
export function lines(keywords: readonly string[]): fc.Arbitrary<string[]> {
  const word = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...keywords) },
    { weight: 3, arbitrary: numberWord },
    { weight: 2, arbitrary: anyText },
  );
  return fc.array(word, { maxLength: 14 });
}
