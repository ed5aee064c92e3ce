import { describe, expect, it } from 'vitest';

import { countingFilter } from '../../src/domain/counting-filter.ts';
import { devmap, netns, program, r0, r1, router } from './support/router.ts';

const withEgress = { ...devmap, entries: [{ key: 0, ifindex: 20_102, progId: 300 }] };
const cpumap = { id: 35, type: 'cpumap', maxEntries: 2, pinned: [], entries: [{ key: 1, progId: 400 }] };
const lone = { ...r1, ifindex: 9, ifname: 'lone' };
const system = router({
  devices: [r0, r1, lone, { ...r0, ifindex: 7, ifname: 'cpu0', progIds: [117] }],
  programs: [program, { id: 117, mapIds: [35] }, { id: 300, mapIds: [] }, { id: 400, mapIds: [33] }],
  maps: [withEgress, cpumap],
});

describe('what is counted so that what is asked for is explained', () => {
  it.each([
    ['everything where nothing is asked for', {}, {}],
    [
      'the targets of a device, as xdp_exception names them',
      { ifindexes: [20_101], netns: 1 },
      { ifindexes: [20_101, 20_102], netns: 1 },
    ],
    ['also those of a program in a cpumap entry', { ifindexes: [7], netns: 1 }, { ifindexes: [7, 20_102], netns: 1 }],
    ['a target alone', { ifindexes: [20_102], netns: 1 }, { ifindexes: [20_102], netns: 1 }],
    ['all devices, where nothing leads to the one asked for or from it yet', { ifindexes: [9], netns: 1 }, {}],
    ['the programs in the entries of the maps of a program', { progIds: [116] }, { progIds: [116, 300] }],
    ['also those behind a cpumap', { progIds: [117] }, { progIds: [117, 400, 300] }],
    ['the maps of the programs in the entries of a map', { mapIds: [35] }, { mapIds: [35, 33] }],
    ['a program that is not known', { progIds: [1] }, { progIds: [1] }],
  ])('%s', (_title, asked, counted) => {
    expect(countingFilter(asked, system)).toEqual(counted);
  });

  it('devices of any namespace, where an entry leads into another one', () => {
    const elsewhere = router({ devices: [r0, { ...r1, netns: netns.d }], maps: [withEgress] });
    expect(countingFilter({ ifindexes: [20_101], netns: 1 }, elsewhere)).toEqual({ ifindexes: [20_101, 20_102] });
  });
});
