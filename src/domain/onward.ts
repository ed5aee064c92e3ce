import type { LiveMap, LiveSystem } from './live-system.ts';

/** What frames can meet after they have come to a program. */
export interface Onward {
  /** The programs themselves, their components, and the programs in the entries of their maps. */
  readonly progIds: ReadonlySet<number>;
  /** The maps that any of those uses. */
  readonly maps: readonly LiveMap[];
}

/** Where frames can go from these programs on, as far as the snapshot shows: a program in a cpumap entry redirects in turn. */
export function onwardFrom(progIds: Iterable<number>, { programs, maps }: LiveSystem): Onward {
  const reached = new Set(progIds);
  const used = new Map<number, LiveMap>();
  // A set gives what is added meanwhile, too.
  for (const id of reached) {
    const { components = [], mapIds = [] } = programs.get(id) ?? {};
    for (const component of components) reached.add(component);
    for (const mapId of mapIds) {
      const map = maps.get(mapId);
      if (map === undefined) continue;
      used.set(mapId, map);
      for (const { progId = 0 } of map.entries ?? []) if (progId !== 0) reached.add(progId);
    }
  }
  return { progIds: reached, maps: [...used.values()] };
}
