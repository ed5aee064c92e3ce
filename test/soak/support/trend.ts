/** What was measured at one moment: a number for each thing that must not grow. */
export interface Sample {
  /** When: seconds, or commands that were done. */
  readonly at: number;
  readonly values: Readonly<Record<string, number>>;
}

/** How a number went. */
export interface Trend {
  readonly what: string;
  readonly first: number;
  readonly last: number;
  readonly least: number;
  readonly most: number;
  /** By how much the straight line that fits its lows best rises from the first sample to the last. */
  readonly rise: number;
}

/** The part of the samples in which a program still loads its code and fills its caches. */
const WARM_UP = 0.25;
/** Into how many parts the rest is divided, of each of which the lowest counts: V8's heap grows until it is swept. */
const PARTS = 6;

/** How each number went after the warm-up. */
export function trendsOf(samples: readonly Sample[]): Trend[] {
  const settled = samples.slice(Math.floor(samples.length * WARM_UP));
  return Object.keys(samples[0]?.values ?? {}).map((what) => {
    const values = settled.map(({ values: each }) => each[what] ?? 0);
    return {
      what,
      first: values[0] ?? 0,
      last: values.at(-1) ?? 0,
      least: Math.min(...values),
      most: Math.max(...values),
      rise: riseOfLows(settled.map(({ at }, index): Point => [at, values[index] ?? 0])),
    };
  });
}

type Point = readonly [x: number, y: number];

function mean(list: readonly number[]): number {
  return list.reduce((sum, value) => sum + value, 0) / list.length;
}

/** By how much the line of least squares through the lowest point of each part rises over all points. */
function riseOfLows(points: readonly Point[]): number {
  const lows = partsOf(points).map((part) => part.reduce((low, point) => (point[1] < low[1] ? point : low)));
  const [x, y] = [mean(lows.map(([each]) => each)), mean(lows.map(([, each]) => each))];
  const above = lows.reduce((sum, [px, py]) => sum + (px - x) * (py - y), 0);
  const below = lows.reduce((sum, [px]) => sum + (px - x) ** 2, 0);
  return below === 0 ? 0 : (above / below) * ((points.at(-1)?.[0] ?? 0) - (points[0]?.[0] ?? 0));
}

/** Parts of about the same size: one of a single point would have no low. */
function partsOf(points: readonly Point[]): Point[][] {
  const parts = Math.min(PARTS, points.length);
  const begin = (part: number): number => Math.floor((part * points.length) / parts);
  return Array.from({ length: parts }, (_, part) => points.slice(begin(part), begin(part + 1)));
}

/** The trends whose rise is more than is allowed of that number; a number that is not named must not rise by a half. */
export function growing(trends: readonly Trend[], allowed: Readonly<Record<string, number>>): string[] {
  return trends
    .filter(({ what, rise: by }) => by > (allowed[what] ?? 0.5))
    .map(({ what, first, last, rise: by }) => `${what} rise by ${by.toFixed(1)}, from ${first} to ${last}`);
}

/** The trends as lines of a table. */
export function trendTable(title: string, unit: string, samples: readonly Sample[]): string {
  const from = samples[Math.floor(samples.length * WARM_UP)]?.at ?? 0;
  const head = ['', 'first', 'last', 'least', 'most', 'rise'];
  const rows = trendsOf(samples).map(({ what, first, last, least, most, rise: by }) => [
    what,
    ...[first, last, least, most].map(String),
    by.toFixed(1),
  ]);
  const widths = head.map((word, column) => Math.max(word.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ');
  const measured = `${samples.length} samples, ${Math.round(from)} to ${Math.round(samples.at(-1)?.at ?? 0)} ${unit} told`;
  return [`${title} (${measured})`, line(head), ...rows.map(line)].join('\n');
}
