import { release } from 'node:os';

import { interfaceDescription, interfaceStatistics, sectionHeader, timestampOf } from '../../domain/pcapng.ts';
import type { XskSetup } from '../../domain/xsk-remedy.ts';
import { xskLost } from '../../domain/xsk-statistics.ts';
import { Binding } from '../../kernel/af-xdp/binding.ts';
import { CaptureFile } from '../../kernel/af-xdp/capture-file.ts';
import { Consumption, type Ending } from '../../kernel/af-xdp/consumption.ts';
import { nameProcess } from '../../kernel/process-name.ts';
import { readRedirectTotals } from '../../kernel/redirect-counters.ts';
import { version } from '../version.ts';
import type { BindTarget } from './bind-checks.ts';
import { type BindSummary, lossRows, type Reading, round } from './bind-report.ts';
import type { BindRequest } from './bind-request.ts';

/** Slots of the map that comes with --attach, so that the queue has one: our program's own number where that is enough. */
const LEAST_SLOTS = 64;

/** A bound socket that is being consumed, from the first frame to the summary. */
export class BindSession implements Disposable {
  readonly binding: Binding;
  readonly #request: BindRequest;
  readonly #target: BindTarget;
  readonly #capture: CaptureFile | undefined;
  readonly #consumption: Consumption;
  readonly #started = performance.now();
  readonly #startTime = Date.now() * 1000;

  private constructor(
    request: BindRequest,
    target: BindTarget,
    binding: Binding,
    capture: CaptureFile | undefined,
    signal: AbortSignal,
  ) {
    this.#request = request;
    this.#target = target;
    this.binding = binding;
    this.#capture = capture;
    const { count, busy, echo } = request;
    const { socket, flow } = binding;
    this.#consumption = new Consumption({
      socket,
      flow,
      signal,
      busy,
      echo,
      ...(count !== undefined && { count }),
      ...(capture !== undefined && { capture }),
    });
  }

  /**
   * Puts everything in place.
   *
   * @throws KernelRefusal of the step that failed; the signal's reason
   */
  static async start(request: BindRequest, target: BindTarget, signal: AbortSignal): Promise<BindSession> {
    const { queue, mode, spec, path, write, ifname } = request;
    const { device, map } = target;
    // Whoever asks who holds the queue reads this.
    nameProcess('xdpctl');
    const binding = await Binding.open(
      {
        ifindex: device.ifindex,
        queue,
        mode,
        spec,
        path:
          map === undefined
            ? {
                attach: {
                  mode: 'attach' in path ? path.attach : 'native',
                  maxEntries: Math.max(LEAST_SLOTS, device.rxQueues ?? 1),
                },
              }
            : { map },
      },
      signal,
    );
    let capture;
    try {
      capture = write && (await openCapture(write, binding, `receive queue ${queue} of ${ifname}`, ifname));
      return new BindSession(request, target, binding, capture, signal);
    } catch (error) {
      capture?.[Symbol.dispose]();
      binding[Symbol.dispose]();
      throw error;
    }
  }

  /** When the consuming began, on the clock of `performance.now()`. */
  get started(): number {
    return this.#started;
  }

  get setup(): XskSetup {
    return { ...this.#request.spec, device: this.#target.device };
  }

  /** Consumes until a time, or something else ends it. @throws KernelRefusal `capture write` */
  until(end: number): Promise<Ending> {
    return this.#consumption.until(end);
  }

  read(): Reading {
    const { frames, bytes, sent } = this.binding.flow;
    return {
      time: performance.now() - this.#started,
      frames,
      bytes,
      sent,
      statistics: this.binding.socket.statistics(),
    };
  }

  /**
   * Lets no more frames come, takes those that have come (unless a limit was reached or nobody wants them), and says
   * what there was; also what failed in writing the last of it.
   *
   * @param ending what ended the consuming; undefined for a failure
   */
  async end(ending: Ending | undefined): Promise<{ readonly summary: BindSummary; readonly error: unknown }> {
    const seconds = round((performance.now() - this.#started) / 1000);
    await this.binding.stop();
    let failure: unknown;
    try {
      await this.#consumption.finish(ending);
      await this.#endCapture();
    } catch (error) {
      failure = error;
    }
    return { summary: this.#summary(seconds), error: failure };
  }

  [Symbol.dispose](): void {
    this.#capture?.[Symbol.dispose]();
    this.binding[Symbol.dispose]();
  }

  async #endCapture(): Promise<void> {
    const received = this.binding.flow.frames;
    const dropped = xskLost(this.binding.socket.statistics());
    await this.#capture?.writeBlock(
      interfaceStatistics({
        start: timestampOf(this.#startTime),
        end: timestampOf(Date.now() * 1000),
        received: received + dropped,
        dropped,
        delivered: this.#capture.frames,
      }),
    );
  }

  #summary(seconds: number): BindSummary {
    const { socket, flow, map, zeroCopy, own } = this.binding;
    const { queue, ifname, echo } = this.#request;
    const statistics = socket.statistics();
    return {
      ifname,
      ifindex: this.#target.device.ifindex,
      queue,
      map: { id: map.info.id, ...(map.info.name !== '' && { name: map.info.name }), key: queue },
      mode: zeroCopy ? 'zerocopy' : 'copy',
      ...(own && {
        prog: { id: own.program.info.id, name: own.program.info.name, ...readRedirectTotals(own.counters) },
      }),
      frames: flow.frames,
      bytes: flow.bytes,
      unread: flow.unread,
      ...(echo && { sent: flow.sent }),
      ...(this.#capture && { written: this.#capture.frames }),
      duration_s: seconds,
      losses: lossRows(statistics, zeroCopy, this.setup),
      statistics,
    };
  }
}

async function openCapture(
  { path, overwrite }: { readonly path: string; readonly overwrite: boolean },
  binding: Binding,
  description: string,
  name: string,
): Promise<CaptureFile> {
  const { umem } = binding.socket;
  const capture = path === '-' ? CaptureFile.standardOutput(umem) : CaptureFile.create(path, overwrite, umem);
  try {
    await capture.writeBlock(sectionHeader({ os: `Linux ${release()}`, application: `xdpctl ${version}` }));
    await capture.writeBlock(interfaceDescription({ name, description }));
    return capture;
  } catch (error) {
    capture[Symbol.dispose]();
    throw error;
  }
}
