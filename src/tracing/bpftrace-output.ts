import * as z from 'zod/mini';

import type { CountingPlan, RowCount } from './counting-row.ts';
import { bpftraceEnd, bpftraceReady, bpftraceTick } from './recipes.ts';

/** A line of `bpftrace -f json` that matters here. */
export type BpftraceMessage =
  | { readonly type: 'ready' }
  | { readonly type: 'tick' }
  | { readonly type: 'end' }
  | { readonly type: 'map'; readonly name: string; readonly entries: ReadonlyMap<string, number> };

const count = z.number().check(z.int(), z.nonnegative());

const message = z.discriminatedUnion('type', [
  z.object({ type: z.literal('printf'), data: z.string() }),
  z.object({ type: z.literal('map'), data: z.record(z.string(), z.record(z.string(), count)) }),
]);

/** Reads a line of `bpftrace -f json`; undefined for all lines that say nothing to us (empty ones, `attached_probes`). */
export function parseBpftraceLine(line: string): BpftraceMessage | undefined {
  const { success, data } = message.safeParse(jsonOf(line));
  if (!success) return undefined;
  if (data.type === 'printf') {
    const text = data.data.trim();
    return text === bpftraceReady || text === bpftraceTick || text === bpftraceEnd ? { type: text } : undefined;
  }
  const [map] = Object.entries(data.data);
  if (map === undefined) return undefined;
  return { type: 'map', name: map[0].replace(/^@/, ''), entries: new Map(Object.entries(map[1])) };
}

/** What the rows of a plan counted, in the maps that bpftrace printed, by name. */
export function countsOfMaps(
  { rows }: CountingPlan,
  maps: ReadonlyMap<string, ReadonlyMap<string, number>>,
): RowCount[] {
  return rows.flatMap((row) =>
    [...(maps.get(row.name) ?? [])].flatMap(([key, times]) => {
      const values = key.match(/-?\d+/g)?.map(Number) ?? [];
      return values.every(Number.isSafeInteger) ? [{ row, values, count: times }] : [];
    }),
  );
}

/** The complaints among bpftrace's stderr: not the one about RLIMIT_MEMLOCK, which it survives on kernels since 5.11. */
export function bpftraceComplaints(stderr: string): string {
  return stderr
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.includes('RLIMIT_MEMLOCK'))
    .join('\n');
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
