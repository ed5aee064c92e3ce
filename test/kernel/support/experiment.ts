import type { Evidence } from '../../../src/domain/evidence.ts';
import type { Finding } from '../../../src/domain/finding.ts';
import { findingsOf, totalOf } from '../../../src/domain/ledger.ts';
import type { LiveSystem } from '../../../src/domain/live-system.ts';
import { readLiveSystem } from '../../../src/kernel/inventory.ts';
import { kernelFunctionAt } from '../../../src/kernel/kernel-symbols.ts';
import { evidenceBetween, readCounters } from '../../../src/kernel/loss-evidence.ts';
import { mountKernelFilesystem } from '../../../src/kernel/tracefs-mount.ts';
import type { TraceCounts, TraceResult, TraceSession } from '../../../src/tracing/backend.ts';
import { bpftraceBackend } from '../../../src/tracing/bpftrace.ts';
import { builtinBackend, classicBackend } from '../../../src/tracing/builtin.ts';
import { perfBackend } from '../../../src/tracing/perf.ts';
import { ensureTracefs, type Events, readEvents } from '../../../src/tracing/tracefs.ts';
import { slowness } from '../../support/slowness.ts';
import { type Counting, lostIn, type LossCase, type Passage } from './loss-case.ts';
import { createLossyPath, faultyObject, type LossyPath } from './lossy-path.ts';

const backends = {
  builtin: builtinBackend,
  classic: classicBackend,
  bpftrace: bpftraceBackend,
  perf: perfBackend,
} as const;

export const names = Object.keys(backends) as Counting[];

const events = (): Events => readEvents(ensureTracefs(mountKernelFilesystem), 'xdp');

/** How long frames may take to get lost. */
const PATIENCE_MS = 20_000 * slowness;

/** How often an experiment is made that others disturb. */
const TRIES = 3;

/** A path for each case, on which frames get lost while all backends count at once. */
export class Experiment implements Disposable {
  readonly #paths = new Map<Passage, LossyPath>();
  readonly #held: Disposable[] = [];
  #results = new Map<Counting, TraceResult>();
  #system: LiveSystem | undefined;
  #evidence: Evidence = {};

  /**
   * Does it all once more where others on the machine made more events meanwhile than could be read.
   *
   * @param send makes the frames of a case come, and may wait for what becomes of them
   * @param counting who counts; `builtin` among them, because it says when all are lost
   */
  async run<Case extends Passage>(
    cases: readonly Case[],
    send: (each: Case, path: LossyPath) => Promise<void>,
    counting: readonly Counting[] = names,
  ): Promise<void> {
    for (let left = TRIES; left > 0; left -= 1) {
      await this.#run(cases, send, counting);
      if ([...this.#results.values()].every(({ undercount }) => undercount.length === 0)) return;
      if (left > 1) this[Symbol.dispose]();
    }
  }

  async #run<Case extends Passage>(
    cases: readonly Case[],
    send: (each: Case, path: LossyPath) => Promise<void>,
    counting: readonly Counting[],
  ): Promise<void> {
    for (const each of cases) this.#make(each);
    const paths = [...this.#paths.values()];
    const filter = { ifindexes: paths.flatMap(({ ingress, egress }) => [ingress.ifindex, egress.ifindex]) };
    const sessions = new Map<Counting, TraceSession>();
    try {
      for (const name of counting) {
        sessions.set(name, await backends[name].start({ filter, events, conserve: true }));
      }
      const before = readLiveSystem();
      const reading = readCounters(before);
      for (const each of cases) await send(each, this.pathOf(each));
      this.#system = readLiveSystem();
      this.#evidence = { ...evidenceBetween(reading, readCounters(before)), before, functionAt: kernelFunctionAt };
      await this.#untilAllLost(cases, sessions.get('builtin'));
      for (const [name, session] of sessions) this.#results.set(name, await session.stop());
      this.#evidence = { ...evidenceBetween(reading, readCounters(before)), before, functionAt: kernelFunctionAt };
    } finally {
      for (const session of sessions.values()) await session[Symbol.asyncDispose]();
    }
  }

  pathOf(each: Passage): LossyPath {
    const path = this.#paths.get(each);
    if (path === undefined) throw new Error('this case was not run');
    return path;
  }

  resultOf(backend: Counting): TraceResult {
    const result = this.#results.get(backend);
    if (result === undefined) throw new Error(`${backend} has not counted`);
    return result;
  }

  /** What is said about one path: the event may name the ingress, only the target, or only the map. */
  findingsAbout(path: LossyPath, backend: Counting): Finding[] {
    return this.#findings(path, this.resultOf(backend));
  }

  [Symbol.dispose](): void {
    for (const thing of this.#held.splice(0).toReversed()) thing[Symbol.dispose]();
  }

  #make(each: Passage): void {
    const path = createLossyPath(each.object ?? faultyObject, each.program, each.mode);
    this.#held.push(path);
    this.#paths.set(each, path);
    const more = each.breakIt?.(path);
    if (more !== undefined) this.#held.push(more);
  }

  #findings(path: LossyPath, { counters, flows }: TraceCounts): Finding[] {
    if (this.#system === undefined) throw new Error('nothing was sent');
    const own = new Set([path.ingress.ifindex, path.egress.ifindex]);
    const evidence = { ...this.#evidence, flows };
    return findingsOf(counters, this.#system, { ifindexes: [...own] }, evidence).filter(
      ({ from, to, map }) => own.has(from?.ifindex ?? 0) || own.has(to?.ifindex ?? 0) || path.hasMap(map?.id),
    );
  }

  /** Some frames are lost by a thread of the kernel, which takes its time. */
  async #untilAllLost(cases: readonly Passage[], session: TraceSession | undefined): Promise<void> {
    const end = performance.now() + PATIENCE_MS;
    for (const each of cases.filter(isLossCase)) {
      const path = this.pathOf(each);
      // Nobody sees these.
      if (each.blind?.includes('builtin')) continue;
      const isThere = async (): Promise<boolean> =>
        session === undefined || totalOf(this.#findings(path, await session.snapshot())) >= lostIn(each, path);
      while (!(await isThere()) && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

function isLossCase(each: Passage): each is LossCase {
  return 'code' in each;
}
