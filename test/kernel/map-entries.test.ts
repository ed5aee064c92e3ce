import { expect, it } from 'vitest';

import { encodeInteger } from '../../src/domain/integer.ts';
import { mapTypeNumber } from '../../src/domain/map-type.ts';
import { entryChunks } from '../../src/kernel/map-entries.ts';
import { BPF_ANY, BpfMap } from '../../src/kernel/map.ts';
import { fixtureName } from '../support/run-id.ts';

const BPF_F_NO_PREALLOC = 1;

it.each(['hash', 'lpm_trie'] as const)('reads a %s of large values in pieces that fit into memory', (type) => {
  using map = BpfMap.create({
    type: mapTypeNumber(type) ?? 0,
    name: fixtureName(),
    keySize: 8,
    valueSize: 2_000_000,
    // Less than 4 GiB: Linux before 5.11 refuses what its bpf_map_charge_init() cannot count in 32 bits.
    maxEntries: 2000,
    flags: BPF_F_NO_PREALLOC,
  });
  const keys = [8, 16, 24, 32];
  for (const key of keys) map.update(encodeInteger(key, 8), new Uint8Array(2_000_000).fill(key), BPF_ANY);
  const seen: number[][] = [];
  for (const { count, keys: bytes, values } of entryChunks(map)) {
    expect(values.length).toBeLessThanOrEqual(4 << 20);
    for (let index = 0; index < count; index += 1) seen.push([bytes[8 * index] ?? 0, values[2_000_000 * index] ?? 0]);
  }
  expect(seen.toSorted(([a = 0], [b = 0]) => a - b)).toEqual(keys.map((key) => [key, key]));
});
