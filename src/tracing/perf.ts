import { release } from 'node:os';
import type { Readable, Writable } from 'node:stream';

import { parseKernelVersion } from '../domain/kernel-version.ts';
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
import { blindSpotsOf } from './blind.ts';
import { type CountingPlan, dropsOf, eventsOf, flowsOf, planCounting } from './counting-row.ts';
import { answerLimit, startLimit, stopLimit } from './limits.ts';
import { RecordCounter } from './perf-counter.ts';
import { PerfStreamReader } from './perf-stream.ts';
import { RateGuard } from './rate-guard.ts';
import { perfCommandText, perfEventArguments } from './recipes.ts';
import { didNotStart, diedEarly, SessionEnd, unlessAborted, within } from './session-end.ts';
import { findProgram, TracerProcess } from './tracer-process.ts';

/** How often perf is told to hand over what it has, so that the rate can be watched. */
const watchEvery = 1000;

/** Counts with perf: each lost frame is a record that perf hands over and that is added up here. */
export const perfBackend: TracingBackend = {
  name: 'perf',
  start: startPerf,
  commandText: async ({ events, filter, conserve }, duration) =>
    perfCommandText(planCounting(events(), filter, conserve), duration),
};

async function startPerf(request: TraceRequest): Promise<TraceSession> {
  const path = findProgram('perf');
  if (path === undefined) throw new BackendFailure('perf', 'missing', 'not installed');
  // Without --synth no, perf first reads all of /proc; it has the option since 5.15.
  const plan = planFor(request, 'perf');
  return (
    (await tryPerf(path, request, plan, ['--synth', 'no'])) ?? (await tryPerf(path, request, plan, [])) ?? tooOld()
  );
}

function tooOld(): never {
  throw new BackendFailure('perf', 'too-old', 'too old, 5.10 is needed (record --control)');
}

/** @returns undefined when this perf does not know one of the options */
async function tryPerf(
  path: string,
  request: TraceRequest,
  plan: CountingPlan,
  options: string[],
): Promise<TraceSession | undefined> {
  const session = new PerfSession(startRecording(path, plan, options), request, plan);
  try {
    await unlessAborted(request.signal, session.attached);
    return session;
  } catch (error) {
    await session[Symbol.asyncDispose]();
    if (error instanceof BackendFailure && /unknown option/i.test(error.message)) return undefined;
    throw error;
  }
}

/**
 * perf starts with its events switched off and takes commands on descriptor 3, answering on 4. It ends when its workload
 * does: `cat`, which reads from us and so ends when we want, and also when we die.
 */
function startRecording(path: string, plan: CountingPlan, options: string[]): TracerProcess {
  const words = ['record', '-q', '-a', ...options, '-D', '-1', '--control', 'fd:3,4', '-o', '-'];
  return new TracerProcess([path, ...words, ...perfEventArguments(plan), '--', 'cat'], {
    stdio: ['pipe', 'pipe', 'pipe', 'pipe', 'pipe'],
    // Settings of the user's would change the stream.
    env: { PERF_CONFIG: '/dev/null' },
  });
}

class PerfSession implements TraceSession {
  readonly backend = 'perf';
  readonly events: readonly string[];
  readonly blind: readonly string[];
  readonly attached: Promise<void>;
  readonly #tracer: TracerProcess;
  readonly #request: TraceRequest;
  readonly #end = new SessionEnd();
  readonly #guard: RateGuard;
  readonly #counter: RecordCounter;
  readonly #lost = { kernel: 0, perf: 0 };
  readonly #answers: (() => void)[] = [];
  readonly #onAbort = (): void => this.#finish({ why: 'asked' });
  #watch: NodeJS.Timeout | undefined;

