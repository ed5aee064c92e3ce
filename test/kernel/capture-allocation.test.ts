import { expect, it } from 'vitest';

import { FrameBatch } from '../../src/domain/xsk-frames.ts';
import { CAPTURE_BATCH, CaptureFile } from '../../src/kernel/af-xdp/capture-file.ts';
import { Umem } from '../../src/kernel/af-xdp/umem.ts';

const WINDOW = 100;
/** How long V8 may take to compile the loop, which it does beside it, when it finds a processor. */
const PATIENCE_MS = 30_000;
/** A number that is no small integer takes 12 bytes: less than one for every second frame. */
const ALLOWED = (CAPTURE_BATCH * 12) / 2;

it('frames are written without memory of V8 for each', { timeout: 2 * PATIENCE_MS }, () => {
  using umem = new Umem(CAPTURE_BATCH, 2048);
  using capture = CaptureFile.create('/dev/null', true, umem);
  const batch = new FrameBatch(CAPTURE_BATCH);
  let batches = 0;

  /** What V8's heap grows by in one batch, in bytes. */
  function growth(): number {
    batch.count = CAPTURE_BATCH;
    for (let index = 0; index < CAPTURE_BATCH; index += 1) {
      batch.addresses[index] = index * 2048 + 256;
      batch.lengths[index] = 60 + (index % 4);
    }
    const before = process.memoryUsage().heapUsed;
    const whole = capture.write(batch, 1_700_000_003_000_000 + batches);
    const grown = process.memoryUsage().heapUsed - before;
    expect(whole).toBe(true);
    batches += 1;
    return grown;
  }

  // Code that V8 has not compiled yet allocates for each number, and on a busy machine that takes
  // more batches: what counts is what it comes to.
  const end = performance.now() + PATIENCE_MS;
  let median = Infinity;
  while (median >= ALLOWED && performance.now() < end) {
    const grown = Array.from({ length: WINDOW }, growth).sort((a, b) => a - b);
    median = grown[WINDOW / 2] as number;
  }
  expect(median).toBeLessThan(ALLOWED);
  expect(capture.frames).toBe(batches * CAPTURE_BATCH);
});
