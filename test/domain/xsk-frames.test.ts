import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { FrameBatch, FrameFlow } from '../../src/domain/xsk-frames.ts';
import { ConsumerRing, ProducerRing, type RingMemory } from '../../src/domain/xsk-ring.ts';

const FRAME_SIZE = 2048;
const HEADROOM = 256;

function ringAt(start: number, size: number, words: number): RingMemory {
  return {
    producer: Uint32Array.of(start),
    consumer: Uint32Array.of(start),
    flags: Uint32Array.of(0),
    words: new Uint32Array(size * words),
    size,
  };
}

function used({ producer, consumer }: RingMemory): number {
  return (producer[0]! - consumer[0]!) >>> 0;
}

interface World {
  readonly frames: number;
  readonly sizes: { readonly rx: number; readonly fill: number; readonly tx: number; readonly completion: number };
  readonly start: number;
}

/** The kernel's side of the four rings, in the plainest words: what comes, what is sent, what is lost. */
class Kernel {
  readonly rings: Record<'rx' | 'fill' | 'tx' | 'completion', RingMemory>;
  readonly bytes: Uint8Array;
  readonly flow: FrameFlow;
  readonly #frames: number;
  readonly #sending: number[] = [];
  delivered = 0;
  lost = 0;
  lengths = 0;
  readonly transmitted: number[][] = [];

  constructor({ frames, sizes, start }: World) {
    this.#frames = frames;
    this.rings = {
      rx: ringAt(start, sizes.rx, 4),
      fill: ringAt(start, sizes.fill, 2),
      tx: ringAt(start, sizes.tx, 4),
      completion: ringAt(start, sizes.completion, 2),
    };
    this.bytes = new Uint8Array(frames * FRAME_SIZE);
    this.flow = new FrameFlow(
      {
        rx: new ConsumerRing(this.rings.rx),
        fill: new ProducerRing(this.rings.fill),
        tx: new ProducerRing(this.rings.tx),
        completion: new ConsumerRing(this.rings.completion),
      },
      { bytes: this.bytes, frames, frameSize: FRAME_SIZE, chunkMask: ~(FRAME_SIZE - 1) },
    );
  }

  /** A frame arrives: a chunk from the fill ring goes into the RX ring, or the frame is lost. */
  deliver(): void {
    const { fill, rx } = this.rings;
    if (used(fill) === 0 || used(rx) === rx.size) {
      this.lost += 1;
      return;
    }
    const chunk = fill.words[(fill.consumer[0]! % fill.size) * 2]!;
    fill.consumer[0]! += 1;
    const length = 14 + (this.delivered % 50);
    this.bytes.set([1, 1, 1, 1, 1, this.delivered % 256, 2, 2, 2, 2, 2, 2], chunk + HEADROOM);
    rx.words.set([chunk + HEADROOM, 0, length, 0], (rx.producer[0]! % rx.size) * 4);
    rx.producer[0]! += 1;
    this.delivered += 1;
    this.lengths += length;
  }

  /** The driver takes a frame from the TX ring. */
  transmit(): void {
    const { tx } = this.rings;
    if (used(tx) === 0) return;
    const [address = 0, high, length] = tx.words.subarray((tx.consumer[0]! % tx.size) * 4);
    tx.consumer[0]! += 1;
    if (high !== 0 || length === 0) throw new Error(`a descriptor with ${high}, ${length}`);
    this.transmitted.push([...this.bytes.subarray(address, address + 12)]);
    this.#sending.push(address);
  }

