import type { BackendName, TraceEnd } from './backend.ts';
import { BackendFailure } from './backend.ts';
import { completed, type EventCount, type EventSession } from './event-session.ts';
import { startLimit, stopLimit } from './limits.ts';
import { didNotStart, diedEarly, SessionEnd, unlessAborted, within } from './session-end.ts';
import type { TracerProcess } from './tracer-process.ts';

/** What a tool that counts tracepoints says, as far as it matters. */
export interface EventTool {
  readonly name: BackendName;
  readonly tracer: TracerProcess;
  /** Settles once all tracepoints are attached. */
  readonly attached: Promise<'attached'>;
  /** What it has printed of counts, by name of the tracepoint; undefined while it is not all. */
  counts(): ReadonlyMap<string, number> | undefined;
  /** Its words on stderr that are complaints. */
  complaints(): string;
}

/**
 * Waits until a tool has attached.
 *
 * @throws BackendFailure when it does not; the signal's reason
 */
export async function toolSession(
  tool: EventTool,
  names: readonly string[],
  signal: AbortSignal,
): Promise<EventSession> {
  const session = new ToolEvents(tool, names, signal);
  try {
    await unlessAborted(signal, untilAttached(tool));
    return session;
  } catch (error) {
    await session[Symbol.asyncDispose]();
    throw error;
  }
}

async function untilAttached({ name, tracer, attached, complaints }: EventTool): Promise<void> {
  const first = await within(startLimit, Promise.race([attached, tracer.exit]));
  if (first === 'attached') return;
  if (first === undefined) throw new BackendFailure(name, 'failed', `had not attached after ${startLimit} ms`);
  throw didNotStart(name, complaints(), first.signal ?? `exit code ${first.code}`);
}

/** A tool that ends when its workload does: `cat`, which reads from us. */
class ToolEvents implements EventSession {
  readonly #tool: EventTool;
  readonly #names: readonly string[];
  readonly #signal: AbortSignal;
  readonly #end = new SessionEnd();
  readonly #onAbort = (): void => void this.#end.begin({ why: 'asked' });

  constructor(tool: EventTool, names: readonly string[], signal: AbortSignal) {
    this.#tool = tool;
    this.#names = names;
    this.#signal = signal;
    const { tracer, name } = tool;
    // Both ends may be closed before the other notices.
    for (const stream of tracer.child.stdio) stream?.on('error', () => {});
    // oxlint-disable-next-line promise/prefer-await-to-then -- nobody waits here
    void tracer.exit.then(() => this.#end.begin({ why: 'failed', error: diedEarly(name, tool.complaints()) }));
    signal.addEventListener('abort', this.#onAbort);
  }

  get backend(): BackendName {
    return this.#tool.name;
  }

  get ended(): Promise<TraceEnd> {
    return this.#end.ended;
  }

  async stop(): Promise<readonly EventCount[]> {
    const { tracer, name, complaints } = this.#tool;
    this.#end.begin({ why: 'asked' });
    if (this.#end.end?.why === 'failed') throw this.#end.end.error;
    tracer.child.stdin?.end();
    const exit = await within(stopLimit, tracer.exit);
    const counts = this.#tool.counts();
    if (exit?.code !== 0 || counts === undefined) throw diedEarly(name, complaints());
    return completed(this.#names, counts);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#signal.removeEventListener('abort', this.#onAbort);
    this.#tool.tracer.child.stdin?.destroy();
    await this.#tool.tracer[Symbol.asyncDispose]();
  }
}
