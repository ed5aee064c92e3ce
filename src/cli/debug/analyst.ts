import { countingFilter } from '../../domain/counting-filter.ts';
import { countersSince } from '../../domain/drop-counter.ts';
import { type DropFilter, isFlowAskedFor } from '../../domain/drop-filter.ts';
import type { Evidence } from '../../domain/evidence.ts';
import type { Finding } from '../../domain/finding.ts';
import { type FlowCounter, flowsSince } from '../../domain/flow-counter.ts';
import { findingsOf } from '../../domain/ledger.ts';
import type { LiveSystem } from '../../domain/live-system.ts';
import { remembering } from '../../domain/system-memory.ts';
import { readLiveSystem } from '../../kernel/inventory.ts';
import { kernelFunctionAt } from '../../kernel/kernel-symbols.ts';
import { type CounterReading, evidenceBetween, noReading, readCounters } from '../../kernel/loss-evidence.ts';
import type { TraceCounts } from '../../tracing/backend.ts';

/** While losses are watched, the system is looked at again after this time (milliseconds), or when something is new. */
const STALE = 5000;
const SOON = 1000;

const nothing: TraceCounts = { counters: [], flows: [] };

/** Makes verdicts of counts: joins them with what the system was like before, is now, and has counted meanwhile. */
export class Analyst {
  readonly #filter: DropFilter;
  readonly #before: LiveSystem;
  #system: LiveSystem;
  /** The last look, without what is only remembered. */
  #looked: LiveSystem;
  #seen = performance.now();
  #first = noReading;
  #last = noReading;
  #counts = nothing;

  /** Looks at the system as it is before losses are counted. */
  constructor(filter: DropFilter) {
    this.#filter = filter;
    this.#before = readLiveSystem();
    this.#system = this.#before;
    this.#looked = this.#before;
  }

  /** What is to be counted, so that what was asked for is explained. */
  get countingFilter(): DropFilter {
    return countingFilter(this.#filter, this.#before);
  }

  /** To be called right before counting begins, so that what the kernel counts is over the same time. */
  readonly begin = (): void => {
    this.#first = readCounters(this.#before);
    this.#last = this.#first;
  };

  /** Redirected and transmitted frames that were asked for, between the last two calls of `since`, or in all. */
  flows: readonly FlowCounter[] = [];

  /** What was lost since this was last called, or since counting began. */
  since(counts: TraceCounts): readonly Finding[] {
    const counters = countersSince(this.#counts.counters, counts.counters);
    const flows = flowsSince(this.#counts.flows, counts.flows);
    this.flows = this.#asked(flows);
    if (counters.length > 0) this.#refresh(this.#isUnknown(counters) ? SOON : STALE, counts);
    const reading = readCounters(this.#system);
    const evidence = this.#evidence(this.#last, reading, flows);
    this.#counts = counts;
    this.#last = reading;
    return findingsOf(counters, this.#system, this.#filter, evidence);
  }

  /** What was lost in all. */
  total(counts: TraceCounts): readonly Finding[] {
    const { counters, flows } = counts;
    this.flows = this.#asked(flows);
    const reading = readCounters(this.#system);
    this.#refresh(0, counts);
    return findingsOf(counters, this.#system, this.#filter, this.#evidence(this.#first, reading, flows));
  }

  #asked(flows: TraceCounts['flows']): FlowCounter[] {
    return flows.filter((flow) => isFlowAskedFor(flow, this.#filter));
  }

  #evidence(before: CounterReading, after: CounterReading, flows: TraceCounts['flows']): Evidence {
    return { ...evidenceBetween(before, after), before: this.#before, flows, functionAt: kernelFunctionAt };
  }

  /** @param age milliseconds from which on the last look is too old */
  #refresh(age: number, { counters, flows }: TraceCounts): void {
    if (performance.now() - this.#seen < age) return;
    const now = readLiveSystem();
    this.#system = remembering(now, this.#system, this.#looked, [...counters, ...flows]);
    this.#looked = now;
    this.#seen = performance.now();
  }

  #isUnknown(counters: TraceCounts['counters']): boolean {
    const { programs, devices } = this.#system;
    return counters.some(
      ({ progId, fromIfindex }) =>
        (progId !== undefined && progId !== 0 && !programs.has(progId)) ||
        (fromIfindex !== undefined && !devices.some(({ ifindex }) => ifindex === fromIfindex)),
    );
  }
}
