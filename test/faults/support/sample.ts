/**
 * How much of what could go wrong is tried, by XDPCTL_FAULTS: `all` (npm run test:faults) lets each call fail, and with each
 * errno that it can give; `calls` lets each call fail once; without it (vitest run --project faults) some calls of some
 * changes do, of each verb at least one, the same in every run. XDPCTL_FAULTS_SEED chooses others.
 */
export type Extent = 'all' | 'calls' | 'sample';

export const extent: Extent = extentOf(process.env['XDPCTL_FAULTS']);

/** As many faults of each change are tried in a sample. */
export const SAMPLE = 1;

const seed = Number(process.env['XDPCTL_FAULTS_SEED'] ?? 20_261_127) >>> 0;

/** A number that is the same for a text in every run, and has nothing to do with those of other texts (FNV-1a). */
export function numberOf(text: string): number {
  let hash = 0x81_1c_9d_c5 ^ seed;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01_00_01_93);
  // Its last bits mix least.
  return (hash ^ (hash >>> 15)) >>> 0;
}

/** Lists of those that have the same key, in the order of their first. */
export function grouped<Item>(
  items: readonly Item[],
  keyOf: (item: Item) => string,
): ReadonlyMap<string, readonly Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}

let state = seed;

/** The next of a series of numbers from 0 to 1 that is the same in every run (Marsaglia's xorshift). */
export function random(): number {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  state >>>= 0;
  return state / 2 ** 32;
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
