import type { DropCounter } from '../domain/drop-counter.ts';
import type { DropFilter } from '../domain/drop-filter.ts';
import { ToolError } from '../domain/errors.ts';
import type { FlowCounter } from '../domain/flow-counter.ts';
import { type CountingPlan, planCounting } from './counting-row.ts';
import { missingCapabilities } from './rights.ts';
import type { Events } from './tracefs.ts';

export type BackendName = 'builtin' | 'bpftrace' | 'perf';

export interface TraceRequest {
  /** What the kernel is to count, as far as an event tells; the rest is left out afterwards. */
  readonly filter: DropFilter;
  /**
   * The xdp tracepoints of this kernel; asked for only by a backend that needs tracefs.
   *
   * @throws ToolError when tracefs cannot be read
   */
  events(): Events;
  /** Whether redirected and transmitted frames are counted as well, to be compared. */
  readonly conserve?: boolean;
  /** Ends the session as stop() does, or its start with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Stops a tracer that counts more frames a second than this. */
  readonly maxRate?: number | undefined;
  /** Called right before counting begins, so that other things can be counted over the same time. */
  readonly onBegin?: () => void;
  /** How often counts are wanted while it runs (milliseconds); without it snapshot() is not available. */
  readonly snapshotEvery?: number;
}

/** Why a session ended. */
export type TraceEnd =
  | { readonly why: 'asked' }
  | { readonly why: 'max-rate'; /** Lost frames a second. */ readonly rate: number }
  | { readonly why: 'failed'; readonly error: Error };

/** What was counted. */
export interface TraceCounts {
  readonly counters: readonly DropCounter[];
  /** With `conserve`; empty without. */
  readonly flows: readonly FlowCounter[];
}

export interface TraceResult extends TraceCounts {
  /** In what way the counts are too low, in sentences; empty when the backend lost nothing. */
  readonly undercount: readonly string[];
  readonly end: TraceEnd;
}

/** A tracer at work: it has attached when the session exists, and counts from then on. */
export interface TraceSession extends AsyncDisposable {
  readonly backend: BackendName;
  /** The tracepoints it listens to, as `xdp:xdp_exception`. */
  readonly events: readonly string[];
  /** What this backend on this kernel cannot see, in sentences. */
  readonly blind: readonly string[];
  /** Settles when the tracer ends or begins to, for whatever reason; never rejects. */
  readonly ended: Promise<TraceEnd>;
  /** The counts so far; needs `snapshotEvery`. */
  snapshot(): Promise<TraceCounts>;
  /**
   * Ends the tracer and gives what it counted.
   *
   * @throws ToolError when the tracer failed: what it counted until then is no answer
   */
  stop(): Promise<TraceResult>;
}

export interface TracingBackend {
  readonly name: BackendName;
  /**
   * Starts the tracer; settles when all its probes are attached.
   *
   * @throws BackendFailure when it cannot be used here
   */
  start(request: TraceRequest): Promise<TraceSession>;
  /**
   * The command to copy and paste that counts the same; undefined when no other tool does what this backend does.
   *
   * @param duration milliseconds after which it ends; without it at Ctrl-C
   * @throws ToolError when tracefs cannot be read
   */
  commandText(request: TraceRequest, duration?: number): Promise<string | undefined>;
}

/** Why a backend cannot be used here. `reason` completes "bpftrace: …". */
export class BackendFailure extends Error {
  override readonly name = 'BackendFailure';
  readonly backend: BackendName;
  /** `refused`: for a reason that has nothing to do with tracing, and may be over soon, as a shortage of memory. */
  readonly kind: 'missing' | 'too-old' | 'permission' | 'failed' | 'refused';
  /** What the user does about it, where that is known. */
  readonly hint: string | undefined;

  constructor(backend: BackendName, kind: BackendFailure['kind'], reason: string, hint?: string) {
    super(reason);
    this.backend = backend;
    this.kind = kind;
    this.hint = hint;
  }
}

/**
 * What is to be counted of the tracepoints that tracefs shows.
 *
 * @throws BackendFailure when tracefs cannot be read
 */
export function planFor({ filter, conserve, events }: TraceRequest, backend: BackendName): CountingPlan {
  return readFor(backend, () => planCounting(events(), filter, conserve));
}

/**
 * Reads tracefs for a backend.
 *
 * @throws BackendFailure when it cannot be read, which then names all that the backend needs
 */
export function readFor<T>(backend: BackendName, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    if (error.kind !== 'permission') {
      throw new BackendFailure(backend, error.kind === 'refused' ? 'refused' : 'failed', error.message, error.hint);
    }
    throw new BackendFailure(backend, 'permission', withNeeds(backend, error.message));
  }
}

/** Words about a refusal, with the capabilities that are missing. */
export function withNeeds(backend: BackendName, words: string): string {
  const missing = missingCapabilities(backend);
  if (missing.length === 0) return words;
  return `it needs ${missing.join(' and ')}${words === '' ? '' : `: ${words}`}`;
}
