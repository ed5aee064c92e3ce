import { littleEndian } from '../../../domain/byte-order.ts';
import { setProgram } from '../../../domain/devmap.ts';
import { ToolError } from '../../../domain/errors.ts';
import { BPF_ANY, type BpfMap } from '../../../kernel/map.ts';
import { counted } from '../../../output/reporter.ts';
import { type Context, Interrupted } from '../../context.ts';
import { toToolError } from '../../to-tool-error.ts';
import { refusedEntry } from '../entry-refusal.ts';
import { ADD, type ImportPlan, KEEP } from './import-plan.ts';
import { placed } from './import-table.ts';
import type { Programs } from './names.ts';
import { isArray, isDevmap } from './transferable.ts';

/** Changes between two looks at the clock; each of a cpumap starts or ends a thread (70 µs). */
const STRIDE = 64;

/** Makes the changes of a plan, or none of them. */
export class ImportRun {
  readonly #plan: ImportPlan;
  readonly #programs: Programs;
  readonly #entries: readonly unknown[];
  readonly #total: number;
  /** How many changes were made; they are made, and undone, in one order. */
  #done = 0;

  /** @param entries of the document, for messages */
  constructor(plan: ImportPlan, programs: Programs, entries: readonly unknown[]) {
    this.#plan = plan;
    this.#programs = programs;
    this.#entries = entries;
    this.#total = plan.obsolete.length + plan.actions.reduce((sum, action) => sum + (action === KEEP ? 0 : 1), 0);
  }

  /**
   * @throws ToolError what the kernel refused, after what was done before has been undone; Interrupted, saying how far it
   *   came: what was done stays, and the same import completes it
   */
  async run(context: Context): Promise<void> {
    try {
      for (const change of this.#changes()) {
        change.make();
        this.#done += 1;
        const pause = this.#done % STRIDE === 0 ? context.breathe() : undefined;
        if (pause !== undefined) await pause;
      }
    } catch (error) {
      if (error instanceof Interrupted) {
        throw new Interrupted(
          `interrupted: ${this.#done} of ${counted(this.#total, 'change was', 'changes were')} made`,
        );
      }
      throw this.#undone(error);
    }
  }

  *#changes(): Generator<Change> {
    const { removeFirst } = this.#plan;
    if (removeFirst) yield* this.#removals();
    yield* this.#writes();
    if (!removeFirst) yield* this.#removals();
  }

  *#writes(): Generator<Change> {
    const { map, table, actions, olds } = this.#plan;
    for (let index = 0; index < table.count; index += 1) {
      const action = actions[index];
      if (action === KEEP) continue;
      const key = part(table.keys, index, map.info.keySize);
      yield {
        make: () => this.#write(key, part(table.values, index, map.valueLength), index),
        undo: () => (action === ADD ? map.delete(key) : this.#put(key, part(olds, index, map.valueLength))),
      };
    }
  }

  *#removals(): Generator<Change> {
    const { map, obsolete } = this.#plan;
    const zeros = isArray(map.info.typeName) ? new Uint8Array(map.valueLength) : undefined;
    for (const { key, value } of obsolete) {
      yield {
        make: () => (zeros === undefined ? map.delete(key) : map.update(key, zeros, BPF_ANY)),
        undo: () => this.#put(key, value),
      };
    }
  }

  #write(key: Uint8Array, value: Uint8Array, index: number): void {
    try {
      this.#put(key, value);
    } catch (error) {
      const written = { key, value: this.#withDescriptor(value), program: this.#programs.byId(programId(value)) };
      throw placed(refusedEntry(error, this.#plan.map, written), index, this.#entries[index]);
    }
  }

  #put(key: Uint8Array, value: Uint8Array): void {
    this.#plan.map.update(key, this.#withDescriptor(value), BPF_ANY);
  }

  /** The value as the kernel takes it: with the descriptor of a program where it gives out the id. */
  #withDescriptor(value: Uint8Array): Uint8Array {
    if (this.#programs.none || !namesProgram(this.#plan.map) || programId(value) === 0) return value;
    const program = this.#programs.byId(programId(value));
    if (program === undefined) throw new ToolError('not-found', `program ${programId(value)} cannot be opened`);
    const copy = value.slice();
    setProgram(copy, program.fd);
    return copy;
  }

  /** Undoes what was done, from the last change to the first, and says so in the error. */
  #undone(error: unknown): unknown {
    const made = [...this.#changes()].slice(0, this.#done);
    let failed = 0;
    for (const change of made.toReversed()) {
      try {
        change.undo();
      } catch {
        failed += 1;
      }
    }
    const failure = toToolError(error);
    const undone = `; ${counted(made.length - failed, 'change', 'changes')} made before it ${made.length - failed === 1 ? 'was' : 'were'} undone`;
    const lost = failed === 0 ? '' : `, and ${failed} could not be`;
    const told = made.length === 0 ? '; nothing was changed' : `${undone}${lost}`;
    return failure.reworded(`${failure.message}${told}`, { cause: error });
  }
}

interface Change {
  make(): unknown;
  undo(): unknown;
}

function part(bytes: Uint8Array, index: number, size: number): Uint8Array {
  return bytes.subarray(index * size, (index + 1) * size);
}

function namesProgram({ info: { typeName, valueSize } }: BpfMap): boolean {
  return valueSize >= 8 && (isDevmap(typeName) || typeName === 'cpumap');
}

function programId(value: Uint8Array): number {
  return value.length < 8 ? 0 : new DataView(value.buffer, value.byteOffset, 8).getUint32(4, littleEndian);
}
