/** Watches how fast a total grows, and says when it is too fast. */
export class RateGuard {
  readonly #limit: number | undefined;
  #total = 0;
  #since: number;

  /** @param limit lost frames a second; undefined: never too fast */
  constructor(limit: number | undefined, now: number) {
    this.#limit = limit;
    this.#since = now;
  }

  /**
   * Tells the total so far, at a time in milliseconds.
   *
   * @returns the rate when it is above the limit, measured over at least half a second
   */
  observe(total: number, now: number): number | undefined {
    const elapsed = now - this.#since;
    if (this.#limit === undefined || elapsed < 500) return undefined;
    const rate = Math.round(((total - this.#total) * 1000) / elapsed);
    this.#total = total;
    this.#since = now;
    return rate > this.#limit ? rate : undefined;
  }
}
