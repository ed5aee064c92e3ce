import { release } from 'node:os';

import { kernelAtLeast, type KernelVersion, parseKernelVersion } from '../domain/kernel-version.ts';
import { dropCounters, flowCounters, framesWithoutRoom, type SkbReasons } from '../domain/loss-record.ts';
import { LossCounters } from '../kernel/loss-counters.ts';
import {
  BackendFailure,
  planFor,
  type TraceCounts,
  type TraceEnd,
  type TraceRequest,
  type TraceResult,
  type TraceSession,
  type TracingBackend,
} from './backend.ts';
import { blindSpots, blindSpotsOf } from './blind.ts';
import { classicFields } from './builtin-classic.ts';
import { openOrFail } from './builtin-failure.ts';
import { planBuiltin } from './builtin-programs.ts';
import { eventsOf } from './counting-row.ts';
import { RateGuard } from './rate-guard.ts';
import { SessionEnd } from './session-end.ts';

/** How often it looks whether the rate is too high. */
const watchEvery = 500;

/** Counts with BPF programs of our own: exactly, in the kernel, and without any other tool. */
export const builtinBackend: TracingBackend = {
  name: 'builtin',
  start: startBuiltin,
  // No other tool reads network namespaces or counts in this way; the nearest command is bpftrace's.
  commandText: async () => undefined,
};

/**
 * The same on kernels without BTF: on classic tracepoints, which cost more and miss events while another BPF program
 * runs on the CPU.
 */
export const classicBackend: TracingBackend = {
  name: 'builtin',
  start: startClassic,
  commandText: async () => undefined,
};

async function startBuiltin(request: TraceRequest): Promise<TraceSession> {
  const kernel = kernelVersion();
  const plan = planBuiltin(request.conserve === true);
  if (plan === undefined) {
    throw new BackendFailure(
      'builtin',
      'failed',
      'this kernel has no BTF (CONFIG_DEBUG_INFO_BTF), so it cannot count exactly',
    );
  }
  if (plan.rows.size === 0)
    throw new BackendFailure('builtin', 'failed', 'this kernel has none of the xdp tracepoints');
  const counters = openOrFail(
    () => new LossCounters('losses', plan.programs, { filter: request.filter, reasons: plan.reasons }),
  );
  return begun(counters, request, {
    events: plan.events,
    reasons: plan.reasons,
    blind: blindSpots({
      kernel,
      filter: request.filter,
      rows: plan.rows,
      namespaces: true,
      skbs: plan.events.includes('skb:kfree_skb'),
      conserve: request.conserve === true,
    }),
  });
}

async function startClassic(request: TraceRequest): Promise<TraceSession> {
  const kernel = kernelVersion();
  const plan = planFor({ ...request, conserve: false }, 'builtin');
  const reasons = { names: new Map() };
  const programs = plan.rows.map(({ name }) => name);
  const counters = openOrFail(
    () => new LossCounters('losses_classic', programs, { filter: request.filter, reasons }, classicFields(plan)),
  );
  const exact = kernelAtLeast(kernel, '6.7')
    ? []
    : ['events that come while another BPF program runs on the CPU are missed'];
  return begun(counters, request, {
    events: eventsOf(plan).map((event) => `xdp:${event}`),
    reasons,
    blind: [...blindSpotsOf(plan, kernel), ...exact],
  });
}

function kernelVersion(): KernelVersion {
  return parseKernelVersion(release()) ?? { major: 0, minor: 0 };
}

interface SessionFacts {
  readonly events: readonly string[];
  readonly blind: readonly string[];
  readonly reasons: SkbReasons;
}

/** A session that counts. Whatever goes wrong before it does, the programs go. */
async function begun(counters: LossCounters, request: TraceRequest, facts: SessionFacts): Promise<TraceSession> {
  const session = new BuiltinSession(counters, request, facts);
  try {
    request.onBegin?.();
    counters.begin();
    return session;
  } catch (error) {
    await session[Symbol.asyncDispose]();
    throw error;
  }
}

class BuiltinSession implements TraceSession {
  readonly backend = 'builtin';
  readonly events: readonly string[];
  readonly blind: readonly string[];
  readonly #counters: LossCounters;
  readonly #reasons: SkbReasons;
  readonly #signal: AbortSignal | undefined;
  readonly #end = new SessionEnd();
  readonly #guard: RateGuard;
  readonly #watch: NodeJS.Timeout | undefined;
  readonly #onAbort = (): void => void this.#end.begin({ why: 'asked' });

  constructor(counters: LossCounters, request: TraceRequest, { events, blind, reasons }: SessionFacts) {
    this.#counters = counters;
    this.events = events;
    this.blind = blind;
    this.#reasons = reasons;
    this.#signal = request.signal;
    this.#guard = new RateGuard(request.maxRate, Date.now());
    this.#signal?.addEventListener('abort', this.#onAbort);
    if (request.maxRate !== undefined) this.#watch = setInterval(() => this.#observe(), watchEvery);
  }

  get ended(): Promise<TraceEnd> {
    return this.#end.ended;
  }

  async snapshot(): Promise<TraceCounts> {
    return this.#counts();
  }

  async stop(): Promise<TraceResult> {
    this.#end.begin({ why: 'asked' });
    clearInterval(this.#watch);
    const end = await this.#end.ended;
    await this.#counters.end();
    return { ...this.#counts(), undercount: this.#undercount(), end };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#watch);
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#end.begin({ why: 'asked' });
    this.#counters[Symbol.dispose]();
  }

  #counts(): TraceCounts {
    const records = this.#counters.read();
    return { counters: dropCounters(records, this.#reasons), flows: flowCounters(records) };
  }

  #observe(): void {
    const rate = this.#guard.observe(this.#counters.total(), Date.now());
    if (rate !== undefined) this.#end.begin({ why: 'max-rate', rate });
  }

  #undercount(): string[] {
    const noRoom = framesWithoutRoom(this.#counters.read());
    const misses = this.#counters.misses();
    return [
      ...(noRoom > 0 ? [`${noRoom} frames were lost in more different ways than there was room for`] : []),
      ...(misses > 0
        ? [`${misses} events came while the counting program, or another one, was running on the CPU`]
        : []),
    ];
  }
}
