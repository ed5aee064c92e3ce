import { createRequire } from 'node:module';

import { describe, expect, it } from 'vitest';

import { bindLibrary, koffi, LibraryError } from '../../src/ffi/koffi.ts';

describe('koffi', () => {
  it.each(['address', 'errno', 'load', 'pointer', 'proto', 'register', 'view'] as const)(
    'has %s, however it was loaded',
    (name) => {
      expect(typeof koffi()[name]).toBe('function');
    },
  );

  it('is the version that its package says', () => {
    const { version } = createRequire(import.meta.filename)('../../node_modules/koffi/package.json') as {
      version: string;
    };
    expect(koffi()).toHaveProperty('version', version);
  });
});

describe('a bound library', () => {
  const libc = bindLibrary<{ getpid(): number; no_such_function(): number }>(null, {
    getpid: ['int', []],
    no_such_function: ['int', []],
  });

  it('binds a function when it is first used, and only then', () => {
    expect(Object.keys(libc)).toEqual([]);
    expect(libc.getpid()).toBe(process.pid);
    expect(Object.keys(libc)).toEqual(['getpid']);
    expect(libc.getpid).toBe(libc.getpid);
  });

  it('names a function that is missing', () => {
    expect(() => libc.no_such_function()).toThrow(new LibraryError('libc', 'no_such_function', undefined));
    expect(libc).toBeInstanceOf(Object);
  });

  it('names a library that is missing', () => {
    const nowhere = bindLibrary<{ f(): void }>('libno-such-library.so.1', { f: ['void', []] });
    expect(() => nowhere.f()).toThrow(new LibraryError('libno-such-library.so.1', undefined, undefined));
  });
});
