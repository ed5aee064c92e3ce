import { KernelRefusal, usageError } from '../../../domain/errors.ts';
import { interfaceIndex } from '../../../kernel/interface-names.ts';
import { BpfProgram } from '../../../kernel/program.ts';
import { noInterface } from '../../no-interface.ts';
import { openProgram } from '../../open-program.ts';
import { parseProgramHandle } from '../../words/program-handle.ts';
import { checkKind } from '../entry-refusal.ts';

/** Interfaces by name, each looked up once. */
export class Interfaces {
  readonly #known = new Map<string, number>();

  /** @throws ToolError not-found */
  index(name: string): number {
    let ifindex = this.#known.get(name);
    if (ifindex === undefined) {
      ifindex = interfaceIndex(name);
      if (ifindex === undefined) throw noInterface(`'${name}'`);
      this.#known.set(name, ifindex);
    }
    return ifindex;
  }
}

/**
 * The programs of entries, old and new. They stay open until the import is over: one that no entry and no pin holds any
 * more would be freed, and could not be put back.
 */
export class Programs implements Disposable {
  readonly #kind: 'devmap' | 'cpumap';
  readonly #byText = new Map<string, BpfProgram>();
  readonly #byId = new Map<number, BpfProgram>();

  /** @param kind what entries the programs must have been loaded for */
  constructor(kind: 'devmap' | 'cpumap') {
    this.#kind = kind;
  }

  /** The id of the program that a document names. @throws ToolError not-found, usage */
  idOf(text: string): number {
    let program = this.#byText.get(text);
    if (program === undefined) {
      if (text === '') throw usageError("the program's name is empty");
      program = openProgram(parseProgramHandle(text), `xdp/${this.#kind}`);
      this.#byText.set(text, program);
      checkKind(program, this.#kind);
      this.#byId.set(program.info.id, program);
    }
    return program.info.id;
  }

  /** Keeps the program of an old entry; one that cannot be opened cannot be put back. */
  hold(id: number): void {
    if (this.#byId.has(id)) return;
    try {
      const program = BpfProgram.byId(id);
      this.#byId.set(id, program);
    } catch (error) {
      if (!(error instanceof KernelRefusal)) throw error;
    }
  }

  /** Whether no entry, old or new, has a program. */
  get none(): boolean {
    return this.#byId.size === 0;
  }

  byId(id: number): BpfProgram | undefined {
    return this.#byId.get(id);
  }

  [Symbol.dispose](): void {
    for (const program of new Set([...this.#byText.values(), ...this.#byId.values()])) program[Symbol.dispose]();
  }
}
