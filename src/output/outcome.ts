import type { EntryChunk } from '../domain/entry-chunk.ts';
import type { Hint } from '../domain/errors.ts';
import type { Painter, Tone } from './color.ts';
import type { ScreenSize } from './screen.ts';

/** A column of a table: what it shows of a row of data. */
export interface Column<Row> {
  readonly header: string;
  cell(row: Row): string;
  readonly align?: 'right';
  tone?(row: Row): Tone | undefined;
}

/** One thing: a JSON object, and a few labelled lines for people. */
export interface One {
  readonly kind: 'one';
  readonly data: object;
  readonly lines: readonly (readonly [label: string, value: string])[];
}

/** Many things of one kind: a JSON array, and a table for people. The rows may be many, and may be read only once. */
export interface Rows<Row extends object = object> {
  readonly kind: 'rows';
  readonly rows: Iterable<Row> | AsyncIterable<Row>;
  readonly columns: readonly Column<Row>[];
  /** What a person reads below the table, and instead of it when there is no row; undefined: nothing. */
  footer?(count: number): string | undefined;
}

/** Map entries that are bytes and integers: too many to make an object of each. */
export interface Entries {
  readonly kind: 'entries';
  readonly keySize: number;
  readonly valueSize: number;
  readonly chunks: Iterable<EntryChunk>;
}

/** A result that is text for people and programs alike (help, a drawing). */
export interface Text {
  readonly kind: 'text';
  readonly text: string;
}

/** Objects that come one by one while the command runs: a JSON object a line, or a block of text each. */
export interface Stream {
  readonly kind: 'stream';
  readonly items: AsyncIterable<StreamItem>;
  /** On a terminal, pictures in one place instead of line after line. */
  readonly live?: true;
}

export interface StreamItem {
  /** Absent for what is only a picture. */
  readonly data?: object;
  readonly text: string | ((paint: Painter) => string);
  /** The lines of a picture; absent for what is to stay. */
  picture?(size: ScreenSize, paint: Painter): readonly string[];
}

/** One thing whose text for people is more than labelled lines; a function of the painter where it has colour. */
export interface Report {
  readonly kind: 'report';
  readonly data: object;
  readonly text: string | ((paint: Painter) => string);
}

/**
 * A JSON document that programs and people read alike, because it is made to be kept in a file: the same in both modes,
 * one entry a line for people.
 */
export interface Document {
  readonly kind: 'document';
  /**
   * The text; `dense` leaves out what only makes it readable. Where it is stopped early, it yields one more piece, which
   * ends the document.
   */
  pieces(dense: boolean): Generator<string>;
  /** What the reader must know about the document; asked for when it is printed. */
  remarks(): readonly Remark[];
}

/** A remark that does not keep the command from succeeding. */
export interface Remark {
  readonly message: string;
  readonly hint?: Hint | undefined;
}

/** Commands that run one after another, each with an outcome of its own (batch). */
export interface Sequence {
  readonly kind: 'sequence';
  run(printer: SequencePrinter): Promise<void>;
}

export interface SequencePrinter {
  /** Prints what a command gave. A promise when that has to be waited for. */
  command(words: readonly string[], outcome: Outcome | undefined): Promise<void> | undefined;
  /** Passes on what was printed so far, because the next command may be long in coming. */
  flush(): Promise<void>;
  /** The last line, for people only. */
  footer(text: string): void;
}

/**
 * What a verb returns: data, and how people see it. A verb with nothing to say returns undefined.
 * `findings` asks for exit code 10 (only where the user gave --exit-code).
 */
export type Outcome = (One | Rows<never> | Entries | Text | Stream | Report | Document | Sequence) & {
  readonly findings?: boolean;
};

/** Rows with their columns, checked against each other. */
export function rows<Row extends object>(
  list: Iterable<Row> | AsyncIterable<Row>,
  columns: readonly Column<Row>[],
  footer?: (count: number) => string | undefined,
): Outcome {
  const outcome: Rows<Row> = { kind: 'rows', rows: list, columns, ...(footer && { footer }) };
  return outcome as unknown as Rows<never>;
}

/** The footer of a list that has none, as bpftool's have none: it says only when there is nothing. */
export function unlessEmpty(plural: string): (count: number) => string | undefined {
  return (count) => (count === 0 ? `0 ${plural}` : undefined);
}

/** One thing; lines without a value are left out. */
export function one(data: object, lines: readonly (readonly [label: string, value: string | undefined])[]): One {
  return {
    kind: 'one',
    data,
    lines: lines.filter((line): line is readonly [string, string] => line[1] !== undefined),
  };
}
