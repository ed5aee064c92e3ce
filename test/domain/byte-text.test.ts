import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { bytesOfText, textOfBytes } from '../../src/domain/byte-text.ts';

describe('bytes as text', () => {
  it.each<[what: string, bytes: readonly number[], text: string]>([
    ['ASCII', [0x65, 0x74, 0x68], 'eth'],
    ['UTF-8', [0xc3, 0xa4, 0xe6, 0xbc, 0xa2, 0xf0, 0x9f, 0x98, 0x80], 'ä漢😀'],
    ['a byte order mark, which is part of a name', [0xef, 0xbb, 0xbf, 0x61], '\ufeffa'],
    ['U+FFFD itself', [0xef, 0xbf, 0xbd], '\ufffd'],
    ['bytes that begin nothing', [0x61, 0xff, 0x80, 0x62], 'a\udcff\udc80b'],
    ['a character that is not complete', [0xe6, 0xbc, 0x61], '\udce6\udcbca'],
    ['a form longer than needed', [0xc0, 0xaf], '\udcc0\udcaf'],
    ['half a character', [0xed, 0xa0, 0x80], '\udced\udca0\udc80'],
    ['more than there are characters', [0xf4, 0x90, 0x80, 0x80], '\udcf4\udc90\udc80\udc80'],
    ['an end in the middle', [0xf0, 0x9f], '\udcf0\udc9f'],
  ])('%s', (_what, bytes, text) => {
    expect(textOfBytes(Uint8Array.from(bytes))).toBe(text);
    expect([...bytesOfText(text)]).toEqual(bytes);
  });

  it('are what they were when they come back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        expect(bytesOfText(textOfBytes(bytes))).toEqual(bytes);
      }),
    );
  });

  it('are what everybody else reads where they are UTF-8', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(textOfBytes(new TextEncoder().encode(text))).toBe(text);
      }),
    );
  });

  it('has U+FFFD for halves of characters that stand for no byte', () => {
    expect([...bytesOfText('a\ud800\udc00\ud800')]).toEqual([0x61, 0xf0, 0x90, 0x80, 0x80, 0xef, 0xbf, 0xbd]);
    expect([...bytesOfText('\udc41')]).toEqual([0xef, 0xbf, 0xbd]);
  });
});
