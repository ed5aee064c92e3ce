import type { BpfMap } from '../kernel/map.ts';
import type { BpfProgram } from '../kernel/program.ts';

/**
 * Pins as the lines of a batch so far would have left them, under --dry-run: the lines after them are checked against
 * these instead of what is in the bpffs.
 */
export class Rehearsal implements Disposable {
  readonly #pins = new Map<string, BpfMap | BpfProgram | null>();
  readonly #scratch: Disposable[] = [];

  /** What would be pinned there, null when nothing would be; undefined where no line has changed anything. */
  pinned(path: string): BpfMap | BpfProgram | null | undefined {
    return this.#pins.get(path);
  }

  /** A line would pin what exists, or what was made for the rehearsal only, which this object then closes. */
  pin(path: string, object: BpfMap | BpfProgram, made: 'exists' | 'scratch'): void {
    if (made === 'scratch') this.#scratch.push(object);
    this.#pins.set(path, object);
  }

  /** A line would take the pin away. */
  unpin(path: string): void {
    this.#pins.set(path, null);
  }

  [Symbol.dispose](): void {
    for (const each of this.#scratch) each[Symbol.dispose]();
  }
}
