import type { DropCounter } from './drop-counter.ts';
import type { FlowCounter } from './flow-counter.ts';
import type { LiveMap, LiveProgram, LiveSystem } from './live-system.ts';

type Named = Pick<DropCounter | FlowCounter, 'progId' | 'mapId'>;

/**
 * The programs and maps of a system that is looked at again and again. Those that were there at the last look stay known,
 * and of those that went away earlier the ones that a count names: to keep all would take ever more memory where programs
 * come and go.
 *
 * @param known what this returned for the last look
 * @param last the system at the last look
 * @param counts all that has been counted
 */
export function remembering(now: LiveSystem, known: LiveSystem, last: LiveSystem, counts: Iterable<Named>): LiveSystem {
  const programIds = new Set<number>();
  const mapIds = new Set<number>();
  for (const { progId, mapId } of counts) {
    if (progId !== undefined) programIds.add(progId);
    if (mapId !== undefined) mapIds.add(mapId);
  }
  for (const id of programIds) for (const mapId of known.programs.get(id)?.mapIds ?? []) mapIds.add(mapId);
  for (const id of mapIds) {
    for (const { progId } of known.maps.get(id)?.entries ?? []) if (progId !== undefined) programIds.add(progId);
  }
  return {
    ...now,
    programs: new Map<number, LiveProgram>([...those(known.programs, programIds), ...last.programs, ...now.programs]),
    maps: new Map<number, LiveMap>([...those(known.maps, mapIds), ...last.maps, ...now.maps]),
  };
}

function* those<Thing>(all: ReadonlyMap<number, Thing>, ids: Iterable<number>): Generator<readonly [number, Thing]> {
  for (const id of ids) {
    const thing = all.get(id);
    if (thing !== undefined) yield [id, thing];
  }
}
