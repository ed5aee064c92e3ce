import { KernelRefusal, ToolError } from '../domain/errors.ts';
import type { BpfMap } from './map.ts';
import { currentNetnsInode } from './namespaces.ts';
import { linkText, MAP_LINK, namesIn, pinnedMap, storeRoot, TARGETS_PIN } from './path-store.ts';

/** Kept for each map, because a batch may look entries up on a hundred thousand lines. */
const known = new WeakMap<BpfMap, boolean>();

/**
 * Whether `redirect attach` made the map in another network namespace, and in none that is this one: what its entries tell
 * (struct bpf_devmap_val) are ifindexes of that namespace, and a device of this one that has the number is not meant. Of
 * maps that others made nobody can tell.
 */
export function isOfOtherNamespace(map: BpfMap): boolean {
  let answer = known.get(map);
  if (answer === undefined) {
    const homes = homesOf(map.info.id);
    answer = homes.size > 0 && !homes.has(currentNetnsInode());
    known.set(map, answer);
  }
  return answer;
}

/** Inodes of the namespaces in whose directories the map is pinned as one that was made there, not as a borrowed one. */
function homesOf(id: number): ReadonlySet<number> {
  const root = storeRoot();
  const homes = new Set<number>();
  for (const name of readable(() => namesIn(root)) ?? []) {
    const inode = /^([0-9]+)_[1-9][0-9]{0,9}$/.exec(name)?.[1];
    if (inode === undefined || homes.has(Number(inode))) continue;
    if (readable(() => isMadeIn(`${root}/${name}`, id)) === true) homes.add(Number(inode));
  }
  return homes;
}

function isMadeIn(directory: string, id: number): boolean {
  using targets = pinnedMap(`${directory}/${TARGETS_PIN}`);
  return targets?.info.id === id && linkText(`${directory}/${MAP_LINK}`) === undefined;
}

/** Whoever may not look into the store reads the map all the same, and so does one whose namespace ends meanwhile. */
function readable<Result>(read: () => Result): Result | undefined {
  try {
    return read();
  } catch (error) {
    const isOfFile = error instanceof Error && 'code' in error;
    if (error instanceof KernelRefusal || error instanceof ToolError || isOfFile) return undefined;
    throw error;
  }
}