  /** A frame has left. */
  complete(): void {
    const { completion } = this.rings;
    if (this.#sending.length === 0 || used(completion) === completion.size) return;
    completion.words.set([this.#sending.shift()!, 0], (completion.producer[0]! % completion.size) * 2);
    completion.producer[0]! += 1;
  }

  /** Every chunk must be in exactly one place; what is wrong, else undefined. */
  fault(held: readonly FrameBatch[]): string | undefined {
    if (Object.values(this.rings).some((ring) => used(ring) > ring.size)) return 'a ring is overfull';
    const addresses = [
      ...entries(this.rings.fill, 2),
      ...entries(this.rings.rx, 4),
      ...entries(this.rings.tx, 4),
      ...entries(this.rings.completion, 2),
      ...this.#sending,
      ...held.flatMap((batch) => [...batch.addresses.subarray(0, batch.count)]),
    ];
    const chunks = addresses.map((address) => Math.floor(address / FRAME_SIZE));
    if (new Set(chunks).size !== chunks.length) return 'a chunk is in two places';
    return chunks.length + this.flow.free === this.#frames ? undefined : 'a chunk is lost';
  }
}

function entries(ring: RingMemory, words: number): number[] {
  return Array.from({ length: used(ring) }, (_, index) => {
    return ring.words[((ring.consumer[0]! + index) % ring.size) * words]!;
  });
}

const power = (most: number): fc.Arbitrary<number> =>
  fc.integer({ min: 0, max: most }).map((exponent) => 2 ** exponent);
const world: fc.Arbitrary<World> = fc.record({
  frames: fc.integer({ min: 1, max: 40 }),
  sizes: fc.record({ rx: power(5), fill: power(5), tx: power(4), completion: power(5) }),
  start: fc.oneof(fc.integer({ min: 0xffff_fff0, max: 0xffff_ffff }), fc.nat(0xffff_ffff)),
});

type Step = readonly [
  'deliver' | 'transmit' | 'complete' | 'discard' | 'take' | 'giveBack' | 'sendBack' | 'reap',
  number,
];
const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.tuple(
    fc.constantFrom('deliver', 'transmit', 'complete', 'discard', 'take', 'giveBack', 'sendBack', 'reap'),
    fc.integer({ min: 0, max: 20 }),
  ),
  { maxLength: 100 },
);

describe('the flow of frames', () => {
  it('loses no chunk, gives none away twice, and overfills no ring, whatever happens in which order', () => {
    fc.assert(
      fc.property(world, steps, (description, list) => {
        const kernel = new Kernel(description);
        const { flow } = kernel;
        const held: FrameBatch[] = [];
        let taken = 0;
        let excess = 0;
        expect(kernel.fault(held)).toBeUndefined();
        for (const [what, count] of list) {
          const times = (act: () => void): void => {
            for (let time = 0; time < count; time += 1) act();
          };
          switch (what) {
            case 'deliver':
              times(() => kernel.deliver());
              break;
            case 'transmit':
              times(() => kernel.transmit());
              break;
            case 'complete':
              times(() => kernel.complete());
              break;
            case 'discard':
              taken += flow.discard(count);
              break;
            case 'take': {
              const batch = new FrameBatch(8);
              taken += flow.take(batch, count);
              excess = Math.max(excess, batch.count - Math.min(8, count));
              held.push(batch);
              break;
            }
            case 'giveBack': {
              const batch = held.shift();
              if (batch !== undefined) flow.giveBack(batch);
              break;
            }
            case 'sendBack': {
              const batch = held[0];
              if (batch === undefined || flow.sendable(batch.count) < batch.count) break;
              held.shift();
              flow.sendBack(batch);
              break;
            }
            case 'reap':
              flow.reap();
          }
          expect(kernel.fault(held)).toBeUndefined();
          expect(flow.frames).toBe(taken);
          expect(taken).toBeLessThanOrEqual(kernel.delivered);
        }
        for (let got = flow.discard(64); got > 0; got = flow.discard(64)) taken += got;
        expect(taken).toBe(kernel.delivered);
        expect(excess).toBeLessThanOrEqual(0);
        expect(flow.bytes).toBe(kernel.lengths);
        expect(kernel.fault(held)).toBeUndefined();
      }),
      { numRuns: 300 },
    );
  });

  it('goes on for ever with one chunk', () => {
    const kernel = new Kernel({ frames: 1, sizes: { rx: 1, fill: 1, tx: 1, completion: 1 }, start: 0xffff_fffe });
    const batch = new FrameBatch(1);
    for (let round = 0; round < 1000; round += 1) {
      kernel.deliver();
      expect(kernel.flow.take(batch, 9)).toBe(1);
      expect(kernel.flow.sendable(9)).toBe(1);
      kernel.flow.sendBack(batch);
      kernel.transmit();
      kernel.complete();
      expect(kernel.flow.reap()).toBe(1);
    }
    expect(kernel).toMatchObject({ delivered: 1000, lost: 0 });
    expect(kernel.flow).toMatchObject({ frames: 1000, sent: 1000 });
  });

  it('sends frames back with source and destination exchanged', () => {
    const kernel = new Kernel({ frames: 4, sizes: { rx: 4, fill: 4, tx: 4, completion: 4 }, start: 0 });
    const batch = new FrameBatch(4);
    for (let index = 0; index < 3; index += 1) kernel.deliver();
    kernel.flow.take(batch, 4);
    kernel.flow.sendBack(batch);
    expect(kernel.flow).toMatchObject({ sent: 0, unsent: 3 });
    for (let index = 0; index < 3; index += 1) {
      kernel.transmit();
      expect(kernel.flow).toMatchObject({ sent: index + 1, unsent: 2 - index });
    }
    expect(kernel.transmitted).toEqual([0, 1, 2].map((number) => [2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, number]));
  });
});
