import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { DropCounter } from '../../src/domain/drop-counter.ts';
import { dropsOf, planCounting } from '../../src/tracing/counting-row.ts';
import { RecordCounter } from '../../src/tracing/perf-counter.ts';
import { PerfStreamReader } from '../../src/tracing/perf-stream.ts';
import { recordedCounters, recordedEvents, recordedPerf } from './recorded.ts';

const plan = planCounting(recordedEvents());

function read(chunks: readonly Uint8Array[]): { counter: RecordCounter; lost: [number, string][] } {
  const counter = new RecordCounter(plan);
  const lost: [number, string][] = [];
  const reader = new PerfStreamReader({
    sample: (raw) => counter.add(raw),
    lost: (count, from) => lost.push([count, from]),
  });
  for (const chunk of chunks) reader.push(chunk);
  return { counter, lost };
}

/** perf writes one CPU's records after the other's. */
function sorted(counter: RecordCounter): DropCounter[] {
  return dropsOf(counter.counts()).toSorted((a, b) => b.count - a.count);
}

const sortedBySize = recordedCounters.toSorted((a, b) => b.count - a.count);

/** Cuts bytes at the given places. */
function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const all = [0, ...places.toSorted((a, b) => a - b), bytes.length];
  return all.slice(1).map((end, index) => bytes.subarray(all[index], end));
}

describe('a recorded perf stream', () => {
  it('gives the counters of its records', () => {
    const { counter, lost } = read([recordedPerf()]);
    expect(sorted(counter)).toEqual(sortedBySize);
    expect(counter.total).toBe(18);
    expect(lost).toEqual([]);
  });

  it('gives the same in whatever pieces it comes', () => {
    const bytes = recordedPerf();
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length), { maxLength: 40 }), (places) => {
        expect(sorted(read(cut(bytes, places)).counter)).toEqual(sortedBySize);
      }),
    );
  });

  it('gives what has come so far when it breaks off', () => {
    const bytes = recordedPerf();
    fc.assert(
      fc.property(fc.nat(bytes.length), (end) => {
        expect(read([bytes.subarray(0, end)]).counter.total).toBeLessThanOrEqual(18);
      }),
    );
  });
});

/** A record of 64-bit words. */
function record(type: number, ...words: number[]): Uint8Array {
  const bytes = new Uint8Array(8 + 8 * words.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, type, true);
  view.setUint16(6, bytes.length, true);
  for (const [index, word] of words.entries()) view.setBigUint64(8 + 8 * index, BigInt(word), true);
  return bytes;
}

/** The description of a tracepoint whose samples have the given parts. */
function attribute(sampleType: number): Uint8Array {
  return record(64, 2, 0, 0, sampleType);
}

describe('a perf stream', () => {
  const begin = recordedPerf().subarray(0, 16);

  it('tells what was lost, and who says so', () => {
    expect(read([begin, record(2, 99, 7, 0), record(13, 5, 0)]).lost).toEqual([
      [7, 'kernel'],
      [5, 'perf'],
    ]);
  });

  it('is refused when it is none, or not one that can be read', () => {
    expect(() => read([new TextEncoder().encode('PERFILE1########')])).toThrow('not the output of perf record');
    expect(() => read([begin, record(9, 1, 2, 3)])).toThrow('before it described the layout');
    expect(() => read([begin, new Uint8Array(8)])).toThrow('a record of 0 bytes');
    expect(() => read([begin.with(8, 24)])).toThrow('a header of 24 bytes');
    expect(() => read([begin, attribute(0x1_0587).with(6, 32).subarray(0, 32)])).toThrow('a record of 32 bytes');
    expect(() => read([begin, record(13)])).toThrow('a record of 8 bytes');
    expect(() => read([begin, attribute(0x1_0587), attribute(0x587)])).toThrow('different layouts');
    expect(() => read([begin, attribute(0x187)])).toThrow('no raw data');
    expect(() => read([begin, attribute(0x5a7)])).toThrow('varying length');
  });
});

describe('RecordCounter', () => {
  it('does not count records of other tracepoints, or none at all', () => {
    const counter = new RecordCounter(plan);
    counter.add(new DataView(new ArrayBuffer(0)));
    counter.add(new DataView(Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0).buffer));
    expect(dropsOf(counter.counts())).toEqual([]);
  });

  it('counts one record of the cpumap thread in each of its two ways', () => {
    const format = plan.formats.get('xdp_cpumap_kthread')!;
    const sample = new DataView(new ArrayBuffer(44));
    sample.setUint16(0, format.id, true);
    for (const [name, value] of Object.entries({ map_id: 35, cpu: 1, drops: 2, xdp_drop: 3 })) {
      sample.setInt32(format.fields.get(name)!.offset, value, true);
    }
    const counter = new RecordCounter(plan);
    counter.add(sample);
    expect(dropsOf(counter.counts())).toEqual([
      { event: 'xdp_cpumap_kthread', field: 'drops', count: 2, mapId: 35, toCpu: 1 },
      { event: 'xdp_cpumap_kthread', field: 'xdp_drop', count: 3, mapId: 35, toCpu: 1 },
    ]);
  });
});
