import { placeText } from '../domain/finding-place.ts';
import type { Finding } from '../domain/finding.ts';
import type { Painter } from './color.ts';
import { printable } from './printable.ts';
import type { ScreenSize } from './screen.ts';
import { sparkline } from './sparkline.ts';

/** What `debug drops --follow` knows at a moment. */
export interface LossState {
  readonly backend: string;
  /** Since counting began. */
  readonly seconds: number;
  /** Lost frames in all, a second now, and a second over the last intervals. */
  readonly dropped: number;
  readonly rate: number;
  readonly history: readonly number[];
  /** Most frames first. */
  readonly rows: readonly LossRow[];
}

/** A loss with how it goes. */
export interface LossRow {
  /** As it was seen last; its count is that of all. */
  readonly finding: Finding;
  readonly rate: number;
  readonly history: readonly number[];
}

const RATE = 10;
const COUNT = 12;
const TREND = 16;
const GAP = '  ';

/** The picture of losses, by cause and place: the largest first, which is explained below. */
export function lossPicture(state: LossState, size: ScreenSize, paint: Painter): string[] {
  const { rows } = state;
  const width = Math.max(4, ...rows.map(({ finding }) => finding.code.length));
  const details = rows[0] === undefined ? [] : detailLines(rows[0].finding, size, paint);
  const room = Math.max(1, size.rows - 3 - (details.length === 0 ? 0 : details.length + 1));
  const shown = rows.slice(0, rows.length > room ? room - 1 : room);
  const hidden = rows.length - shown.length;
  return [
    title(state, size, paint),
    '',
    ...(rows.length === 0 ? [paint('ok', cut('no lost frames seen', size.columns))] : [header(width, size, paint)]),
    ...shown.map((row) => rowLine(row, width, size, paint)),
    ...(hidden > 0 ? [paint('dim', cut(`${hidden} more`, size.columns))] : []),
    ...(details.length === 0 ? [] : ['', ...details]),
  ].slice(0, size.rows);
}

function title(
  { dropped, rate, history, seconds, backend }: LossState,
  { columns }: ScreenSize,
  paint: Painter,
): string {
  const words = `${grouped(dropped)} frames lost, ${grouped(rate)}/s  `;
  const trend = sparkline(history, Math.max(0, Math.min(TREND, columns - words.length)));
  const rest = cut(`  ${clock(seconds)}  ${backend}  Ctrl-C ends`, columns - words.length - trend.length);
  return `${paint(dropped === 0 ? 'ok' : 'bad', cut(words, columns))}${trend}${paint('dim', rest)}`;
}

function header(width: number, { columns }: ScreenSize, paint: Painter): string {
  const words = [
    'RATE/S'.padStart(RATE),
    'LOST'.padStart(COUNT),
    'TREND'.padEnd(TREND),
    'CAUSE'.padEnd(width),
    'WHERE',
  ];
  return paint('strong', cut(words.join(GAP), columns));
}

function rowLine({ finding, rate, history }: LossRow, width: number, { columns }: ScreenSize, paint: Painter): string {
  const numbers = [grouped(rate).padStart(RATE), grouped(finding.count).padStart(COUNT), sparkline(history, TREND)];
  const first = cut(`${numbers.join(GAP)}${GAP}`, columns);
  const code = cut(`${finding.code.padEnd(width)}${GAP}`, columns - first.length);
  const place = cut(printable(placeText(finding)), columns - first.length - code.length);
  return rate === 0 ? paint('dim', `${first}${code}${place}`) : `${first}${paint('bad', code)}${place}`;
}

function detailLines(
  { code, certainty, explanation, fix }: Finding,
  { columns }: ScreenSize,
  paint: Painter,
): string[] {
  const sentence = wrap(printable(`${code} (${certainty}): ${explanation}`), columns);
  return [...sentence, ...(fix === undefined ? [] : wrap(`fix: ${printable(fix)}`, columns))].map((line) =>
    line.startsWith('fix:') ? paint('ok', line) : line,
  );
}

function grouped(number: number): string {
  return Math.round(number)
    .toString()
    .replace(/\B(?=(?:\d{3})+$)/g, ',');
}

function clock(seconds: number): string {
  const [minutes, rest] = [Math.floor(seconds / 60), Math.floor(seconds % 60)];
  return `${minutes}:${String(rest).padStart(2, '0')}`;
}

/** The beginning of a text, with an ellipsis where there is more. */
function cut(text: string, width: number): string {
  if (width <= 0) return '';
  const characters = Array.from(text);
  return characters.length <= width ? text : `${characters.slice(0, width - 1).join('')}…`;
}

/** A text in lines, broken at blanks; words that are too long are cut. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(cut(word, width));
  }
  return lines;
}
