import type { DropCounter } from '../drop-counter.ts';
import type { LiveMap, LiveSystem } from '../live-system.ts';

/**
 * The system with the maps that could not be looked at, or are gone, but whose kind the events give away: only a cpumap
 * has frames enqueued for a CPU (bq_flush_to_queue(), cpu_map_generic_redirect()).
 */
export function withProvenMaps(system: LiveSystem, counters: readonly DropCounter[]): LiveSystem {
  const proven = new Map<number, LiveMap>();
  for (const { event, mapId, toCpu = 0 } of counters) {
    if (mapId === undefined || system.maps.has(mapId)) continue;
    if (event !== 'xdp_cpumap_enqueue' && event !== 'xdp_cpumap_kthread') continue;
    // It has room at least for the CPUs that frames went to.
    const maxEntries = Math.max(toCpu + 1, proven.get(mapId)?.maxEntries ?? 0);
    proven.set(mapId, { id: mapId, type: 'cpumap', maxEntries, pinned: [] });
  }
  return proven.size === 0 ? system : { ...system, maps: new Map([...system.maps, ...proven]) };
}
