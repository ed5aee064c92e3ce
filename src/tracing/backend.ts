import type { DropCounter } from '../domain/drop-counter.ts';
import type { CountingPlan } from './counting-row.ts';

export type BackendName = 'bpftrace' | 'perf';

export interface TraceRequest {
  readonly plan: CountingPlan;
  /** Ends the session as stop() does, or its start with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Stops a tracer that sees more lost frames a second than this. */
  readonly maxRate?: number;
  /** How often counts are wanted while it runs (milliseconds); without it snapshot() is not available. */
  readonly snapshotEvery?: number;
}

/** Why a session ended. */
export type TraceEnd =
  | { readonly why: 'asked' }
  | { readonly why: 'max-rate'; /** Lost frames a second. */ readonly rate: number }
  | { readonly why: 'failed'; readonly error: Error };

export interface TraceResult {
  readonly counters: readonly DropCounter[];
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
  snapshot(): Promise<readonly DropCounter[]>;
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
  /** The command to copy and paste that counts the same. */
  commandText(plan: CountingPlan): Promise<string>;
}

/** Why a backend cannot be used here. `reason` completes "bpftrace: …". */
export class BackendFailure extends Error {
  override readonly name = 'BackendFailure';
  readonly backend: BackendName;
  readonly kind: 'missing' | 'too-old' | 'permission' | 'failed';

  constructor(backend: BackendName, kind: BackendFailure['kind'], reason: string) {
    super(reason);
    this.backend = backend;
    this.kind = kind;
  }
}
