import type { BackendName, TraceEnd } from './backend.ts';

/** How often a tracepoint was hit. */
export interface EventCount {
  /** `xdp:xdp_exception` */
  readonly event: string;
  readonly count: number;
}

export interface EventRequest {
  /** Names of the tracepoints of the xdp group; asked for only by what needs tracefs. @throws ToolError */
  names(): readonly string[];
  readonly signal: AbortSignal;
}

/** A counter of tracepoints at work: they are attached when it exists. */
export interface EventSession extends AsyncDisposable {
  readonly backend: BackendName;
  /** Settles when it ends by itself; never rejects. */
  readonly ended: Promise<TraceEnd>;
  /** Ends it and gives what it counted. @throws ToolError when it failed */
  stop(): Promise<readonly EventCount[]>;
}

/** The counts with those of tracepoints that were not hit, most hits first. */
export function completed(names: readonly string[], counts: ReadonlyMap<string, number>): EventCount[] {
  return names
    .map((name) => ({ event: `xdp:${name}`, count: counts.get(name) ?? 0 }))
    .toSorted((a, b) => b.count - a.count || (a.event < b.event ? -1 : 1));
}
