import type { BpfMap } from '../kernel/map.ts';

/**
 * Pins as the lines of a batch so far would have left them, under --dry-run: the lines after them are checked against
 * these instead of what is in the bpffs.
 */
export class Rehearsal implements Disposable {
  readonly #pins = new Map<string, BpfMap | null>();
  readonly #scratch: BpfMap[] = [];

  /** The map that would be pinned there, null when nothing would be; undefined where no line has changed anything. */
  pinned(path: string): BpfMap | null | undefined {
    return this.#pins.get(path);
  }

  /** A line would pin a map that exists, or one that was made for the rehearsal only, which this object then closes. */
  pin(path: string, map: BpfMap, made: 'exists' | 'scratch'): void {
    if (made === 'scratch') this.#scratch.push(map);
    this.#pins.set(path, map);
  }

  /** A line would take the pin away. */
  unpin(path: string): void {
    this.#pins.set(path, null);
  }

  [Symbol.dispose](): void {
    for (const map of this.#scratch) map[Symbol.dispose]();
  }
}
