import { fstatSync, readdirSync } from 'node:fs';

import { afterEach, expect, it, vi } from 'vitest';

import { NamespaceSet } from '../../src/kernel/namespaces.ts';
import { createWorld } from '../support/world.ts';

vi.mock('node:fs', async (original) => {
  const real = await original<typeof import('node:fs')>();
  return { ...real, fstatSync: vi.fn<typeof fstatSync>(real.fstatSync) };
});

afterEach(() => void vi.mocked(fstatSync).mockReset());

function descriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

it('none is left open when one of them cannot be looked at', async () => {
  using world = createWorld();
  world.namespace();
  const before = descriptors();
  {
    using set = new NamespaceSet();
    expect(set.list.length).toBeGreaterThan(1);
    expect(descriptors()).toBe(before + set.list.length);
  }
  vi.mocked(fstatSync).mockImplementationOnce(() => {
    throw new Error('EIO');
  });
  expect(() => new NamespaceSet()).toThrow('EIO');
  expect(descriptors()).toBe(before);
  // The first one is already open then.
  const { fstatSync: real } = await vi.importActual<typeof import('node:fs')>('node:fs');
  vi.mocked(fstatSync)
    .mockImplementationOnce(real)
    .mockImplementationOnce(() => {
      throw new Error('ENOMEM');
    });
  expect(() => new NamespaceSet()).toThrow('ENOMEM');
  expect(descriptors()).toBe(before);
});
