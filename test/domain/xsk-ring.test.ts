import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { ConsumerRing, isRingSize, ProducerRing, type RingMemory } from '../../src/domain/xsk-ring.ts';

/** A ring in ordinary memory, empty, with both indexes at `start`. */
function ringAt(start: number, size: number): RingMemory {
  return {
    producer: Uint32Array.of(start),
    consumer: Uint32Array.of(start),
    flags: Uint32Array.of(0),
    words: new Uint32Array(size),
    size,
  };
}

/** The other side of a ring, written in the plainest way: what the kernel does. */
class OtherSide {
  readonly #memory: RingMemory;

  constructor(memory: RingMemory) {
    this.#memory = memory;
  }

  get used(): number {
    return (this.#memory.producer[0]! - this.#memory.consumer[0]!) >>> 0;
  }

  produce(value: number): boolean {
    if (this.used === this.#memory.size) return false;
    this.#memory.words[this.#memory.producer[0]! % this.#memory.size] = value;
    this.#memory.producer[0]! += 1;
    return true;
  }

  consume(): number | undefined {
    if (this.used === 0) return undefined;
    const value = this.#memory.words[this.#memory.consumer[0]! % this.#memory.size];
    this.#memory.consumer[0]! += 1;
    return value;
  }
}

const ring = fc.record({
  /** The places where 32-bit and signed 32-bit indexes wrap around, and any other. */
  start: fc.oneof(
    fc.integer({ min: 0xffff_ffe0, max: 0xffff_ffff }),
    fc.integer({ min: 0x7fff_ffe0, max: 0x8000_0020 }),
    fc.nat(0xffff_ffff),
  ),
  size: fc.integer({ min: 0, max: 5 }).map((power) => 2 ** power),
});

/** How many the one side does, then the other, again and again. */
const turns = fc.array(fc.tuple(fc.nat(40), fc.nat(40)), { maxLength: 60 });

describe('the consumer of a ring', () => {
  it('gets what the producer put in, in order, and never more than that', () => {
    fc.assert(
      fc.property(ring, turns, ({ start, size }, steps) => {
        const memory = ringAt(start, size);
        const kernel = new OtherSide(memory);
        const mine = new ConsumerRing(memory);
        let produced = 0;
        let consumed = 0;
        for (const [puts, limit] of steps) {
          for (let put = 0; put < puts && kernel.produce(produced); put += 1) produced += 1;
          const count = mine.available(limit);
          expect(count).toBeLessThanOrEqual(Math.min(limit, produced - consumed));
          for (let index = 0; index < count; index += 1) {
            expect(mine.words[(mine.position + index) & mine.mask]).toBe(consumed + index);
          }
          mine.release(count);
          consumed += count;
          expect(mine.unread).toBe(produced - consumed);
          expect(kernel.used).toBe(produced - consumed);
        }
        while (mine.available(size) > 0) {
          const count = mine.available(size);
          mine.release(count);
          consumed += count;
        }
        expect(consumed).toBe(produced);
        expect(memory.consumer[0]).toBe(memory.producer[0]);
      }),
    );
  });

  it('sees an entry as soon as it has none left', () => {
    fc.assert(
      fc.property(ring, ({ start, size }) => {
        const memory = ringAt(start, size);
        const mine = new ConsumerRing(memory);
        expect(mine.available(size)).toBe(0);
        new OtherSide(memory).produce(7);
        expect(mine.available(size)).toBe(1);
      }),
    );
  });
});

describe('the producer of a ring', () => {
  it('never overwrites what is not consumed, and the consumer gets everything in order', () => {
    fc.assert(
      fc.property(ring, turns, ({ start, size }, steps) => {
        const memory = ringAt(start, size);
        const kernel = new OtherSide(memory);
        const mine = new ProducerRing(memory);
        let produced = 0;
        let consumed = 0;
        for (const [wanted, takes] of steps) {
          const room = mine.room(wanted);
          expect(room).toBe(Math.min(wanted, size - (produced - consumed)));
          for (let index = 0; index < room; index += 1) {
            mine.words[(mine.position + index) & mine.mask] = produced + index;
          }
          expect(kernel.used).toBe(produced - consumed);
          mine.submit(room);
          produced += room;
          expect(mine.unconsumed).toBe(produced - consumed);
          for (let take = 0; take < takes; take += 1) {
            const value = kernel.consume();
            expect(value).toBe(consumed < produced ? consumed : undefined);
            if (value !== undefined) consumed += 1;
          }
        }
      }),
    );
  });

  it('knows from the flags whether the kernel must be woken; without flags it always must', () => {
    const memory = ringAt(0, 1);
    expect(new ProducerRing(memory).needsWakeup).toBe(false);
    memory.flags![0] = 1;
    expect(new ProducerRing(memory).needsWakeup).toBe(true);
    expect(new ProducerRing({ ...memory, flags: undefined }).needsWakeup).toBe(true);
  });
});

it('ring sizes are powers of two', () => {
  expect([1, 2, 8, 2048, 2 ** 31].every(isRingSize)).toBe(true);
  expect([0, -1, 3, 6, 1.5, 2047, 2 ** 32].some(isRingSize)).toBe(false);
});
