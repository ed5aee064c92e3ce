import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { looksNumeric, parseUnsigned, plainByte } from '../../../src/cli/words/number.ts';

const word = fc.oneof(
  fc.string({ unit: fc.constantFrom('0', '1', '2', '5', '9', 'x', 'f', '-', ' ', '+', 'e') }),
  fc.integer({ min: -5, max: 1000 }).map(String),
);

describe('the short way for bytes', () => {
  it('takes only what the long way takes, and says the same', () => {
    fc.assert(
      fc.property(word, (text) => {
        const byte = plainByte(text);
        expect(byte < 0 ? byte : parseUnsigned(text, 'byte', 255)).toBe(byte);
      }),
    );
  });

  it('takes every byte in decimal', () => {
    const bytes = Array.from({ length: 256 }, (_, index) => index);
    expect(bytes.map((byte) => plainByte(String(byte)))).toEqual(bytes);
  });
});

describe('a number', () => {
  it('is what begins with a digit, perhaps after a minus', () => {
    fc.assert(
      fc.property(word, (text) => {
        expect(looksNumeric(text)).toBe(/^-?[0-9]/.test(text));
      }),
    );
  });

  it.each([
    ['0', 0],
    ['00', 0],
    ['07', 7],
    ['255', 255],
    ['0xff', 255],
    ['0XfF', 255],
    ['0x00000000', 0],
  ])('%s is %i', (text, value) => {
    expect(parseUnsigned(text, 'byte', 255)).toBe(value);
  });

  it.each([
    ['', 'the byte is an empty word'],
    ['256', 'the byte 256 is out of range: at most 255'],
    ['0x100', 'the byte 0x100 is out of range: at most 255'],
    ['99999999999999999999', 'out of range'],
    ['-1', 'the byte cannot be negative: -1'],
    ['010', 'begins with a zero, which C programs take for octal'],
    ['08', 'begins with a zero'],
    ['1e3', "must be a number, not '1e3'"],
    ['1.5', "must be a number, not '1.5'"],
    ['+1', "must be a number, not '+1'"],
    [' 1', "must be a number, not ' 1'"],
    ['0x', "must be a number, not '0x'"],
  ])('%j is refused', (text, message) => {
    expect(() => parseUnsigned(text, 'the byte', 255)).toThrow(message);
  });
});
