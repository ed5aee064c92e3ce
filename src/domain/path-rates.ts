/** What was counted under a key. */
export interface Counted {
  readonly key?: number;
  /** What the key stands for: the ingress interface, a receive queue, a CPU. */
  readonly label: string;
  /** Where frames of this key go now; absent where that is not one place. */
  readonly target?: string;
  readonly good: number;
  readonly bad: number;
}

/** The same with what came in a second. */
export interface Rated extends Counted {
  readonly goodRate: number;
  readonly badRate: number;
}

/**
 * Rates of what was counted between two readings.
 *
 * @param before the reading before, of the same program; a key that it has not was 0 then
 */
export function rated(now: readonly Counted[], before: readonly Counted[], seconds: number): Rated[] {
  const known = new Map(before.map((each) => [each.key, each]));
  return now.map((each) => {
    const earlier = known.get(each.key);
    return {
      ...each,
      goodRate: perSecond(each.good - (earlier?.good ?? 0), seconds),
      badRate: perSecond(each.bad - (earlier?.bad ?? 0), seconds),
    };
  });
}

function perSecond(count: number, seconds: number): number {
  return seconds <= 0 ? 0 : Math.max(0, Math.round(count / seconds));
}
