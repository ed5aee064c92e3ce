import { fstatSync, readdirSync } from 'node:fs';

import { expect, it, vi } from 'vitest';

import { CaptureFile } from '../../src/kernel/af-xdp/capture-file.ts';
import { Umem } from '../../src/kernel/af-xdp/umem.ts';

vi.mock('node:fs', async (original) => {
  const real = await original<typeof import('node:fs')>();
  return { ...real, fstatSync: vi.fn<typeof fstatSync>(real.fstatSync) };
});

it('a device that cannot be looked at is not kept open', () => {
  using umem = new Umem(4, 2048);
  const before = readdirSync('/proc/self/fd');
  vi.mocked(fstatSync).mockImplementationOnce(() => {
    throw new Error('EIO');
  });
  expect(() => CaptureFile.create('/dev/null', true, umem)).toThrow('EIO');
  expect(readdirSync('/proc/self/fd')).toEqual(before);
});
