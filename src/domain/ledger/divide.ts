import type { Loss, Proof } from './loss.ts';

/**
 * Divides a loss by causes that something else counted: a part with its proof for each, and what nothing counted as it is.
 *
 * @param causes frames by cause, of which those that are accounted for are taken out
 */
export function divide<Cause>(loss: Loss, causes: Map<Cause, number>, proofOf: (cause: Cause) => Proof): Loss[] {
  const { counter } = loss;
  const parts: Loss[] = [];
  let rest = counter.count;
  for (const [cause, counted] of causes) {
    const count = Math.min(rest, counted);
    if (count === 0) continue;
    parts.push({ ...loss, counter: { ...counter, count }, proof: proofOf(cause) });
    causes.set(cause, counted - count);
    rest -= count;
  }
  return rest === 0 ? parts : [...parts, { ...loss, counter: { ...counter, count: rest } }];
}
