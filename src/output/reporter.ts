import type { ToolError } from '../domain/errors.ts';
import { type ColorChoice, type Painter, painter, wantsColor } from './color.ts';
import { failureJson, failureText } from './failure.ts';
import { jsonText } from './json.ts';
import type { Document, Entries, One, Outcome, Remark, Rows, Stream } from './outcome.ts';
import { printable } from './printable.ts';
import { printSequence, printSequenceJson } from './sequence-printer.ts';
import { type ByteStream, Sink } from './sink.ts';
import { boxTable, PlainTable } from './table.ts';

export interface ReporterOptions {
  readonly json: boolean;
  readonly pretty: boolean;
  readonly color: ColorChoice;
  readonly quiet: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** What `warn` takes. */
export type Warning = Remark;

/** Tables of up to so many rows are drawn whole; longer ones flow by in blocks. */
const BLOCK = 1000;

/** Everything the user reads goes through here; human or JSON form is decided once, from the same data. */
export class Reporter {
  readonly out: Sink;
  readonly #err: Sink;
  readonly #options: ReporterOptions;
  readonly #breathe: () => Promise<void> | undefined;
  #outPainter: Painter | undefined;
  #errPainter: Painter | undefined;

  /**
   * @param breathe gives signals their turn now and then; awaited between rows
   */
  constructor(
    streams: { readonly stdout: ByteStream; readonly stderr: ByteStream },
    options: ReporterOptions,
    breathe: () => Promise<void> | undefined = () => undefined,
  ) {
    this.out = new Sink(streams.stdout);
    this.#err = new Sink(streams.stderr);
    this.#options = options;
    this.#breathe = breathe;
  }

  get json(): boolean {
    return this.#options.json;
  }

  /** Prints what a verb returned, with a final newline. */
  async print(outcome: Outcome | undefined): Promise<void> {
    if (outcome === undefined) return;
    if (this.json && outcome.kind !== 'text' && outcome.kind !== 'stream') {
      await this.printJson(outcome, 0);
      this.out.text('\n');
    } else await this.#printHuman(outcome);
    await this.out.end();
    await this.#remark(outcome);
  }

  /** Writes the outcome as one JSON value, without a newline; `depth` is how deep it stands in a surrounding value. */
  async printJson(outcome: Outcome, depth: number): Promise<void> {
    const { pretty } = this.#options;
    switch (outcome.kind) {
      case 'one':
      case 'report':
        this.out.text(jsonText(outcome.data, pretty, depth));
        return;
      case 'rows':
        return this.#rowsJson(outcome, depth);
      case 'entries':
        return this.#entriesJson(outcome, depth);
      case 'text':
        this.out.text(jsonText(outcome.text, pretty, depth));
        return;
      case 'stream':
        return this.#streamJson(outcome);
      case 'document':
        return this.#document(outcome, !pretty);
      case 'sequence':
        return printSequenceJson(outcome, this.out, pretty, async (part, deeper) => {
          await this.printJson(part, deeper);
          await this.#remark(part);
        });
    }
  }

  async warn(warning: Warning): Promise<void> {
    if (this.json) {
      this.#err.text(`${JSON.stringify({ warning })}\n`);
    } else if (!this.#options.quiet) {
      const paint = await this.#paintErr();
      this.#err.text(`${paint('warn', 'warning:')} ${printable(warning.message)}\n`);
      if (warning.hint !== undefined) {
        this.#err.text(`${paint('strong', 'hint:')} ${printable(warning.hint)}\n`);
      }
    }
    await this.#err.end();
  }

  /** The line that tells a script that the kernel side is in place. */
  async ready(text: string): Promise<void> {
    this.#err.text(`ready: ${printable(text)}\n`);
    await this.#err.end();
  }

