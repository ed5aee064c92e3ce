import * as fc from 'fast-check';
import { expect, it } from 'vitest';

import { readU32 } from '../../src/domain/byte-order.ts';

it('reads a u32 as the machine stores it, wherever it stands', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 0xffff_ffff }), fc.nat(3), (number, offset) => {
      const bytes = new Uint8Array(offset + 4);
      bytes.set(new Uint8Array(Uint32Array.of(number).buffer), offset);
      expect(readU32(bytes, offset)).toBe(number);
    }),
  );
});
