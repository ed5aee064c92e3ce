import { describe, expect, it } from 'vitest';

import { hexDump } from '../../../src/cli/prog/hex-dump.ts';

describe('hexDump', () => {
  it('shows 16 bytes a line, with offset and text', () => {
    const bytes = Buffer.from('0123456789abcdef\u0000\u001b[0m');
    expect(hexDump(bytes)).toBe(
      '0000  30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66  0123456789abcdef\n' +
        '0010  00 1b 5b 30 6d                                   ..[0m\n',
    );
  });

  it('is empty for no bytes', () => {
    expect(hexDump(new Uint8Array())).toBe('');
  });
});
