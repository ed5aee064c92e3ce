import { describe, expect, it } from 'vitest';

import type { DropCounter } from '../../src/domain/drop-counter.ts';
import { type DropFilter, isAskedFor, isFlowAskedFor } from '../../src/domain/drop-filter.ts';
import { devmap, program, r0, r1, router } from './support/router.ts';

const refused: DropCounter = {
  event: 'xdp_devmap_xmit',
  field: 'drops',
  count: 1,
  fromIfindex: 20_101,
  toIfindex: 20_102,
  errno: 6,
};
const enqueue: DropCounter = { event: 'xdp_cpumap_enqueue', field: 'drops', count: 1, mapId: 35, cpu: 0, toCpu: 1 };
const aborted: DropCounter = { event: 'xdp_exception', count: 1, fromIfindex: 20_101, progId: 116, action: 0 };
const cpumap = { id: 35, type: 'cpumap', maxEntries: 2, pinned: [], entries: [{ key: 1, progId: 300 }] };
const system = router({
  devices: [r0, r1, { ...r1, ifindex: 9, ifname: 'cpu0', progIds: [117] }],
  programs: [program, { id: 117, mapIds: [35] }, { id: 300, mapIds: [] }],
  maps: [devmap, cpumap],
});

describe('which counters are asked for', () => {
  it('all of them without a filter, or with empty lists', () => {
    expect(isAskedFor(refused, {}, system)).toBe(true);
    expect(isAskedFor(refused, { ifindexes: [], progIds: [], mapIds: [] }, system)).toBe(true);
  });

  it.each([
    [20_101, true],
    [20_102, true],
    [9, false],
  ])('by device %i, as origin or target: %s', (ifindex, asked) => {
    expect(isAskedFor(refused, { ifindexes: [ifindex] }, system)).toBe(asked);
  });

  it('by device, where the event only names a map: the one that a program on the device uses', () => {
    expect(isAskedFor(enqueue, { ifindexes: [9] }, system)).toBe(true);
    expect(isAskedFor(enqueue, { ifindexes: [20_101] }, system)).toBe(false);
    expect(isAskedFor(enqueue, { ifindexes: [77] }, system)).toBe(true);
  });

  it('by program, where the event only names devices or a map', () => {
    expect(isAskedFor(aborted, { progIds: [116] }, system)).toBe(true);
    expect(isAskedFor(aborted, { progIds: [117] }, system)).toBe(false);
    expect(isAskedFor(refused, { progIds: [116] }, system)).toBe(true);
    expect(isAskedFor(refused, { progIds: [117] }, system)).toBe(false);
    expect(isAskedFor(enqueue, { progIds: [117] }, system)).toBe(true);
    expect(isAskedFor(enqueue, { progIds: [300] }, system)).toBe(true);
    expect(isAskedFor(enqueue, { progIds: [116] }, system)).toBe(false);
  });

  it('by map, where the event names only a program or devices', () => {
    expect(isAskedFor(enqueue, { mapIds: [35] }, system)).toBe(true);
    expect(isAskedFor(enqueue, { mapIds: [33] }, system)).toBe(false);
    expect(isAskedFor(aborted, { mapIds: [33] }, system)).toBe(true);
    expect(isAskedFor(aborted, { mapIds: [35] }, system)).toBe(false);
    expect(isAskedFor(refused, { mapIds: [33] }, system)).toBe(true);
    expect(isAskedFor(refused, { mapIds: [35] }, system)).toBe(false);
    expect(isAskedFor({ ...aborted, progId: 300 }, { mapIds: [35] }, system)).toBe(true);
  });

  it('a failed look-up, which has lost its map, belongs to the maps of its program', () => {
    const stale: DropCounter = { ...aborted, event: 'xdp_redirect_err', mapId: 2_147_483_647, errno: 22 };
    expect(isAskedFor(stale, { mapIds: [33] }, system)).toBe(true);
    expect(isAskedFor(stale, { mapIds: [35] }, system)).toBe(false);
  });

  it('the egress program’s exception, which names only the target, by the report of the driver about the same frames', () => {
    const illegal: DropCounter = { event: 'xdp_exception', count: 1, fromIfindex: 20_102, progId: 300, action: 3 };
    const quiet: DropCounter = { ...refused, errno: 0 };
    const egress = router({
      devices: [r0, r1, { ...r0, ifindex: 9, ifname: 'r9', progIds: [117] }],
      programs: [program, { id: 117, mapIds: [34] }, { id: 300, mapIds: [] }],
      maps: [
        { ...devmap, entries: [{ key: 0, ifindex: 20_102, progId: 300 }] },
        { ...devmap, id: 34, entries: [] },
      ],
    });
    const asked = (filter: DropFilter, double?: DropCounter): boolean => isAskedFor(illegal, filter, egress, double);
    for (const double of [quiet, undefined]) {
      for (const ifindex of [20_101, 20_102]) expect(asked({ ifindexes: [ifindex] }, double)).toBe(true);
      expect(asked({ ifindexes: [9] }, double)).toBe(false);
      for (const id of [116, 300]) expect(asked({ progIds: [id] }, double)).toBe(true);
      expect(asked({ progIds: [117] }, double)).toBe(false);
      expect(asked({ mapIds: [33] }, double)).toBe(true);
      expect(asked({ mapIds: [34] }, double)).toBe(false);
    }
    // Frames of another device, through the same entry.
    expect(asked({ ifindexes: [20_101] }, { ...quiet, fromIfindex: 9 })).toBe(false);
  });

  it('redirected frames, of which only the sum is told', () => {
    const flow = { kind: 'redirected', count: 1, fromIfindex: 20_101, netns: 1, progId: 116, mapId: 33 } as const;
    expect(isFlowAskedFor(flow, {})).toBe(true);
    expect(isFlowAskedFor(flow, { ifindexes: [20_101], netns: 1, progIds: [116], mapIds: [33] })).toBe(true);
    expect(isFlowAskedFor(flow, { ifindexes: [20_102] })).toBe(false);
    expect(isFlowAskedFor(flow, { ifindexes: [20_101], netns: 2 })).toBe(false);
    expect(isFlowAskedFor(flow, { progIds: [117] })).toBe(false);
    expect(isFlowAskedFor(flow, { mapIds: [35] })).toBe(false);
  });

  it('all lists must agree', () => {
    expect(isAskedFor(aborted, { ifindexes: [20_101], progIds: [116], mapIds: [33] }, system)).toBe(true);
    expect(isAskedFor(aborted, { ifindexes: [20_101], progIds: [117] }, system)).toBe(false);
  });
});
