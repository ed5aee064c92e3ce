import { fstatSync, openSync, readdirSync } from 'node:fs';

import { afterEach, expect, it, vi } from 'vitest';

import { NamespaceSet } from '../../src/kernel/namespaces.ts';
import { createWorld } from '../support/world.ts';

vi.mock('node:fs', async (original) => {
  const real = await original<typeof import('node:fs')>();
  return {
    ...real,
    fstatSync: vi.fn<typeof fstatSync>(real.fstatSync),
    openSync: vi.fn<typeof openSync>(real.openSync),
  };
});

afterEach(() => {
  vi.mocked(fstatSync).mockReset();
  vi.mocked(openSync).mockReset();
});

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

/** How many can be held open. */
function opened(): number {
  using set = new NamespaceSet();
  return set.list.length;
}

function failure(code: string): Error {
  return Object.assign(new Error(code), { code });
}

it('leaves out what may not be opened or has gone, and nothing for want of descriptors', () => {
  using world = createWorld();
  world.namespace();
  const before = descriptors();
  const { openSync: open } = vi.mocked({ openSync });
  const all = opened();
  const failingOnce = (code: string): void => {
    open.mockImplementationOnce(() => {
      throw failure(code);
    });
  };
  for (const code of ['EACCES', 'ENOENT']) {
    failingOnce(code);
    expect(opened()).toBe(all - 1);
  }
  for (const code of ['EMFILE', 'ENFILE', 'ENOMEM']) {
    failingOnce(code);
    expect(opened).toThrow(code);
  }
  expect(descriptors()).toBe(before);
});
