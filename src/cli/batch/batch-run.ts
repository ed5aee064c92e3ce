import { type BatchPlace, ToolError, usageError } from '../../domain/errors.ts';
import { EEXIST, ENOENT } from '../../kernel/check.ts';
import type { Outcome, SequencePrinter } from '../../output/outcome.ts';
import { counted } from '../../output/reporter.ts';
import { type Context, Interrupted } from '../context.ts';
import { type InputFile, linePieces } from '../input-file.ts';
import { interruptionOf } from '../interruption.ts';
import { Rehearsal } from '../rehearsal.ts';
import { toToolError } from '../to-tool-error.ts';
import type { Input, Verb } from '../verb.ts';
import { CommandReader } from './command-reader.ts';
import { lineFailure, placeText } from './line-failure.ts';
import { lineVerb, parseLine, runLine } from './line.ts';

const NO_OPTIONS: Input['options'] = {};

/** Lines between two looks at the clock. */
const STRIDE = 64;

/** The commands of a batch, run one after another. */
export class BatchRun {
  /** Whether a line found what its --exit-code asked for. */
  findings = false;
  readonly #input: InputFile;
  readonly #keepGoing: boolean;
  readonly #context: Context;
  readonly #reader = new CommandReader();
  /** Verbs that a line has named, by object and verb. */
  readonly #verbs = new Map<string, Map<string, Verb>>();
  /** Where the last command began; 0 before the first. */
  #line = 0;
  /** Whether that command is not done yet. */
  #running = false;
  /** Whether a name or a pin may mean another map after the line that runs. */
  #renamed = false;
  #applied = 0;
  #failed = 0;
  #firstFailure: ToolError | undefined;

  /** A dry run goes on after errors, because it checks every line. */
  constructor(input: InputFile, keepGoing: boolean, context: Context) {
    this.#input = input;
    this.#keepGoing = keepGoing || context.options.dryRun;
    this.#context = input.name === 'standard input' ? { ...context, stdin: stdinIsTaken } : context;
  }

