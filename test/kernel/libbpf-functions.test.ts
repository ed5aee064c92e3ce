import { describe, expect, it } from 'vitest';

import { bindLibrary } from '../../src/ffi/koffi.ts';
import { libbpfSignatures, type Pointer } from '../../src/ffi/libbpf.ts';

/** The symbol versions of libbpf up to the first with the name libbpf.so.1 (libbpf.map). */
const versionsTo10 = [
  ...[1, 2, 3, 4, 5, 6, 7, 8, 9].map((patch) => `LIBBPF_0.0.${patch}`),
  ...[1, 2, 3, 4, 5, 6, 7, 8].map((minor) => `LIBBPF_0.${minor}.0`),
  'LIBBPF_1.0.0',
];

const RTLD_NOW = 2;

interface Loader {
  dlopen(file: string, flags: number): Pointer;
  dlvsym(library: Pointer, name: string, version: string): Pointer;
}

describe('libbpf', () => {
  const loader = bindLibrary<Loader>(null, {
    dlopen: ['void *', ['str', 'int']],
    dlvsym: ['void *', ['void *', 'str', 'str']],
  });
  const library = loader.dlopen('libbpf.so.1', RTLD_NOW);

  it.each(Object.keys(libbpfSignatures))('has had %s since 1.0 or longer', (name) => {
    expect(versionsTo10.filter((version) => loader.dlvsym(library, name, version) !== null)).not.toEqual([]);
  });

  it('has younger ones that would be found out', () => {
    const found = versionsTo10.filter(
      (version) => loader.dlvsym(library, 'bpf_map_get_fd_by_id_opts', version) !== null,
    );
    expect(found).toEqual([]);
  });
});
