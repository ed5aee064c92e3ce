import { readFileSync } from 'node:fs';

import { expect, it, vi } from 'vitest';

import { LossCounters } from '../../src/kernel/loss-counters.ts';
import { expectNothingNew, kernelState } from '../support/leaks.ts';

const mapped = vi.hoisted(() => ({ calls: 0, fails: 0 }));

vi.mock('../../src/kernel/mapped-map.ts', async (original) => {
  const { MappedMap } = await original<typeof import('../../src/kernel/mapped-map.ts')>();
  return {
    MappedMap: class extends MappedMap {
      constructor(...words: ConstructorParameters<typeof MappedMap>) {
        mapped.calls += 1;
        if (mapped.calls === mapped.fails) throw new Error('ENOMEM');
        super(...words);
      }
    },
  };
});

/** Lines of /proc/self/maps for memory of BPF maps. */
function mappings(): string[] {
  return readFileSync('/proc/self/maps', 'utf8')
    .split('\n')
    .filter((line) => line.includes('bpf-map'));
}

function count(): LossCounters {
  mapped.calls = 0;
  return new LossCounters('losses', ['exception'], { filter: {}, reasons: { names: new Map() } });
}

it('keeps no memory of one map when another cannot be mapped', async () => {
  const untouched = kernelState();
  mapped.fails = 0;
  {
    using _counters = count();
    expect(mappings()).toHaveLength(3);
  }
  expect(mappings()).toEqual([]);
  for (const nth of [1, 2, 3]) {
    mapped.fails = nth;
    expect(count).toThrow('ENOMEM');
    expect(mappings()).toEqual([]);
  }
  await expectNothingNew(untouched);
});
