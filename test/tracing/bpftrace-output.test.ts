import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { bpftraceComplaints, countsOfMaps, parseBpftraceLine } from '../../src/tracing/bpftrace-output.ts';
import { dropsOf, planCounting } from '../../src/tracing/counting-row.ts';
import { recordedBpftrace, recordedCounters, recordedEvents } from './recorded.ts';

const plan = planCounting(recordedEvents());

describe('parseBpftraceLine', () => {
  it('reads a whole recording', () => {
    const messages = recordedBpftrace()
      .split('\n')
      .flatMap((line) => parseBpftraceLine(line) ?? []);
    expect(messages.map(({ type }) => type).join(' ')).toBe(
      'ready map map tick map map map tick map map map tick map map map',
    );
    const maps = new Map(
      messages.flatMap((message) => (message.type === 'map' ? [[message.name, message.entries]] : [])),
    );
    expect(dropsOf(countsOfMaps(plan, maps))).toEqual(recordedCounters);
  });

  it('says nothing about other lines, and never fails', () => {
    for (const line of ['', '{', 'null', '[]', '{"type":"map","data":{}}', '{"type":"map","data":{"@a":{"1":"x"}}}']) {
      expect(parseBpftraceLine(line)).toBeUndefined();
    }
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (line) => {
        expect(parseBpftraceLine(line)).toBeUndefined();
      }),
    );
  });
});

describe('countsOfMaps', () => {
  it('takes keys however bpftrace writes the tuple', () => {
    for (const key of ['7,8,0', '(7, 8, 0)', '[7,8,0]']) {
      expect(dropsOf(countsOfMaps(plan, new Map([['exception', new Map([[key, 3]])]])))).toEqual([
        { event: 'xdp_exception', count: 3, fromIfindex: 7, progId: 8, action: 0 },
      ]);
    }
  });

  it('leaves out maps that are not of the plan', () => {
    expect(countsOfMaps(plan, new Map([['other', new Map([['1', 1]])]]))).toEqual([]);
  });
});

describe('bpftraceComplaints', () => {
  it('leaves out the one about RLIMIT_MEMLOCK', () => {
    const memlock =
      "ERROR: Unknown error -1: couldn't set RLIMIT_MEMLOCK for bpftrace. If your program is not loading …";
    expect(bpftraceComplaints(`${memlock}\n`)).toBe('');
    expect(bpftraceComplaints(`${memlock}\nstdin:1:1-24: ERROR: tracepoint not found: xdp:x\n`)).toBe(
      'stdin:1:1-24: ERROR: tracepoint not found: xdp:x',
    );
  });
});
