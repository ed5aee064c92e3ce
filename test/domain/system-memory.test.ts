import { expect, it } from 'vitest';

import type { LiveMap, LiveProgram, LiveSystem } from '../../src/domain/live-system.ts';
import { remembering } from '../../src/domain/system-memory.ts';

/** A system with a program of each id, and a map of each id that it uses. */
function system(programs: readonly LiveProgram[], maps: readonly LiveMap[] = []): LiveSystem {
  return {
    kernel: { major: 6, minor: 1 },
    cpus: 1,
    offlineCpus: [],
    devices: [],
    programs: new Map(programs.map((each) => [each.id, each])),
    maps: new Map(maps.map((each) => [each.id, each])),
    links: [],
  };
}

function program(id: number, ...mapIds: readonly number[]): LiveProgram {
  return { id, name: `p${id}`, mapIds };
}

function map(id: number, ...progIds: readonly number[]): LiveMap {
  return {
    id,
    type: 'devmap',
    maxEntries: 8,
    pinned: [],
    entries: progIds.map((progId, key) => ({ key, progId })),
  };
}

/** The ids after looks at one system after the other. */
function after(looks: readonly LiveSystem[], counts: readonly { progId?: number; mapId?: number }[]): number[][] {
  let [last = system([])] = looks;
  let known = last;
  for (const now of looks.slice(1)) {
    known = remembering(now, known, last, counts);
    last = now;
  }
  return [known.programs, known.maps].map((each) => [...each.keys()].toSorted((a, b) => a - b));
}

it('what comes and goes is forgotten after one more look', () => {
  const looks = Array.from({ length: 100 }, (_, id) => system([program(id, id)], [map(id)]));
  expect(after(looks, [])).toEqual([
    [98, 99],
    [98, 99],
  ]);
});

it('what a count names stays known, with what belongs to it', () => {
  const looks = [system([program(1, 11), program(2)], [map(11, 2), map(12)]), system([]), system([]), system([])];
  expect(after(looks, [{ progId: 1 }])).toEqual([[1, 2], [11]]);
  expect(after(looks, [{ mapId: 12 }])).toEqual([[], [12]]);
  expect(after(looks, [{ progId: 7, mapId: 0x7fff_ffff }])).toEqual([[], []]);
});

it('what is there is what it is now', () => {
  const known = remembering(system([program(1, 5)]), system([program(1)]), system([program(1)]), [{ progId: 1 }]);
  expect(known.programs.get(1)?.mapIds).toEqual([5]);
});
