/**
 * How much of what could go wrong is tried, by XDPCTL_FAULTS: `all` (npm run test:faults) lets each call fail with each errno
 * that it can give; `calls` lets each call fail once; without it (vitest run --project faults) some of the calls do, the same in every run.
 * XDPCTL_FAULTS_SEED chooses others.
 */
export type Extent = 'all' | 'calls' | 'sample';

export const extent: Extent = extentOf(process.env['XDPCTL_FAULTS']);

/** As many faults of each change are tried in a sample. */
const SAMPLE = 2;

let state = Number(process.env['XDPCTL_FAULTS_SEED'] ?? 20_261_127) >>> 0;

/** The next of a series of numbers from 0 to 1 that is the same in every run (Marsaglia's xorshift). */
export function random(): number {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  state >>>= 0;
  return state / 2 ** 32;
}

/** One of several. */
export function any<Item>(items: readonly Item[]): Item | undefined {
  return items[Math.floor(random() * items.length)];
}

/** All of them, or a part in the order that they have. */
export function chosen<Item>(items: readonly Item[], most = SAMPLE): readonly Item[] {
  if (extent !== 'sample' || items.length <= most) return items;
  const wanted = new Set<number>();
  while (wanted.size < most) wanted.add(Math.floor(random() * items.length));
  return items.filter((_, index) => wanted.has(index));
}

function extentOf(word: string | undefined): Extent {
  if (word === 'all' || word === 'calls') return word;
  if (word === undefined || word === '') return 'sample';
  throw new Error(`XDPCTL_FAULTS is '${word}', not all or calls`);
}