  /**
   * Runs all lines and prints what they give.
   *
   * @throws ToolError that of the first line that fails, with its place; Interrupted saying how far it came
   */
  async run(printer: SequencePrinter): Promise<void> {
    const { maps, options } = this.#context;
    using rehearsal = options.dryRun ? new Rehearsal() : undefined;
    maps.rehearsal = rehearsal;
    try {
      await this.#runAll(printer);
    } catch (error) {
      throw error instanceof Interrupted ? new Interrupted(this.#progress(error.message)) : error;
    } finally {
      maps.rehearsal = undefined;
    }
    if (this.#firstFailure !== undefined) throw this.#summary(this.#firstFailure);
    printer.footer(`${options.dryRun ? 'checked' : 'processed'} ${this.#applied} commands`);
  }

  async #runAll(printer: SequencePrinter): Promise<void> {
    for await (const piece of linePieces(this.#input)) {
      // While the batch waited, somebody else may have changed what a pin or a name means.
      this.#context.maps.forget();
      this.#reader.feed(piece);
      await this.#runLines(printer);
      await printer.flush();
    }
    this.#reader.end();
    await this.#runLines(printer);
  }

  /** Runs what has been read; nothing is awaited that need not be. */
  async #runLines(printer: SequencePrinter): Promise<void> {
    const reader = this.#reader;
    for (let count = 1; ; count += 1) {
      let words: string[] | undefined;
      try {
        if (!reader.next()) return;
        words = reader.words;
        this.#line = reader.line;
        this.#running = true;
        let outcome = this.#runCommand(words);
        if (outcome instanceof Promise) outcome = await outcome;
        if (outcome?.findings) this.findings = true;
        const printing = printer.command(words, outcome);
        if (printing !== undefined) await printing;
        this.#applied += 1;
        this.#running = false;
      } catch (thrown) {
        const error = await interruptionOf(thrown, this.#context.signal);
        if (error instanceof Interrupted) throw error;
        this.#running = false;
        await printer.flush();
        await this.#fail(error, words);
      }
      if (this.#renamed) {
        this.#renamed = false;
        this.#context.maps.forget();
      }
      if (count % STRIDE === 0) {
        const pause = this.#context.breathe();
        if (pause !== undefined) await pause;
      }
    }
  }

  #runCommand(words: readonly string[]): Outcome | undefined | Promise<Outcome | undefined> {
    const verb = this.#verbs.get(words[0] as string)?.get(words[1] as string);
    if (verb === undefined || this.#reader.dashed) return this.#runUnknown(words);
    return this.#runVerb(verb, words);
  }

  #runVerb(verb: Verb, words: readonly string[]): Outcome | undefined | Promise<Outcome | undefined> {
    // Also when it fails half way, and not before its output is printed.
    if (verb.changes !== undefined && !verb.namesStay) this.#renamed = true;
    return verb.run({ words: words.slice(2), options: NO_OPTIONS }, this.#context);
  }

  /** A line that has options, or the first with its verb. */
  async #runUnknown(words: readonly string[]): Promise<Outcome | undefined> {
    if (!this.#reader.dashed) {
      const verb = await lineVerb(words, this.#context);
      const [object = '', name] = words;
      if (name !== undefined) this.#remember(object, name, verb);
      return this.#runVerb(verb, words);
    }
    const line = await parseLine(words, this.#context);
    if (line.verb.changes !== undefined && !line.verb.namesStay) this.#renamed = true;
    return runLine(line, this.#context);
  }

  #remember(object: string, name: string, verb: Verb): void {
    let verbs = this.#verbs.get(object);
    if (verbs === undefined) {
      verbs = new Map();
      this.#verbs.set(object, verbs);
    }
    verbs.set(name, verb);
  }

  async #fail(error: unknown, words: readonly string[] | undefined): Promise<void> {
    const cause = toToolError(error);
    const { line } = this.#reader;
    const place: BatchPlace = {
      file: this.#input.name,
      line,
      ...(words !== undefined && { command: words }),
      applied: this.#applied,
    };
    if (this.#mayBeCured(cause)) {
      this.#applied += 1;
      const message = `${placeText(place, false)}${cause.message}; the lines before it may change that`;
      await this.#context.warn({ message });
      return;
    }
    const failure = lineFailure(cause, place, !this.#keepGoing);
    if (!this.#keepGoing) throw failure;
    this.#firstFailure ??= failure;
    this.#failed += 1;
    await this.#context.failure(failure);
  }

  /** Whether a line that is only checked misses, or meets, an entry that an earlier line would have made or removed. */
  #mayBeCured({ operation, errno }: ToolError): boolean {
    if (!this.#context.options.dryRun || this.#applied === 0) return false;
    return (errno === ENOENT || errno === EEXIST) && /^map (lookup|getnext|update|delete)$/.test(operation ?? '');
  }

  /** @param within how far the command of the last line came */
  #progress(within: string): string {
    const { dryRun } = this.#context.options;
    const done = `${counted(this.#applied, 'command was', 'commands were')} ${dryRun ? 'checked' : 'applied'}`;
    const where = `interrupted ${this.#running ? 'in' : 'after'} line ${this.#line} of ${this.#input.name}`;
    return `${where}: ${done}${within === '' ? '' : `; on that line ${within}`}`;
  }

  #summary(first: ToolError): ToolError {
    const all = this.#failed + this.#applied;
    const line = first.batch?.line;
    return new ToolError(
      first.kind,
      `${this.#failed} of ${counted(all, 'command', 'commands')} of ${this.#input.name} failed, the first on line ${line}`,
    );
  }
}

function stdinIsTaken(): never {
  throw usageError('standard input is the batch itself: the document, or the batch, must be in a file');
}
