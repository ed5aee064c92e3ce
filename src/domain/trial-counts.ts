import type { DropCounter } from './drop-counter.ts';

/*
 * What became of the frames of `redirect test`, as the tracepoints told it, in numbers that are added up as they come.
 */

/** Frames whose redirect succeeded: they are on their way to a device, a CPU or a socket. */
export interface RedirectedFrames {
  /** INT_MAX for XDP_TX and bpf_redirect(). */
  readonly mapId: number;
  readonly key: number;
  /** Of a broadcast it means nothing. */
  readonly toIfindex: number;
  readonly count: number;
}

/** What a driver made of bundles of frames. */
export interface TransmittedFrames {
  readonly toIfindex: number;
  /** Positive; 0 where the frames were refused without one. */
  readonly errno: number;
  readonly sent: number;
  readonly dropped: number;
}

/** Frames for the queue of a CPU; those that did not fit are among them. */
export interface QueuedFrames {
  readonly mapId: number;
  readonly cpu: number;
  readonly frames: number;
  readonly dropped: number;
}

/** What the thread of a CPU has taken out of its queue. */
export interface HandledFrames {
  readonly mapId: number;
  readonly cpu: number;
  readonly frames: number;
  /** No memory for the skb. */
  readonly dropped: number;
  /** Not passed on by the program in the entry. */
  readonly programDropped: number;
}

export interface TrialCounts {
  readonly redirected: readonly RedirectedFrames[];
  /** Redirects that failed, and illegal actions of egress programs. */
  readonly failed: readonly DropCounter[];
  readonly transmitted: readonly TransmittedFrames[];
  readonly queued: readonly QueuedFrames[];
  readonly handled: readonly HandledFrames[];
  /** To the network stack. */
  readonly passed: number;
}

/** Adds up records that agree in all properties but these. */
export class Sums<Row extends object, Amount extends keyof Row> {
  readonly #amounts: readonly Amount[];
  readonly #rows = new Map<string, Row>();

  constructor(...amounts: readonly Amount[]) {
    this.#amounts = amounts;
  }

  add(row: Row): void {
    const kind = JSON.stringify(
      Object.entries(row).filter(([name]) => !(this.#amounts as readonly string[]).includes(name)),
    );
    const known = this.#rows.get(kind);
    if (known === undefined) {
      this.#rows.set(kind, row);
      return;
    }
    const sums = this.#amounts.map((name) => [name, Number(known[name]) + Number(row[name])]);
    this.#rows.set(kind, { ...known, ...Object.fromEntries(sums) });
  }

  get rows(): readonly Row[] {
    return [...this.#rows.values()];
  }
}
