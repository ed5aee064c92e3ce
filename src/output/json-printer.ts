import { printDocument } from './document-printer.ts';
import { jsonText } from './json.ts';
import type { Entries, Outcome, Rows, Stream } from './outcome.ts';
import { printSequenceJson } from './sequence-printer.ts';
import type { Sink } from './sink.ts';
import type { Walk } from './walk.ts';

/** Prints outcomes as JSON values. */
export class JsonPrinter {
  readonly #out: Sink;
  readonly #pretty: boolean;
  readonly #walk: Walk;
  readonly #remark: (outcome: Outcome) => Promise<void>;

  /** @param remark says on stderr what the reader must know about an outcome that is part of another */
  constructor(out: Sink, pretty: boolean, walk: Walk, remark: (outcome: Outcome) => Promise<void>) {
    this.#out = out;
    this.#pretty = pretty;
    this.#walk = walk;
    this.#remark = remark;
  }

  /** Writes the outcome as one value, without a newline; `depth` is how deep it stands in a surrounding value. */
  async print(outcome: Outcome, depth: number): Promise<void> {
    switch (outcome.kind) {
      case 'one':
      case 'report':
        this.#out.text(jsonText(outcome.data, this.#pretty, depth));
        return;
      case 'rows':
        return this.#rows(outcome, depth);
      case 'entries':
        return this.#entries(outcome, depth);
      case 'text':
        this.#out.text(jsonText(outcome.text, this.#pretty, depth));
        return;
      case 'stream':
        return this.#stream(outcome);
      case 'document':
        return printDocument(outcome, this.#out, this.#walk, !this.#pretty);
      case 'sequence':
        return printSequenceJson(outcome, this.#out, this.#pretty, async (part, deeper) => {
          await this.print(part, deeper);
          await this.#remark(part);
        });
    }
  }

  async #rows(outcome: Rows<never>, depth: number): Promise<void> {
    const indent = this.#pretty ? `\n${' '.repeat(4 * (depth + 1))}` : '';
    let count = 0;
    await this.#array(
      depth,
      () => count,
      () =>
        this.#walk.rows(outcome.rows, (row) => {
          this.#out.text(`${count > 0 ? ',' : ''}${indent}${jsonText(row, this.#pretty, depth + 1)}`);
          count += 1;
        }),
    );
  }

  async #entries(outcome: Entries, depth: number): Promise<void> {
    const { EntryWriter } = await import('./entry-writer.ts');
    const writer = new EntryWriter(outcome.keySize, outcome.valueSize, this.#out);
    await this.#array(
      depth,
      () => writer.count,
      () =>
        this.#walk.entries(outcome, (chunk, from, to) => {
          writer.json(chunk, from, to, this.#pretty);
        }),
    );
  }

  /**
   * An array. One that fails half way is closed all the same, so that what came is valid JSON; of one that fails before its
   * first element nothing is printed, unless it stands in a surrounding value.
   */
  async #array(depth: number, count: () => number, elements: () => Promise<void>): Promise<void> {
    const start = this.#out.position;
    this.#out.text('[');
    const close = (): void => {
      this.#out.text(this.#pretty && count() > 0 ? `\n${' '.repeat(4 * depth)}]` : ']');
    };
    try {
      await elements();
    } catch (error) {
      if (depth === 0 && count() === 0) this.#out.advance(start);
      else close();
      throw error;
    }
    close();
  }

  async #stream(outcome: Stream): Promise<void> {
    let count = 0;
    this.#out.text('[');
    for await (const { data } of outcome.items) {
      if (data === undefined) continue;
      this.#out.text(`${count > 0 ? ',' : ''}${jsonText(data, false)}`);
      count += 1;
    }
    this.#out.text(']');
  }
}
