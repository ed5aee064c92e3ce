import type { Painter } from './color.ts';
import type { Column } from './outcome.ts';

/** Widths of a table's columns, fixed by its first block of rows so that later blocks line up. */
export type Widths = readonly number[];

/** Rows to text: a header line and aligned columns, two blanks apart. No box drawing: this goes into pipes and logs. */
export class PlainTable<Row> {
  readonly #columns: readonly Column<Row>[];
  readonly #paint: Painter;
  #widths: Widths | undefined;

  constructor(columns: readonly Column<Row>[], paint: Painter) {
    this.#columns = columns;
    this.#paint = paint;
  }

  /** The lines of a block of rows; the first block that has any brings the header: over nothing it would say nothing. */
  block(rows: readonly Row[]): string {
    if (rows.length === 0) return '';
    const cells = rows.map((row) => this.#columns.map((column) => column.cell(row)));
    let text = '';
    if (this.#widths === undefined) {
      const headers = this.#columns.map((column) => column.header);
      this.#widths = headers.map((header, index) =>
        cells.reduce((width, line) => Math.max(width, line[index]?.length ?? 0), header.length),
      );
      text += this.#line(headers, () => 'strong');
    }
    cells.forEach((line, index) => {
      const row = rows[index] as Row;
      text += this.#line(line, (column) => column.tone?.(row));
    });
    return text;
  }

  #line(cells: readonly string[], tone: (column: Column<Row>) => Parameters<Painter>[0]): string {
    let line = '';
    this.#columns.forEach((column, index) => {
      const cell = cells[index] ?? '';
      const width = this.#widths?.[index] ?? 0;
      const last = index === this.#columns.length - 1;
      const padding = ' '.repeat(Math.max(0, width - cell.length));
      const painted = this.#paint(tone(column), cell);
      if (column.align === 'right') line += padding + painted;
      else line += last ? painted : painted + padding;
      if (!last) line += '  ';
    });
    return `${line.trimEnd()}\n`;
  }
}

/** A whole table with ruled lines, for a terminal. */
export async function boxTable<Row>(
  columns: readonly Column<Row>[],
  list: readonly Row[],
  paint: Painter,
): Promise<string> {
  const { default: Table } = await import('cli-table3');
  const table = new Table({
    head: columns.map((column) => paint('strong', column.header)),
    colAligns: columns.map((column) => column.align ?? 'left'),
    // Its own styles write colour whatever NO_COLOR says; the painter has decided already.
    style: { head: [], border: [] },
  });
  for (const row of list) {
    table.push(columns.map((column) => paint(column.tone?.(row), column.cell(row))));
  }
  return `${table.toString()}\n`;
}