  /** A line for people about what is going on; not in JSON, not with --quiet. */
  async note(text: string): Promise<void> {
    if (this.json || this.#options.quiet) return;
    this.#err.text(`${printable(text)}\n`);
    await this.#err.end();
  }

  /** How far a command came that a signal stopped. */
  async interruption(text: string): Promise<void> {
    if (this.json) await this.warn({ message: text });
    else await this.note(text);
  }

  /** A line of a library's log (--debug). */
  async log(text: string): Promise<void> {
    this.#err.text(this.json ? `${JSON.stringify({ log: text })}\n` : `${text}\n`);
    await this.#err.end();
  }

  /** Passes on what was printed before a failure. */
  async endOutput(): Promise<void> {
    if (this.json && this.out.position > 0) this.out.text('\n');
    await this.out.end();
  }

  async failure(error: ToolError): Promise<void> {
    if (this.json) this.#err.text(`${JSON.stringify(failureJson(error))}\n`);
    else this.#err.text(failureText(error, await this.#paintErr()));
    await this.#err.end();
  }

  async #printHuman(outcome: Outcome): Promise<void> {
    switch (outcome.kind) {
      case 'one':
        return this.#lines(outcome);
      case 'report': {
        const { text } = outcome;
        this.out.text(typeof text === 'string' ? text : text(await this.#paintOut()));
        return;
      }
      case 'text':
        this.out.text(outcome.text);
        return;
      case 'rows':
        return this.#rowsTable(outcome);
      case 'entries':
        return this.#entriesTable(outcome);
      case 'document':
        await this.#document(outcome, false);
        this.out.text('\n');
        return;
      case 'sequence':
        return printSequence(outcome, this.out, this.#options.quiet, async (part) => {
          await this.#printHuman(part);
          await this.#remark(part);
        });
      case 'stream':
        for await (const item of outcome.items) {
          this.out.text(this.json ? `${jsonText(item.data, false)}\n` : item.text);
          await this.out.end();
          if (this.out.closed) return;
        }
    }
  }

  async #lines({ lines }: One): Promise<void> {
    const paint = await this.#paintOut();
    const width = lines.reduce((longest, [label]) => Math.max(longest, label.length), 0);
    for (const [label, value] of lines) {
      this.out.text(`${paint('dim', label.padEnd(width))}  ${printable(value)}\n`);
    }
  }

