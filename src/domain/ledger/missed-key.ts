import type { Evidence } from '../evidence.ts';
import { xdpAction } from '../xdp-action.ts';
import { divide } from './divide.ts';
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
    return keys === undefined || !isAborted ? [loss] : divide(loss, keys, (key) => ({ kind: 'missed', key }));
  });
}
