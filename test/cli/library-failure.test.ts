import { describe, expect, it } from 'vitest';

import { toToolError } from '../../src/cli/to-tool-error.ts';
import { canLoad, LibraryError } from '../../src/ffi/koffi.ts';

/** What koffi says when the dynamic loader fails. */
function loaderError(text: string): LibraryError {
  return new LibraryError('libbpf.so.1', undefined, new Error(`Failed to load shared library: ${text}`));
}

describe('a libbpf that cannot be loaded', () => {
  it.each([
    'cannot open shared object file: No such file or directory',
    'Error loading shared library libbpf.so.1: No such file or directory',
  ])('is missing: %s', (reason) => {
    expect(toToolError(loaderError(reason))).toMatchObject({
      kind: 'unsupported',
      message: expect.stringMatching(/^libbpf\.so\.1 cannot be loaded: libbpf 1\.0 or newer is required/) as string,
      hint: expect.stringContaining('apt install libbpf1') as string,
    });
  });

  it.each([
    'libelf.so.1: cannot open shared object file: No such file or directory',
    "/lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.38' not found (required by /opt/libbpf.so.1)",
    'Error loading shared library libelf.so.1: No such file or directory (needed by /usr/lib/libbpf.so.1)',
    '/usr/lib/libbpf.so.1: file too short',
  ])('is here, and the reason is told: %s', (reason) => {
    expect(toToolError(loaderError(reason))).toMatchObject({
      kind: 'unsupported',
      message: `libbpf.so.1 is here, but cannot be loaded: ${reason}`,
      hint: expect.stringContaining('apt install libbpf1') as string,
    });
  });

  it('is too old where a function is missing', () => {
    const error = toToolError(new LibraryError('libbpf.so.1', 'bpf_map_create', new Error('Cannot find function')));
    expect(error).toMatchObject({
      kind: 'unsupported',
      message: expect.stringContaining('no function bpf_map_create') as string,
    });
  });
});

describe('koffi', () => {
  it('tells whether a library can be loaded', () => {
    expect(['libc.so.6', 'libc.musl-x86_64.so.1'].some(canLoad)).toBe(true);
    expect(canLoad('libno-such-library.so.1')).toBe(false);
  });
});
