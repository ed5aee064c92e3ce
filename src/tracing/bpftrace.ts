import { execFile } from 'node:child_process';
import { statSync } from 'node:fs';
import { availableParallelism, release } from 'node:os';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';

import { kernelAtLeast, parseKernelVersion } from '../domain/kernel-version.ts';
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
import { type BpftraceMessage, bpftraceComplaints, countsOfMaps, parseBpftraceLine } from './bpftrace-output.ts';
import { type CountingPlan, dropsOf, eventsOf, flowsOf, planCounting } from './counting-row.ts';
import { startLimit, stopLimit } from './limits.ts';
import { RateGuard } from './rate-guard.ts';
import {
  bpftraceArguments,
  bpftraceCommandText,
  bpftraceEnvironment,
  bpftraceMapKeys,
  bpftraceProgram,
} from './recipes.ts';
import { runMissesOf } from './run-misses.ts';
import { didNotStart, diedEarly, hadNoRoom, mainComplaint, SessionEnd, unlessAborted, within } from './session-end.ts';
import { findProgram, TracerProcess } from './tracer-process.ts';

/** First release with JSON output of maps with several keys as it is read here. */
const oldest = [0, 11] as const;

/** Without snapshots: often enough to notice soon that nobody listens, or that the rate is too high. */
const defaultTick = 1000;

/** Counts with bpftrace: the kernel adds up, nothing is written for each frame. */
export const bpftraceBackend: TracingBackend = {
  name: 'bpftrace',
  start: startBpftrace,
  commandText: bpftraceText,
};

async function startBpftrace(request: TraceRequest): Promise<TraceSession> {
  const path = findProgram('bpftrace');
  if (path === undefined) throw new BackendFailure('bpftrace', 'missing', 'not installed');
  const version = await bpftraceVersion(path);
  if (version !== undefined && isBefore(version, oldest)) {
    throw new BackendFailure('bpftrace', 'too-old', `${version.join('.')} is too old, ${oldest.join('.')} is needed`);
  }
  const plan = planFor(request, 'bpftrace');
  const mapKeys = bpftraceMapKeys(availableParallelism());
  const program = bpftraceProgram(plan, {
    arrow: wantsArrow(version),
    tickMilliseconds: request.snapshotEvery ?? defaultTick,
    printAtTick: request.snapshotEvery !== undefined || request.maxRate !== undefined,
  });
  // Counting begins when its probes are attached, which we hear of afterwards only.
  request.onBegin?.();
  const tracer = new TracerProcess([path, ...bpftraceArguments(program, findProgram('cat') ?? 'cat')], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: bpftraceEnvironment(mapKeys, hiddenBtf()),
  });
  const session = new BpftraceSession(tracer, request, plan, mapKeys);
  try {
    await unlessAborted(request.signal, session.attached);
  } catch (error) {
    await session[Symbol.asyncDispose]();
    throw error;
  }
  return session;
}

async function bpftraceText({ events, filter, conserve }: TraceRequest, duration?: number): Promise<string> {
  const path = findProgram('bpftrace');
  const version = path === undefined ? undefined : await bpftraceVersion(path);
  const plan = planCounting(events(), filter, conserve);
  const mapKeys = bpftraceMapKeys(availableParallelism());
  return bpftraceCommandText(plan, { arrow: wantsArrow(version), mapKeys, btf: hiddenBtf() }, duration);
}

/**
 * The kernel's own types where bpftrace (0.17 and others) looks for them among the BTF objects with an id, which they are
 * only since Linux 5.11: without them it does not know the types of a tracepoint's fields. Undefined elsewhere, and where
 * the user says where they are.
 */
function hiddenBtf(): string | undefined {
  const kernel = parseKernelVersion(release());
  if (kernel === undefined || kernelAtLeast(kernel, '5.11') || process.env['BPFTRACE_BTF'] !== undefined)
    return undefined;
  // bpftrace 0.17 ends with SIGSEGV where there are no types in it.
  return statSync(KERNEL_BTF, { throwIfNoEntry: false })?.isFile() === true ? KERNEL_BTF : undefined;
}

const KERNEL_BTF = '/sys/kernel/btf/vmlinux';

/** Builds that do not tell their version are new ones. */
function wantsArrow(version: Version | undefined): boolean {
  return version !== undefined && isBefore(version, [0, 19]);
}

class BpftraceSession implements TraceSession {
  readonly backend = 'bpftrace';
  readonly events: readonly string[];
  readonly blind: readonly string[];
  readonly attached: Promise<void>;
  readonly #tracer: TracerProcess;
  readonly #request: TraceRequest;
  readonly #plan: CountingPlan;
  readonly #mapKeys: number;
  readonly #end = new SessionEnd();
  readonly #guard: RateGuard;
  readonly #maps = new Map<string, ReadonlyMap<string, number>>();
  readonly #waiting = new Set<() => void>();
  readonly #onAbort = (): void => this.#finish({ why: 'asked' });
  #attached: () => void = () => {};
  #misses = 0;
  /** Whether it has begun to print its maps for the last time. */
  #ending = false;

