import { littleEndian } from '../domain/byte-order.ts';
import { entryChunks } from './map-entries.ts';
import type { BpfMap } from './map.ts';

/** What one of our redirect programs counted: frames whose key had an entry, and those whose key had none. */
export interface RedirectCount {
  readonly redirected: number;
  readonly missed: number;
}

/** What a program of ours counted under a key, on all CPUs together. */
export interface KeyCount {
  /** Undefined for the frames of all keys that found no place of their own. */
  readonly key: number | undefined;
  /** Redirected; of an egress program passed. */
  readonly good: number;
  /** Missed; of an egress program dropped. */
  readonly bad: number;
}

/** sizeof(struct redirect_counter) and egress_counter, bpf-objects/counters.h: u32 key, u32 used, u64, u64. */
const COUNTER_SIZE = 24;

/**
 * All that a program of ours counted, by key in ascending order. A value belongs to the key in it, not to the number of
 * its entry: see bpf-objects/counters.h.
 *
 * @throws KernelRefusal `map lookup`
 */
export function readKeyCounts(counters: BpfMap): KeyCount[] {
  const { valueLength } = counters;
  const sums = new Map<number | undefined, { good: number; bad: number }>();
  for (const { values, count } of entryChunks(counters)) {
    const view = new DataView(values.buffer, values.byteOffset);
    for (let at = 0; at < count * valueLength; at += COUNTER_SIZE) {
      const [good, bad] = [counterAt(view, at + 8), counterAt(view, at + 16)];
      if (good === 0 && bad === 0) continue;
      const key = view.getUint32(at + 4, littleEndian) === 0 ? undefined : view.getUint32(at, littleEndian);
      const sum = sums.get(key) ?? { good: 0, bad: 0 };
      sums.set(key, { good: sum.good + good, bad: sum.bad + bad });
    }
  }
  return [...sums]
    .map(([key, sum]) => ({ key, ...sum }))
    .toSorted((a, b) => (a.key ?? Number.MAX_SAFE_INTEGER) - (b.key ?? Number.MAX_SAFE_INTEGER));
}

function counterAt(view: DataView, at: number): number {
  return Number(view.getBigUint64(at, littleEndian));
}

/**
 * All that a redirect program counted, of every key and on every CPU.
 *
 * @throws KernelRefusal `map lookup`
 */
export function readRedirectTotals(counters: BpfMap): RedirectCount {
  let redirected = 0;
  let missed = 0;
  for (const { good, bad } of readKeyCounts(counters)) {
    redirected += good;
    missed += bad;
  }
  return { redirected, missed };
}
