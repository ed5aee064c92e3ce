import { describe, expect, it } from 'vitest';

import { FrameBatch, FrameFlow } from '../../src/domain/xsk-frames.ts';
import { ConsumerRing, ProducerRing, type RingMemory } from '../../src/domain/xsk-ring.ts';

const FRAMES = 4096;
const FRAME_SIZE = 2048;
/** Frames that the kernel delivers at once. */
const ROUND = 1024;
/** The smallest thing that V8 can allocate takes 12 bytes: a number that is no small integer. */
const SMALLEST = 12;

function ring(words: number): RingMemory {
  // Just before 32-bit indexes become negative, where a number could begin to need memory.
  const start = 0x7fff_ff00;
  return {
    producer: Uint32Array.of(start),
    consumer: Uint32Array.of(start),
    flags: Uint32Array.of(0),
    words: new Uint32Array(FRAMES * words),
    size: FRAMES,
  };
}

/** The kernel's side: it allocates nothing either. */
class Traffic {
  readonly #rings = { rx: ring(4), fill: ring(2), tx: ring(4), completion: ring(2) };
  readonly flow = new FrameFlow(
    {
      rx: new ConsumerRing(this.#rings.rx),
      fill: new ProducerRing(this.#rings.fill),
      tx: new ProducerRing(this.#rings.tx),
      completion: new ConsumerRing(this.#rings.completion),
    },
    { bytes: new Uint8Array(FRAMES * FRAME_SIZE), frames: FRAMES, frameSize: FRAME_SIZE, chunkMask: ~(FRAME_SIZE - 1) },
  );

  deliver(count: number): void {
    const { rx, fill } = this.#rings;
    for (let index = 0; index < count; index += 1) {
      const slot = ((rx.producer[0]! + index) % FRAMES) * 4;
      rx.words[slot] = fill.words[((fill.consumer[0]! + index) % FRAMES) * 2]! + 256;
      rx.words[slot + 2] = 60;
    }
    fill.consumer[0]! += count;
    rx.producer[0]! += count;
  }

  transmit(count: number): void {
    const { tx, completion } = this.#rings;
    for (let index = 0; index < count; index += 1) {
      const from = tx.words[((tx.consumer[0]! + index) % FRAMES) * 4]!;
      completion.words[((completion.producer[0]! + index) % FRAMES) * 2] = from;
    }
    tx.consumer[0]! += count;
    completion.producer[0]! += count;
  }
}

/** Bytes that V8 allocates in doing something again and again, each time; the median, because it cleans up now and then. */
function allocatedBy(act: () => void): number {
  const differences: number[] = [];
  for (let time = 0; time < 400; time += 1) {
    const before = process.memoryUsage().heapUsed;
    act();
    differences.push(process.memoryUsage().heapUsed - before);
  }
  // The first ones are spent on compiling.
  return differences.slice(200).sort((a, b) => a - b)[100] ?? Infinity;
}

describe('frames', () => {
  it('are counted and given back without memory for each', () => {
    const traffic = new Traffic();
    const each = allocatedBy(() => {
      traffic.deliver(ROUND);
      while (traffic.flow.discard(64) > 0);
    });
    expect(traffic.flow.frames).toBe(400 * ROUND);
    expect(each).toBeLessThan((ROUND * SMALLEST) / 4);
  });

  it('are taken and sent back without memory for each', () => {
    const traffic = new Traffic();
    const batch = new FrameBatch(64);
    const each = allocatedBy(() => {
      traffic.deliver(ROUND);
      while (traffic.flow.take(batch, traffic.flow.sendable(64)) > 0) traffic.flow.sendBack(batch);
      traffic.transmit(ROUND);
      traffic.flow.reap();
    });
    expect(traffic.flow).toMatchObject({ frames: 400 * ROUND, sent: 400 * ROUND });
    expect(each).toBeLessThan((ROUND * SMALLEST) / 4);
  });

  it('would be noticed if they took memory', () => {
    const traffic = new Traffic();
    let kept: unknown;
    const each = allocatedBy(() => {
      traffic.deliver(ROUND);
      while (traffic.flow.discard(1) > 0) kept = { frames: traffic.flow.frames };
    });
    expect(kept).toBeDefined();
    expect(each).toBeGreaterThan(ROUND * SMALLEST);
  });
});
