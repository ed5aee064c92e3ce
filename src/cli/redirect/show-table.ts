import type { Typed } from '../../domain/typed-command.ts';
import type { Painter } from '../../output/color.ts';
import type { Column } from '../../output/outcome.ts';
import { printable } from '../../output/printable.ts';
import { PlainTable } from '../../output/table.ts';
import type { Examination, ExaminedPath } from './examine.ts';
import { type Arrow, arrowsOf, ownCodes, programText, summary } from './show-text.ts';

/** A line of the table; what is the same as in the line before is left out. */
interface Row {
  readonly path: ExaminedPath['path'] | undefined;
  readonly map: string;
  readonly arrow: Arrow;
}

const columns: readonly Column<Row>[] = [
  { header: 'INTERFACE', cell: ({ path }) => path?.device.ifname ?? '' },
  { header: 'MODE', cell: ({ path }) => path?.mode ?? '' },
  { header: 'PROGRAM', cell: ({ path }) => (path === undefined ? '' : programsText(path)) },
  { header: 'LINK', cell: ({ path }) => (path === undefined ? '' : String(path.link?.id ?? '-')), align: 'right' },
  { header: 'MAP', cell: ({ map }) => map },
  { header: 'KEY', cell: ({ arrow }) => String(arrow.key ?? '-'), align: 'right' },
  { header: 'TARGET', cell: ({ arrow }) => (arrow.target === '' ? '-' : arrow.target) },
  {
    header: 'HEALTH',
    cell: ({ arrow }) => (arrow.codes.length === 0 ? 'ok' : arrow.codes.join(' ')),
    tone: ({ arrow }) => (arrow.codes.length === 0 ? 'ok' : 'bad'),
  },
];

/** The paths as a table: a line for each entry of a map. */
export function showTable(examination: Examination, paint: Painter, typed: Typed): string {
  const { examined } = examination;
  if (examined.length === 0) return `${summary(examined, typed)}\n`;
  const safe = columns.map((column) => ({ ...column, cell: (row: Row) => printable(column.cell(row)) }));
  const rows = examined.flatMap((each) => rowsOf(each, examination));
  return `${new PlainTable(safe, paint).block(rows)}${summary(examined, typed)}\n`;
}

function rowsOf(examined: ExaminedPath, { system }: Examination): Row[] {
  const { path } = examined;
  const own = ownCodes(examined);
  const rows = path.maps.flatMap((observed) => {
    const { map } = observed;
    const arrows = arrowsOf(examined, observed, system);
    const name = `${map.name ?? map.type} (${map.id})`;
    const list = arrows.length === 0 ? [{ target: '', codes: [] }] : arrows;
    return list.map((arrow, index): Row => ({ path: undefined, map: index === 0 ? name : '', arrow }));
  });
  const whole: Row[] =
    own.length === 0 && rows.length > 0 ? [] : [{ path: undefined, map: '-', arrow: { target: '', codes: own } }];
  return [...whole, ...rows].map((row, index) => (index === 0 ? { ...row, path } : row));
}

function programsText({ program, components }: ExaminedPath['path']): string {
  return [program, ...components].map(programText).join(' > ');
}
