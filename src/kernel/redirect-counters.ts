import { littleEndian } from '../domain/byte-order.ts';
import { encodeInteger } from '../domain/integer.ts';
import type { BpfMap } from './map.ts';

/** What one of our redirect programs counted: frames whose key had an entry, and those whose key had none. */
export interface RedirectCount {
  readonly redirected: number;
  readonly missed: number;
}

/** sizeof(struct redirect_counter), bpf-objects/counters.h: u32 key, u32 used, u64 redirected, u64 missed. */
const COUNTER_SIZE = 24;

/**
 * All that a redirect program counted, of every key and on every CPU.
 *
 * @throws KernelRefusal `map lookup`
 */
export function readRedirectTotals(counters: BpfMap): RedirectCount {
  const values = new Uint8Array(counters.valueLength);
  const view = new DataView(values.buffer);
  let redirected = 0;
  let missed = 0;
  for (let entry = 0; entry < counters.info.maxEntries; entry += 1) {
    counters.lookup(encodeInteger(entry, 4), values);
    for (let at = 0; at < values.length; at += COUNTER_SIZE) {
      redirected += Number(view.getBigUint64(at + 8, littleEndian));
      missed += Number(view.getBigUint64(at + 16, littleEndian));
    }
  }
  return { redirected, missed };
}