  async #rowsTable(outcome: Rows<never>): Promise<void> {
    const paint = await this.#paintOut();
    const columns = outcome.columns.map((column) => ({
      ...column,
      cell: (row: never) => printable(column.cell(row)),
    }));
    const table = new PlainTable<never>(columns, paint);
    let block: never[] = [];
    let count = 0;
    let flowing = !this.out.stream.isTerminal;
    await this.#eachRow(outcome.rows, (row) => {
      block.push(row);
      count += 1;
      if (block.length === BLOCK) {
        flowing = true;
        this.out.text(table.block(block));
        block = [];
      }
    });
    if (flowing) this.out.text(table.block(block));
    else if (count > 0) this.out.text(await boxTable(columns, block, paint));
    if (outcome.footer) this.out.text(`${outcome.footer(count)}\n`);
  }

  async #rowsJson(outcome: Rows<never>, depth: number): Promise<void> {
    const { pretty } = this.#options;
    const indent = pretty ? `\n${' '.repeat(4 * (depth + 1))}` : '';
    let count = 0;
    await this.#array(
      depth,
      () => count,
      () =>
        this.#eachRow(outcome.rows, (row) => {
          this.out.text(`${count > 0 ? ',' : ''}${indent}${jsonText(row, pretty, depth + 1)}`);
          count += 1;
        }),
    );
  }

  /**
   * A JSON array. One that fails half way is closed all the same, so that what came is valid JSON; of one that fails before
   * its first element nothing is printed, unless it stands in a surrounding value.
   */
  async #array(depth: number, count: () => number, elements: () => Promise<void>): Promise<void> {
    const start = this.out.position;
    this.out.text('[');
    const close = (): void => {
      this.out.text(this.#options.pretty && count() > 0 ? `\n${' '.repeat(4 * depth)}]` : ']');
    };
    try {
      await elements();
    } catch (error) {
      if (depth === 0 && count() === 0) this.out.advance(start);
      else close();
      throw error;
    }
    close();
  }

  /** Visits the rows until the reader has gone. Now and then it passes on what was printed, or lets signals be heard. */
  async #eachRow(list: Rows<never>['rows'], visit: (row: never) => void): Promise<void> {
    const pause = (): Promise<void> | undefined => (this.out.pressing ? this.out.drain() : this.#breathe());
    if (Symbol.asyncIterator in list) {
      for await (const row of list) {
        visit(row);
        await pause();
        if (this.out.closed) return;
      }
      return;
    }
    // Apart, because `for await` would wait after each row.
    for (const row of list) {
      visit(row);
      const pausing = pause();
      if (pausing !== undefined) await pausing;
      if (this.out.closed) return;
    }
  }

  async #entriesJson(outcome: Entries, depth: number): Promise<void> {
    const { pretty } = this.#options;
    const { EntryWriter } = await import('./entry-writer.ts');
    const writer = new EntryWriter(outcome.keySize, outcome.valueSize, this.out);
    await this.#array(
      depth,
      () => writer.count,
      () =>
        this.#eachEntry(outcome, (chunk, from, to) => {
          writer.json(chunk, from, to, pretty);
        }),
    );
  }

  async #document(outcome: Document, dense: boolean): Promise<void> {
    const pieces = outcome.pieces(dense);
    try {
      for (let piece = pieces.next(); !piece.done; piece = pieces.next()) {
        this.out.text(piece.value);
        if (this.out.pressing) await this.out.drain();
        if (this.out.closed) return;
        const pause = this.#breathe();
        if (pause !== undefined) await pause;
      }
    } catch (error) {
      // Interrupted: what the document yields now ends it.
      const last = pieces.return(undefined);
      if (!last.done) this.out.text(last.value);
      throw error;
    }
  }

  async #remark(outcome: Outcome): Promise<void> {
    if (outcome.kind !== 'document') return;
    for (const remark of outcome.remarks()) await this.warn(remark);
  }

  async #entriesTable(outcome: Entries): Promise<void> {
    const { EntryWriter } = await import('./entry-writer.ts');
    const writer = new EntryWriter(outcome.keySize, outcome.valueSize, this.out);
    writer.header();
    await this.#eachEntry(outcome, (chunk, from, to) => {
      writer.table(chunk, from, to);
    });
    this.out.text(`${counted(writer.count, 'entry', 'entries')}\n`);
  }

  async #eachEntry(
    outcome: Entries,
    write: (chunk: Entries['chunks'] extends Iterable<infer Chunk> ? Chunk : never, from: number, to: number) => void,
  ): Promise<void> {
    for (const chunk of outcome.chunks) {
      for (let from = 0; from < chunk.count; from += STEP) {
        write(chunk, from, Math.min(chunk.count, from + STEP));
        if (this.out.pressing) {
          await this.out.drain();
          if (this.out.closed) return;
        }
      }
      const pause = this.#breathe();
      if (pause !== undefined) await pause;
    }
  }

  async #streamJson(outcome: Stream): Promise<void> {
    let count = 0;
    this.out.text('[');
    for await (const item of outcome.items) {
      this.out.text(`${count > 0 ? ',' : ''}${jsonText(item.data, false)}`);
      count += 1;
    }
    this.out.text(']');
  }

  async #paintOut(): Promise<Painter> {
    this.#outPainter ??= await this.#painterOf(this.out.stream);
    return this.#outPainter;
  }

  async #paintErr(): Promise<Painter> {
    this.#errPainter ??= await this.#painterOf(this.#err.stream);
    return this.#errPainter;
  }

  #painterOf(stream: ByteStream): Promise<Painter> {
    return painter(wantsColor(this.#options.color, this.#options.env, stream.isTerminal));
  }
}

/** Entries written between two looks at whether the buffer should be passed on. */
const STEP = 512;

/** A number with its noun: `1 entry`, `2 entries`. */
export function counted(count: number, singular: string, plural: string): string {
  return `${count} ${count === 1 ? singular : plural}`;
}
