import type { Painter } from './color.ts';
import { counted } from './counted.ts';
import { printDocument } from './document-printer.ts';
import type { Entries, One, Outcome, Rows, Stream } from './outcome.ts';
import { printable } from './printable.ts';
import { printSequence } from './sequence-printer.ts';
import type { Sink } from './sink.ts';
import { boxTable, PlainTable } from './table.ts';
import type { Walk } from './walk.ts';

/** Tables of up to so many rows are drawn whole; longer ones flow by in blocks. */
const BLOCK = 1000;

/** Prints outcomes for people. */
export class TextPrinter {
  readonly #out: Sink;
  readonly #quiet: boolean;
  readonly #draws: boolean;
  readonly #walk: Walk;
  readonly #paint: () => Promise<Painter>;
  readonly #remark: (outcome: Outcome) => Promise<void>;

  /**
   * @param draws whether a terminal can be drawn on: not one that can only print (TERM=dumb)
   * @param paint the painter of the stream, made when it is first needed
   * @param remark says on stderr what the reader must know about an outcome that is part of another
   */
  constructor(
    out: Sink,
    quiet: boolean,
    draws: boolean,
    walk: Walk,
    paint: () => Promise<Painter>,
    remark: (outcome: Outcome) => Promise<void>,
  ) {
    this.#out = out;
    this.#quiet = quiet;
    this.#draws = draws;
    this.#walk = walk;
    this.#paint = paint;
    this.#remark = remark;
  }

  async print(outcome: Outcome): Promise<void> {
    switch (outcome.kind) {
      case 'one':
        return this.#lines(outcome);
      case 'report': {
        const { text } = outcome;
        this.#out.text(typeof text === 'string' ? text : text(await this.#paint()));
        return;
      }
      case 'text':
        this.#out.text(outcome.text);
        return;
      case 'rows':
        return this.#rows(outcome);
      case 'entries':
        return this.#entries(outcome);
      case 'document':
        await printDocument(outcome, this.#out, this.#walk, false);
        this.#out.text('\n');
        return;
      case 'sequence':
        return printSequence(outcome, this.#out, this.#quiet, async (part) => {
          await this.print(part);
          await this.#remark(part);
        });
      case 'stream':
        return this.#stream(outcome);
    }
  }

  async #stream({ items, live }: Stream): Promise<void> {
    const paint = await this.#paint();
    if (live && this.#draws && this.#out.stream.isTerminal) {
      const { printLive } = await import('./live-printer.ts');
      return printLive(items, this.#out, paint);
    }
    for await (const { text } of items) {
      this.#out.text(typeof text === 'string' ? text : text(paint));
      await this.#out.end();
      if (this.#out.closed) return;
    }
  }

  async #lines({ lines }: One): Promise<void> {
    const paint = await this.#paint();
    const width = lines.reduce((longest, [label]) => Math.max(longest, label.length), 0);
    for (const [label, value] of lines) {
      this.#out.text(`${paint('dim', label.padEnd(width))}  ${printable(value)}\n`);
    }
  }

  async #rows(outcome: Rows<never>): Promise<void> {
    const paint = await this.#paint();
    const columns = outcome.columns.map((column) => ({
      ...column,
      cell: (row: never) => printable(column.cell(row)),
    }));
    const table = new PlainTable<never>(columns, paint);
    let block: never[] = [];
    let count = 0;
    let flowing = !this.#out.stream.isTerminal;
    await this.#walk.rows(outcome.rows, (row) => {
      block.push(row);
      count += 1;
      if (block.length === BLOCK) {
        flowing = true;
        this.#out.text(table.block(block));
        block = [];
      }
    });
    if (flowing) this.#out.text(table.block(block));
    else if (count > 0) this.#out.text(await boxTable(columns, block, paint));
    const footer = outcome.footer?.(count);
    if (footer !== undefined) this.#out.text(`${footer}\n`);
  }

  async #entries(outcome: Entries): Promise<void> {
    const { EntryWriter } = await import('./entry-writer.ts');
    const writer = new EntryWriter(outcome.keySize, outcome.valueSize, this.#out);
    await this.#walk.entries(outcome, (chunk, from, to) => {
      if (writer.count === 0) writer.header();
      writer.table(chunk, from, to);
    });
    this.#out.text(`${counted(writer.count, 'entry', 'entries')}\n`);
  }
}