  constructor(tracer: TracerProcess, request: TraceRequest, plan: CountingPlan) {
    this.#tracer = tracer;
    this.#request = request;
    this.#counter = new RecordCounter(plan);
    this.#guard = new RateGuard(request.maxRate, Date.now());
    this.events = eventsOf(plan).map((event) => `xdp:${event}`);
    this.blind = blindSpotsOf(plan, parseKernelVersion(release()) ?? { major: 0, minor: 0 });
    this.#listen();
    this.attached = this.#untilAttached();
    // oxlint-disable-next-line promise/prefer-await-to-then -- nobody waits here
    void tracer.exit.then(() => this.#finish({ why: 'failed', error: diedEarly('perf', tracer.stderr) }));
    request.signal?.addEventListener('abort', this.#onAbort);
    if (request.maxRate !== undefined) this.#watch = setInterval(() => void this.#observe(), watchEvery);
  }

  get ended(): Promise<TraceEnd> {
    return this.#end.ended;
  }

  async snapshot(): Promise<TraceCounts> {
    if (this.#request.snapshotEvery === undefined) throw new TypeError('the session was started without snapshotEvery');
    await this.#handOver();
    return this.#counts();
  }

  async stop(): Promise<TraceResult> {
    this.#finish({ why: 'asked' });
    const end = await this.#end.ended;
    if (end.why === 'failed') throw end.error;
    const exit = await within(stopLimit, this.#tracer.exit);
    if (exit?.code !== 0) throw diedEarly('perf', this.#tracer.stderr);
    return { ...this.#counts(), undercount: this.#undercount(), end };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#watch);
    this.#request.signal?.removeEventListener('abort', this.#onAbort);
    this.#end.begin({ why: 'asked' });
    // The workload would else keep the output open.
    this.#tracer.child.stdin?.destroy();
    await this.#tracer[Symbol.asyncDispose]();
  }

  async #untilAttached(): Promise<void> {
    this.#request.onBegin?.();
    const first = await within(startLimit, Promise.race([this.#command('enable'), this.#tracer.exit]));
    if (first === 'answered') return;
    if (first === undefined) throw new BackendFailure('perf', 'failed', `had not attached after ${startLimit} ms`);
    throw didNotStart('perf', this.#tracer.stderr, first.signal ?? `exit code ${first.code}`);
  }

  #listen(): void {
    const { child } = this.#tracer;
    const reader = new PerfStreamReader({
      sample: (record) => this.#counter.add(record),
      lost: (count, from) => (this.#lost[from] += count),
    });
    child.stdout?.on('data', (chunk: Uint8Array) => this.#read(reader, chunk));
    // Both ends may be closed before the other notices.
    for (const stream of child.stdio) stream?.on('error', () => {});
    (child.stdio[4] as Readable).setEncoding('utf8').on('data', (text: string) => {
      // perf answers every command with `ack\n` and a NUL.
      for (const _answer of text.matchAll(/ack/g)) this.#answers.shift()?.();
    });
  }

  #read(reader: PerfStreamReader, chunk: Uint8Array): void {
    if (this.#end.end?.why === 'failed') return;
    try {
      reader.push(chunk);
    } catch (error) {
      const failure = new BackendFailure('perf', 'failed', error instanceof Error ? error.message : String(error));
      this.#finish({ why: 'failed', error: failure });
      this.#tracer.kill();
    }
  }

  #command(word: 'enable' | 'ping'): Promise<'answered'> {
    return new Promise((resolve) => {
      this.#answers.push(() => resolve('answered'));
      (this.#tracer.child.stdio[3] as Writable).write(`${word}\n`);
    });
  }

  /**
   * Makes perf write what is in the kernel's buffers: it empties them between two commands, so the answer to a second
   * one says that it has. (5.12; an older perf does not answer, and writes when a buffer is half full.)
   */
  async #handOver(): Promise<void> {
    await within(answerLimit, Promise.race([this.#command('ping').then(() => this.#command('ping')), this.#end.ended]));
    await new Promise((resolve) => setImmediate(resolve));
  }

  async #observe(): Promise<void> {
    await this.#handOver();
    const rate = this.#guard.observe(this.#counter.total + this.#lostEvents(), Date.now());
    if (rate !== undefined) this.#finish({ why: 'max-rate', rate });
  }

  #counts(): TraceCounts {
    const counts = this.#counter.counts();
    return { counters: dropsOf(counts), flows: flowsOf(counts) };
  }

  #finish(end: TraceEnd): void {
    if (!this.#end.begin(end)) return;
    clearInterval(this.#watch);
    this.#tracer.child.stdin?.end();
  }

  /** The kernel tells of losses in the stream, and perf (6.1) once more at the end. */
  #lostEvents(): number {
    return Math.max(this.#lost.kernel, this.#lost.perf);
  }

  #undercount(): string[] {
    const lost = this.#lostEvents();
    return lost === 0 ? [] : [`perf lost ${lost} events: they came faster than they could be read`];
  }
}
