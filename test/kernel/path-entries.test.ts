import { expect, it, vi } from 'vitest';

import { entryChunks } from '../../src/kernel/map-entries.ts';
import { BpfMap } from '../../src/kernel/map.ts';
import { occupiedEntries } from '../../src/kernel/path-entries.ts';

const lookup = vi.hoisted(() => ({ calls: 0, fails: 0 }));

vi.mock('../../src/ffi/libbpf.ts', async (original) => {
  const { libbpf } = await original<typeof import('../../src/ffi/libbpf.ts')>();
  const failing = (...words: Parameters<typeof libbpf.bpf_map_lookup_elem>): number => {
    lookup.calls += 1;
    return lookup.calls === lookup.fails ? -12 : libbpf.bpf_map_lookup_elem(...words);
  };
  return { libbpf: Object.create(libbpf, { bpf_map_lookup_elem: { value: failing } }) as typeof libbpf };
});

/** BPF_MAP_TYPE_DEVMAP and BPF_MAP_TYPE_DEVMAP_HASH (linux/bpf.h): one is read index by index, one key by key. */
it.each([14, 25])('an entry that cannot be read is not taken for one that is not there (map type %i)', (type) => {
  using map = BpfMap.create({ type, name: 'm', keySize: 4, valueSize: 4, maxEntries: 2, flags: 0 });
  for (const key of [0, 1]) map.update(Uint8Array.of(key, 0, 0, 0), Uint8Array.of(1, 0, 0, 0), 0);
  Object.assign(lookup, { calls: 0, fails: 0 });
  expect([...occupiedEntries(map)]).toHaveLength(2);
  for (const fails of [1, 2]) {
    Object.assign(lookup, { calls: 0, fails });
    expect(() => [...occupiedEntries(map)]).toThrow(expect.objectContaining({ operation: 'map lookup', errno: 12 }));
  }
});

it('is told where that is asked for', () => {
  using map = BpfMap.create({ type: 25, name: 'm', keySize: 4, valueSize: 4, maxEntries: 2, flags: 0 });
  map.update(new Uint8Array(4), Uint8Array.of(1, 0, 0, 0), 0);
  Object.assign(lookup, { calls: 0, fails: 1 });
  expect([...entryChunks(map, { unreadable: true })]).toMatchObject([{ count: 1, errnos: Uint16Array.of(12, 0) }]);
});
