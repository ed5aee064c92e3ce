import {
  encodeLossesConfig,
  type LossesConfig,
  type LossRecord,
  readLossRecords,
  slotsPerCpu,
  sumOfLosses,
} from '../domain/loss-record.ts';
import { openBuiltin } from './builtin-objects.ts';
import { possibleCpus } from './cpu.ts';
import { gracePeriod } from './grace-period.ts';
import { MappedMap } from './mapped-map.ts';
import type { BpfObject, ProgramLink } from './object.ts';
import { readRecursionMisses } from './program.ts';

/** Slots of all CPUs together, 64 bytes each. */
const ALL_SLOTS = 1 << 17;
const MOST_SLOTS = 4096;

/** What the programs are told, but for the number of slots. */
export type LossCountersConfig = Omit<LossesConfig, 'slots'>;

/**
 * Programs of bpf-objects/losses.bpf.c (or losses_classic.bpf.c) at work: they count in memory that is ours as well. They
 * end with the process, however that ends, because nothing but its descriptors holds them.
 */
export class LossCounters implements Disposable {
  readonly #object: BpfObject;
  readonly #links: ProgramLink[] = [];
  readonly #arrays: MappedMap[] = [];
  #state: MappedMap | undefined;
  readonly #perCpu: number;
  readonly #programs: readonly string[];

  /**
   * Loads and attaches programs; they count once `begin` was called.
   *
   * @param programs which of its programs
   * @param fields what losses_classic is told besides
   * @throws KernelRefusal `object open`, `object load`, `program attach`, `map mmap`
   */
  constructor(
    name: 'losses' | 'losses_classic',
    programs: readonly string[],
    config: LossCountersConfig,
    fields: Uint8Array = new Uint8Array(0),
  ) {
    const cpus = possibleCpus();
    const slots = slotsFor(cpus);
    this.#perCpu = slotsPerCpu(slots);
    this.#programs = programs;
    this.#object = openBuiltin(name);
    try {
      for (const program of this.#object.programs) program.setAutoload(programs.includes(program.name));
      this.#object.map('losses')?.setMaxEntries(this.#perCpu * cpus);
      this.#object.map('freed')?.setMaxEntries(this.#perCpu * cpus);
      const settings = Buffer.concat([encodeLossesConfig({ ...config, slots }), fields]);
      this.#object.map('.rodata')?.setInitialValue(settings);
      this.#object.load();
      for (const array of ['losses', 'freed']) {
        const mapped = this.#mapped(array, false);
        if (mapped !== undefined) this.#arrays.push(mapped);
      }
      // libbpf maps data sections to memory of the map's own only for skeletons.
      this.#state = this.#mapped('.bss', true);
      for (const program of this.#programs) {
        const link = this.#object.program(program)?.attach();
        if (link !== undefined) this.#links.push(link);
      }
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** From now on what is lost is counted, by all programs at once. */
  begin(): void {
    // What has a target first: a frame that is on its way now must not look like one without.
    this.#set(0, 1);
    this.#set(1, 1);
  }

  /** Counting ends; resolves when frames that were on their way are through. */
  async end(): Promise<void> {
    this.#set(1, 0);
    await gracePeriod();
    this.#set(0, 0);
    await gracePeriod();
  }

  read(): LossRecord[] {
    return this.#arrays.flatMap(({ words }) => readLossRecords(words, this.#perCpu));
  }

  /** All that was lost so far, whatever was. */
  total(): number {
    const [losses] = this.#arrays;
    return losses === undefined ? 0 : sumOfLosses(losses.words);
  }

  /**
   * How often the kernel left a program out because it, or another one on a classic tracepoint, was running already.
   *
   * @throws KernelRefusal `prog info`
   */
  misses(): number {
    let misses = 0;
    for (const name of this.#programs) {
      using program = this.#object.program(name)?.openProgram();
      if (program !== undefined) misses += readRecursionMisses(program.fd);
    }
    return misses;
  }

  [Symbol.dispose](): void {
    for (const link of this.#links) link[Symbol.dispose]();
    for (const array of this.#arrays) array[Symbol.dispose]();
    this.#state?.[Symbol.dispose]();
    this.#object[Symbol.dispose]();
  }

  #mapped(name: string, writable: boolean): MappedMap | undefined {
    using map = this.#object.map(name)?.openMap();
    return map && new MappedMap(map, writable);
  }

  /** struct losses_state, which is all of .bss. */
  #set(word: number, value: number): void {
    if (this.#state !== undefined) this.#state.words[word] = value;
  }
}

/** A power of two; large machines get fewer for each CPU. */
function slotsFor(cpus: number): number {
  return Math.min(MOST_SLOTS, 2 ** Math.floor(Math.log2(ALL_SLOTS / cpus)));
}
