import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { DropFilter } from '../../src/domain/drop-filter.ts';
import {
  dropCounters,
  encodeLossesConfig,
  flowCounters,
  framesWithoutRoom,
  LOSS_SIZE,
  readLossRecords,
  slotsPerCpu,
  sumOfLosses,
} from '../../src/domain/loss-record.ts';

const reasons = { names: new Map([[11, 'UDP_CSUM']]), unspecified: 2, socket: 11 };

/** An array of two CPUs with four slots each, and what is in some of them: struct loss, in words. */
function memory(slots: Readonly<Record<number, readonly number[]>>): Uint32Array {
  const words = new Uint32Array((2 * slotsPerCpu(4) * LOSS_SIZE) / 4);
  for (const [slot, loss] of Object.entries(slots)) words.set(loss, (Number(slot) * LOSS_SIZE) / 4);
  return words;
}

function drops(slots: Readonly<Record<number, readonly number[]>>) {
  return dropCounters(readLossRecords(memory(slots), slotsPerCpu(4)), reasons);
}

describe('the records of lost frames', () => {
  it('are read of every CPU', () => {
    const error = [1, 100, 7, 200, 8, 116, 33, 4, 95, 0, 0, 0, 50, 0];
    expect(drops({ 2: error, 8: error })).toEqual(
      [0, 1].map((cpu) => ({
        event: 'xdp_redirect_err',
        count: 50,
        fromIfindex: 7,
        netns: 100,
        toIfindex: 8,
        toNetns: 200,
        progId: 116,
        mapId: 33,
        mapIndex: 4,
        errno: 95,
        cpu,
      })),
    );
  });

  it('become the counters that other tracers give', () => {
    expect(
      drops({
        0: [2, 100, 7, 0, 0, 116, 0, 0, 42, 0, 0, 0, 1, 0],
        1: [3, 100, 7, 200, 8, 0, 0, 0, 6, 0, 0, 0, 2, 0],
        2: [4, 0, 0, 0, 0, 0, 35, 0, 0, 1, 0, 0, 3, 0],
        3: [5, 0, 0, 0, 0, 0, 35, 0, 0, 1, 0, 0, 4, 0],
        5: [6, 0, 0, 0, 0, 0, 35, 0, 0, 1, 0, 0, 5, 0],
        6: [7, 100, 7, 0, 0, 0, 0, 0, 6, 0, 0, 0, 6, 0],
        7: [8, 100, 9, 0, 0, 0, 0, 0, 11, 0, 0, 0, 7, 0],
        8: [8, 0, 9, 0, 0, 0, 0, 0, 2, 0, 0x89ab_cdef, 0xffff_ffff, 8, 0],
      }),
    ).toEqual([
      { event: 'xdp_exception', count: 1, fromIfindex: 7, netns: 100, progId: 116, action: 42, cpu: 0 },
      {
        event: 'xdp_devmap_xmit',
        field: 'drops',
        count: 2,
        fromIfindex: 7,
        netns: 100,
        toIfindex: 8,
        toNetns: 200,
        errno: 6,
        cpu: 0,
      },
      { event: 'xdp_cpumap_enqueue', field: 'drops', count: 3, mapId: 35, toCpu: 1, cpu: 0 },
      { event: 'xdp_cpumap_kthread', field: 'drops', count: 4, mapId: 35, toCpu: 1 },
      { event: 'xdp_cpumap_kthread', field: 'xdp_drop', count: 5, mapId: 35, toCpu: 1 },
      { event: 'xdp_bulk_tx', field: 'drops', count: 6, fromIfindex: 7, netns: 100, errno: 6, cpu: 1 },
      { event: 'kfree_skb', count: 7, fromIfindex: 9, netns: 100, reason: 'UDP_CSUM' },
      { event: 'kfree_skb', count: 8, fromIfindex: 9, reason: '2', where: 0xffff_ffff_89ab_cdefn },
    ]);
  });

  it('tell flows from losses', () => {
    const slots = {
      0: [9, 100, 7, 0, 0, 116, 33, 0, 0, 0, 0, 0, 10, 0],
      1: [10, 100, 7, 200, 8, 0, 0, 0, 0, 0, 0, 0, 9, 0],
    };
    expect(drops(slots)).toEqual([]);
    expect(sumOfLosses(memory(slots))).toBe(0);
    expect(flowCounters(readLossRecords(memory(slots), slotsPerCpu(4)))).toEqual([
      { kind: 'redirected', count: 10, fromIfindex: 7, netns: 100, progId: 116, mapId: 33 },
      { kind: 'transmitted', count: 9, fromIfindex: 7, netns: 100, toIfindex: 8, toNetns: 200 },
    ]);
  });

  it('know what found no room', () => {
    const records = readLossRecords(memory({ 4: [255, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 77, 0] }), slotsPerCpu(4));
    expect(framesWithoutRoom(records)).toBe(77);
    expect(dropCounters(records, reasons)).toEqual([]);
  });

  it('count beyond 32 bits', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 21 - 1), fc.integer({ min: 0, max: 2 ** 32 - 1 }), (high, low) => {
        const slots = { 3: [7, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, low, high] };
        expect(drops(slots)[0]?.count).toBe(high * 2 ** 32 + low);
        expect(sumOfLosses(memory(slots))).toBe(high * 2 ** 32 + low);
      }),
    );
  });
});

function configured(filter: DropFilter): Uint32Array {
  return new Uint32Array(encodeLossesConfig({ slots: 4096, filter, reasons }).buffer);
}

describe('the configuration', () => {
  it('is as large as struct losses_config, and says what is asked for', () => {
    const config = configured({ ifindexes: [3, 5], netns: 9, progIds: [116], mapIds: [33, 34, 35] });
    expect(config.byteLength).toBe(832);
    expect([...config.subarray(0, 7)]).toEqual([4095, 9, 2, 1, 3, 1, 11]);
    expect([...config.subarray(14, 19)]).toEqual([2, 11, 3, 5, 0]);
    expect(config[16 + 64]).toBe(116);
    expect([...config.subarray(16 + 128, 16 + 132)]).toEqual([33, 34, 35, 0]);
  });

  it('lets everything pass that does not fit', () => {
    const many = Array.from({ length: 65 }, (_, index) => index + 1);
    expect(configured({ ifindexes: many, progIds: many.slice(1) }).subarray(2, 5)).toEqual(Uint32Array.of(0, 64, 0));
  });
});
