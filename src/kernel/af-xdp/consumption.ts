import { FrameBatch, type FrameFlow } from '../../domain/xsk-frames.ts';
import { CAPTURE_BATCH, type CaptureFile } from './capture-file.ts';
import type { XskSocket } from './socket.ts';

/** Why consuming ended. */
export type Ending = 'count' | 'time' | 'signal' | 'device-gone' | 'reader-gone';

export interface ConsumptionOptions {
  readonly socket: XskSocket;
  readonly flow: FrameFlow;
  readonly signal: AbortSignal;
  /** Ends after so many frames. */
  readonly count?: number;
  /** Whether it looks for frames all the time instead of sleeping when there are none. */
  readonly busy?: boolean;
  /** Whether frames are sent back. */
  readonly echo?: boolean;
  readonly capture?: CaptureFile;
}

/** How long signals, timers and output may have to wait. */
const SLICE_MS = 10;
/** After so many slices without a frame the wait is handed to another thread, so that this one need not wake up. */
const QUIET_SLICES = 20;
const QUIET_MS = 100;
/** Frames taken at once. */
const BATCH = 256;
/** Rounds between two looks at the clock. */
const ROUNDS = 16;
/** How long a full pipe is waited for when everything else has ended. */
const PATIENCE_MS = 1000;

/**
 * Takes the frames of a bound socket, in slices of some milliseconds between which the event loop runs: so the process
 * hears signals under any load.
 */
export class Consumption {
  readonly #options: ConsumptionOptions;
  readonly #batch = new FrameBatch(CAPTURE_BATCH);
  readonly #limit: number;
  #quiet = 0;

  constructor(options: ConsumptionOptions) {
    this.#options = options;
    this.#limit = options.count ?? Infinity;
  }

  /**
   * Goes on until a time on the clock of `performance.now()`, or something else ends it.
   *
   * @throws KernelRefusal `capture write`
   */
  async until(end: number): Promise<Ending> {
    const { socket, flow, signal, capture } = this.#options;
    for (;;) {
      const moved = this.#slice(Math.min(performance.now() + SLICE_MS, end));
      if (capture?.readerGone === true) return 'reader-gone';
      if (flow.frames >= this.#limit) return 'count';
      if (performance.now() >= end) return 'time';
      if (!moved && socket.takeError() !== 0) return 'device-gone';
      await this.#rest(moved, end);
      if (signal.aborted) return 'signal';
    }
  }

  /**
   * Ends what is under way, once no more frames come: what waits to be written or sent. The frames that are still in the
   * RX ring are taken too, unless as many came as were wanted, or nobody wants them any more.
   *
   * @param ending what ended it; undefined for a failure
   * @throws KernelRefusal `capture write`
   */
  async finish(ending: Ending | undefined): Promise<void> {
    const { flow } = this.#options;
    const end = performance.now() + PATIENCE_MS;
    const rest = ending === 'time' || ending === 'signal' || ending === 'device-gone';
    const step = rest ? () => this.#step() : () => 0;
    do {
      while (this.#blocked && performance.now() < end) await this.#drain(QUIET_MS);
    } while (step() > 0 && performance.now() < end);
    if (ending === 'device-gone') return;
    while (flow.unsent > 0 && performance.now() < end) {
      this.#transmit();
      await new Promise(setImmediate);
    }
  }

  /** Whether the capture file waits for its reader. */
  get #blocked(): boolean {
    return this.#options.capture?.blocked === true;
  }

  /** Takes frames until `end`. Returns early when there are none, and whether there were any. */
  #slice(end: number): boolean {
    const { socket, flow, busy } = this.#options;
    let moved = false;
    for (let round = 1; ; round += 1) {
      if (this.#step() > 0) {
        moved = true;
        if (round % ROUNDS === 0 && performance.now() >= end) return true;
      } else if (this.#blocked) return moved;
      else if (busy === true) {
        // A driver that has found the fill ring empty waits to be told of the buffers that we have put back.
        if (socket.fill.needsWakeup) socket.wakeReceiver();
        if (round % (ROUNDS * 16) === 0 && performance.now() >= end) return moved;
      } else {
        const left = Math.ceil(end - performance.now());
        if (left <= 0 || this.#quiet >= QUIET_SLICES) return moved;
        // Frames that wait to be sent are offered again soon.
        if (!socket.waitBriefly(flow.unsent > 0 ? 1 : left)) return moved;
      }
      if (flow.frames >= this.#limit) return true;
    }
  }

  /** Takes what there is, at most a batch. Returns how many frames. */
  #step(): number {
    const { flow, echo, capture } = this.#options;
    const left = this.#limit - flow.frames;
    if (capture === undefined && echo !== true) return flow.discard(left < BATCH ? left : BATCH);
    if (this.#blocked) return 0;
    if (echo === true) this.#transmit();
    const most = echo === true ? flow.sendable(BATCH) : CAPTURE_BATCH;
    const count = flow.take(this.#batch, left < most ? left : most);
    if (count === 0) return 0;
    if (capture !== undefined) {
      const now = (performance.timeOrigin + performance.now()) * 1000;
      if (!capture.write(this.#batch, now)) return count;
    }
    this.#pass();
    return count;
  }

  /** The batch is counted and written: on it goes. */
  #pass(): void {
    const { flow, echo } = this.#options;
    if (echo === true) {
      flow.sendBack(this.#batch);
      this.#transmit();
    } else flow.giveBack(this.#batch);
  }

  /** Makes the kernel send, as long as it takes some: a call takes some dozens. */
  #transmit(): void {
    const { socket, flow } = this.#options;
    const { tx } = socket;
    if (tx === undefined) return;
    for (let waiting = tx.unconsumed; waiting > 0 && tx.needsWakeup;) {
      socket.wakeTransmitter();
      const rest = tx.unconsumed;
      if (rest === waiting) break;
      waiting = rest;
    }
    flow.reap();
  }

  /** Lets the event loop run; where nothing happens, sleeps in another thread. */
  async #rest(moved: boolean, end: number): Promise<void> {
    const { socket, busy } = this.#options;
    if (this.#blocked) {
      await this.#drain(SLICE_MS);
      return;
    }
    this.#quiet = moved ? 0 : this.#quiet + 1;
    if (this.#quiet >= QUIET_SLICES && busy !== true) {
      const left = Math.ceil(end - performance.now());
      if (await socket.wait(left < QUIET_MS ? Math.max(left, 0) : QUIET_MS)) this.#quiet = 0;
      return;
    }
    await new Promise(setImmediate);
  }

  async #drain(milliseconds: number): Promise<void> {
    const { capture } = this.#options;
    if (await capture?.drain(this.#batch, milliseconds)) this.#pass();
  }
}
