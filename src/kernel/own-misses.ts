import { KernelRefusal } from '../domain/errors.ts';
import type { LiveProgram, LiveSystem } from '../domain/live-system.ts';
import { BpfMap } from './map.ts';
import { readKeyCounts } from './redirect-counters.ts';

/** Look-ups that found nothing, of the redirect programs of ours: by program id, by key. */
export function readOwnMisses({ programs }: LiveSystem): ReadonlyMap<number, ReadonlyMap<number, number>> {
  const misses = new Map<number, ReadonlyMap<number, number>>();
  for (const program of programs.values()) {
    const own = missesOf(program);
    if (own !== undefined) misses.set(program.id, own);
  }
  return misses;
}

function missesOf({ onMiss, mapIds }: LiveProgram): ReadonlyMap<number, number> | undefined {
  // Only of programs of ours it is known what they do with a miss.
  if (onMiss === undefined) return undefined;
  try {
    for (const id of mapIds) {
      using map = BpfMap.byId(id);
      if (map.info.name !== 'counters') continue;
      return new Map(
        readKeyCounts(map).flatMap(({ key, bad }) => (key === undefined || bad === 0 ? [] : [[key, bad]])),
      );
    }
  } catch (error) {
    // The program has gone meanwhile.
    if (!(error instanceof KernelRefusal)) throw error;
  }
  return undefined;
}