  constructor(tracer: TracerProcess, request: TraceRequest, plan: CountingPlan, mapKeys: number) {
    this.#tracer = tracer;
    this.#request = request;
    this.#plan = plan;
    this.#mapKeys = mapKeys;
    this.#guard = new RateGuard(request.maxRate, Date.now());
    this.events = eventsOf(plan).map((event) => `xdp:${event}`);
    const kernel = parseKernelVersion(release()) ?? { major: 0, minor: 0 };
    this.blind = [
      ...blindSpotsOf(plan, kernel),
      ...(kernelAtLeast(kernel, '6.7')
        ? []
        : ['events that come while another BPF program runs on the CPU are missed']),
    ];
    this.attached = this.#untilAttached();
    // oxlint-disable-next-line promise/prefer-await-to-then -- nobody waits here
    void tracer.exit.then(() => this.#finish({ why: 'failed', error: diedEarly('bpftrace', this.#complaints()) }));
    request.signal?.addEventListener('abort', this.#onAbort);
    // It may have ended before us.
    tracer.child.stdin?.on('error', () => {});
    const lines = createInterface({ input: tracer.child.stdout as Readable, crlfDelay: Infinity });
    lines.on('line', (line) => this.#hear(parseBpftraceLine(line)));
  }

  get ended(): Promise<TraceEnd> {
    return this.#end.ended;
  }

  async snapshot(): Promise<TraceCounts> {
    if (this.#request.snapshotEvery === undefined) throw new TypeError('the session was started without snapshotEvery');
    if (this.#end.end === undefined) {
      const tick = new Promise<void>((resolve) => this.#waiting.add(resolve));
      await Promise.race([tick, this.#end.ended]);
    }
    return this.#counts();
  }

  async stop(): Promise<TraceResult> {
    this.#finish({ why: 'asked' });
    const end = await this.#end.ended;
    if (end.why === 'failed') throw end.error;
    const exit = await within(stopLimit, this.#tracer.exit);
    if (exit?.code !== 0 || !this.#ending) throw diedEarly('bpftrace', this.#complaints());
    return { ...this.#counts(), undercount: this.#undercount(), end };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#request.signal?.removeEventListener('abort', this.#onAbort);
    this.#end.begin({ why: 'asked' });
    // The workload would else keep the output open.
    this.#tracer.child.stdin?.destroy();
    await this.#tracer[Symbol.asyncDispose]();
  }

  async #untilAttached(): Promise<void> {
    const attached = new Promise<'attached'>((resolve) => (this.#attached = () => resolve('attached')));
    const first = await within(startLimit, Promise.race([attached, this.#tracer.exit]));
    if (first === 'attached') return;
    if (first === undefined) throw new BackendFailure('bpftrace', 'failed', `had not attached after ${startLimit} ms`);
    throw didNotStart('bpftrace', this.#complaints(), first.signal ?? `exit code ${first.code}`);
  }

  #hear(message: BpftraceMessage | undefined): void {
    if (message?.type === 'ready') this.#attached();
    if (message?.type === 'map') this.#maps.set(message.name, message.entries);
    if (message?.type === 'tick') this.#tick();
    if (message?.type === 'end') this.#ending = true;
  }

  #tick(): void {
    const rate = this.#guard.observe(this.#total(), Date.now());
    if (rate !== undefined) this.#finish({ why: 'max-rate', rate });
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }

  /**
   * When its workload ends, `cat` that reads from us, bpftrace takes its probes out and prints its maps. A signal would do
   * it too, but one that interrupts it while it writes makes it drop all that it has still to say.
   */
  #finish(end: TraceEnd): void {
    if (!this.#end.begin(end) || end.why === 'failed' || this.#tracer.pid === undefined) return;
    this.#misses = runMissesOf(this.#tracer.pid);
    this.#tracer.child.stdin?.end();
  }

  #counts(): TraceCounts {
    const counts = countsOfMaps(this.#plan, this.#maps);
    return { counters: dropsOf(counts), flows: flowsOf(counts) };
  }

  /** What the kernel had to count, lost or not. */
  #total(): number {
    let total = 0;
    for (const entries of this.#maps.values()) for (const count of entries.values()) total += count;
    return total;
  }

  #undercount(): string[] {
    const full = [...this.#maps.values()].some((entries) => entries.size >= this.#mapKeys);
    return [
      ...(full ? [`more than ${this.#mapKeys} different kinds of loss: bpftrace had no room for the others`] : []),
      ...(this.#misses > 0
        ? [`bpftrace missed ${this.#misses} events that came while another BPF program ran on the same CPU`]
        : []),
    ];
  }

  #complaints(): string {
    return bpftraceComplaints(this.#tracer.stderr);
  }
}

type Version = readonly [major: number, minor: number];

/** `bpftrace v0.17.0` → [0, 17]; undefined when it says something else, as builds from a working tree do. */
async function bpftraceVersion(path: string): Promise<Version | undefined> {
  try {
    const { stdout } = await promisify(execFile)(path, ['--version']);
    const match = /v?(\d+)\.(\d+)/.exec(stdout);
    return match === null ? undefined : [Number(match[1]), Number(match[2])];
  } catch (error) {
    const kind = hadNoRoom(String(error)) ? 'refused' : 'failed';
    throw new BackendFailure('bpftrace', kind, `${path} --version: ${mainComplaint(String(error))}`);
  }
}

function isBefore([major, minor]: Version, [wantedMajor, wantedMinor]: Version): boolean {
  return major < wantedMajor || (major === wantedMajor && minor < wantedMinor);
}
