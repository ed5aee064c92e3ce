import { expect, it } from 'vitest';

import { FrameBatch } from '../../src/domain/xsk-frames.ts';
import { CAPTURE_BATCH, CaptureFile } from '../../src/kernel/af-xdp/capture-file.ts';
import { Umem } from '../../src/kernel/af-xdp/umem.ts';

it('frames are written without memory of V8 for each', () => {
  using umem = new Umem(CAPTURE_BATCH, 2048);
  using capture = CaptureFile.create('/dev/null', true, umem);
  const batch = new FrameBatch(CAPTURE_BATCH);
  const differences: number[] = [];
  for (let time = 0; time < 600; time += 1) {
    batch.count = CAPTURE_BATCH;
    for (let index = 0; index < CAPTURE_BATCH; index += 1) {
      batch.addresses[index] = index * 2048 + 256;
      batch.lengths[index] = 60 + (index % 4);
    }
    const before = process.memoryUsage().heapUsed;
    const whole = capture.write(batch, 400_000, 3_000_000_000 + time);
    differences.push(process.memoryUsage().heapUsed - before);
    expect(whole).toBe(true);
  }
  expect(capture.frames).toBe(600 * CAPTURE_BATCH);
  const each = differences.slice(300).sort((a, b) => a - b)[150];
  // A number that is no small integer takes 12 bytes.
  expect(each).toBeLessThan((CAPTURE_BATCH * 12) / 2);
});
