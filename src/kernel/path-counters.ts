import { COUNTERS_PIN, EGRESS_DIRECTORY, namesIn, pinnedMap } from './path-store.ts';
import { type KeyCount, readKeyCounts } from './redirect-counters.ts';

/** What the programs of a path of ours have counted since they were loaded. */
export interface PathCounts {
  /** By the key that was looked up; `good` were redirected, `bad` missed. */
  readonly keys: readonly KeyCount[];
  /** By the ifindex of the target (cpumap: of the ingress device); `good` were passed, `bad` dropped. */
  readonly egress: readonly KeyCount[];
}

/**
 * Reads the counters of a path.
 *
 * @returns undefined for a program of the user's, which has none that we know
 * @throws KernelRefusal `pin get`, `map lookup`
 */
export function readPathCounts(directory: string): PathCounts | undefined {
  using counters = pinnedMap(`${directory}/${COUNTERS_PIN}`);
  const place = `${directory}/${EGRESS_DIRECTORY}`;
  const egress = namesIn(place).flatMap((name) => {
    using map = pinnedMap(`${place}/${name}/${COUNTERS_PIN}`);
    return map === undefined ? [] : readKeyCounts(map);
  });
  if (counters === undefined && egress.length === 0) return undefined;
  return { keys: counters === undefined ? [] : readKeyCounts(counters), egress };
}
