import { EventCounters } from '../kernel/event-counters.ts';
import { gracePeriod } from '../kernel/grace-period.ts';
import type { TraceEnd } from './backend.ts';
import { openOrFail } from './builtin-failure.ts';
import { completed, type EventCount, type EventRequest, type EventSession } from './event-session.ts';
import { SessionEnd } from './session-end.ts';

/** Every tracepoint that the xdp group has ever had (include/trace/events/xdp.h): those of this kernel can be attached. */
const everKnown = [
  'xdp_exception',
  'xdp_bulk_tx',
  'xdp_redirect',
  'xdp_redirect_err',
  'xdp_redirect_map',
  'xdp_redirect_map_err',
  'xdp_cpumap_enqueue',
  'xdp_cpumap_kthread',
  'xdp_devmap_xmit',
  'mem_connect',
  'mem_disconnect',
  'mem_return_failed',
  'bpf_xdp_link_attach_failed',
];

/** Counts with BPF programs of our own, which need no tracefs. @throws BackendFailure */
export async function countWithBuiltin({ signal }: EventRequest): Promise<EventSession> {
  return new BuiltinEvents(
    openOrFail(() => new EventCounters(everKnown)),
    signal,
  );
}

class BuiltinEvents implements EventSession {
  readonly backend = 'builtin';
  readonly #counters: EventCounters;
  readonly #end = new SessionEnd();
  readonly #signal: AbortSignal;
  readonly #onAbort = (): void => void this.#end.begin({ why: 'asked' });

  constructor(counters: EventCounters, signal: AbortSignal) {
    this.#counters = counters;
    this.#signal = signal;
    signal.addEventListener('abort', this.#onAbort);
  }

  get ended(): Promise<TraceEnd> {
    return this.#end.ended;
  }

  async stop(): Promise<readonly EventCount[]> {
    await gracePeriod();
    const { events } = this.#counters;
    const hits = this.#counters.read();
    return completed(events, new Map(events.map((event, index) => [event, hits[index] ?? 0])));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#signal.removeEventListener('abort', this.#onAbort);
    this.#counters[Symbol.dispose]();
  }
}
