import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { EventFormat } from '../../src/tracing/event-format.ts';
import { type Events, readEvents } from '../../src/tracing/tracefs.ts';

const folder = join(import.meta.dirname, '..', 'fixtures', 'tracing');

/** A copy of tracefs with the xdp events of Linux 6.18. */
export const recordedTracefs = join(folder, 'linux-6.18');

/** The xdp events of Linux 6.18. */
export function recordedEvents(): Events {
  return readEvents(recordedTracefs, 'xdp');
}

/** What bpftrace 0.17 wrote while 5 + 3 + 4 + 6 frames were lost. */
export function recordedBpftrace(): string {
  return readFileSync(join(folder, 'bpftrace-0.17.jsonl'), 'utf8');
}

/** What perf 6.1 wrote for the same losses; most of the records of other processes are left out. */
export function recordedPerf(): Uint8Array {
  return readFileSync(join(folder, 'perf-record-6.1.bin'));
}

/** The counters of both recordings. */
export const recordedCounters = [
  {
    event: 'xdp_redirect_err',
    count: 5,
    fromIfindex: 20_101,
    progId: 116,
    mapId: 33,
    mapIndex: 0,
    toIfindex: 20_102,
    errno: 95,
  },
  { event: 'xdp_exception', count: 3, fromIfindex: 20_101, progId: 116, action: 0 },
  { event: 'xdp_devmap_xmit', field: 'drops', count: 4, fromIfindex: 20_101, toIfindex: 20_102, errno: 6 },
  { event: 'xdp_devmap_xmit', field: 'drops', count: 6, fromIfindex: 20_101, toIfindex: 20_102, errno: 0 },
];

/** The events without some of their fields, and without some events: what another kernel may have. */
export function withoutFields(events: Events, gone: Readonly<Record<string, readonly string[] | 'all'>>): Events {
  const left = new Map<string, EventFormat>();
  for (const [name, format] of events) {
    const without = gone[name] ?? [];
    if (without === 'all') continue;
    left.set(name, { ...format, fields: new Map([...format.fields].filter(([field]) => !without.includes(field))) });
  }
  return left;
}
