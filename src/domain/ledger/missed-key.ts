import type { Evidence } from '../evidence.ts';
import { xdpAction } from '../xdp-action.ts';
import type { Loss } from './loss.ts';

/**
 * Divides the frames that programs of ours aborted by the key that they looked up in vain: they count that, so the cause
 * is certain, and the key known. What they did not count is left as it is.
 */
export function divideMisses(losses: readonly Loss[], { misses }: Evidence): Loss[] {
  if (misses === undefined) return [...losses];
  const left = new Map([...misses].map(([progId, keys]) => [progId, new Map(keys)]));
  return losses.flatMap((loss) => {
    const { counter } = loss;
    const keys = left.get(counter.progId ?? 0);
    const isAborted = counter.event === 'xdp_exception' && counter.action === xdpAction.aborted;
    return keys === undefined || !isAborted ? [loss] : divide(loss, keys);
  });
}

/** @param keys missed look-ups by key, of which those that are accounted for are taken out */
function divide({ counter }: Loss, keys: Map<number, number>): Loss[] {
  const parts: Loss[] = [];
  let rest = counter.count;
  for (const [key, missed] of keys) {
    const count = Math.min(rest, missed);
    if (count === 0) continue;
    parts.push({ counter: { ...counter, count }, proof: { kind: 'missed', key } });
    keys.set(key, missed - count);
    rest -= count;
  }
  return rest === 0 ? parts : [...parts, { counter: { ...counter, count: rest } }];
}
