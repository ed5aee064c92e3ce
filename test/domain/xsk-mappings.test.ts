import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { parseSocketMappings, ringEntrySizes, ringKinds, ringSizeOf } from '../../src/domain/xsk-mappings.ts';

const maps = `
5581d3c00000-5581d3c21000 rw-p 00000000 00:00 0                          [heap]
7f9fc502f000-7f9fc5034000 rw-s 80000000 00:09 1435486                    socket:[1435486]
7f9fc5034000-7f9fc503d000 rw-s 00000000 00:09 1435486                    socket:[1435486]
7f9fc503d000-7f9fc503f000 rw-s 180000000 00:09 1435486                   socket:[1435486]
7f9fc51ef000-7f9fc51f0000 rw-s 100000000 00:09 1435486                   socket:[1435486]
7f9fc5200000-7f9fc5400000 rw-s 00000000 00:09 77                         socket:[77]
7f9fc5400000-7f9fc5401000 r-xp 00000000 fe:01 1234                       /usr/lib/socket:[99]
`;

describe('the mappings of a process', () => {
  it('show its AF_XDP sockets and how long their rings are', () => {
    expect([...parseSocketMappings(maps)]).toEqual([
      [1_435_486, { rx: 0x9000, tx: 0x5000, completion: 0x2000, fill: 0x1000 }],
      [77, { rx: 0x20_0000 }],
    ]);
  });

  it('show nothing in a process that has none', () => {
    expect([...parseSocketMappings('')]).toEqual([]);
  });
});

describe('the size of a ring', () => {
  it('is known from the length of its mapping', () => {
    const page = 4096;
    const ring = fc.record({
      kind: fc.constantFrom(...ringKinds),
      entries: fc.integer({ min: 0, max: 20 }).map((power) => 2 ** power),
      start: fc.constantFrom(196, 320, 512),
    });
    fc.assert(
      fc.property(ring, ({ kind, entries, start }) => {
        const length = Math.ceil((start + entries * ringEntrySizes[kind]) / page) * page;
        const size = ringSizeOf(kind, length, start, page);
        expect(size.entries).toBeGreaterThanOrEqual(entries);
        expect(size.exact ? size.entries : entries).toBe(entries);
        expect(size.exact).toBe(length > page);
      }),
    );
  });
});
