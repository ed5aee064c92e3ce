import type { DropFilter } from './drop-filter.ts';
import type { LiveSystem } from './live-system.ts';
import { onwardFrom } from './onward.ts';

/**
 * What a tracer has to count so that what is asked for is explained: also what befalls the same frames further on.
 * xdp_exception names the target and the program in the devmap entry (bq_xmit_all() in kernel/bpf/devmap.c), the redirect
 * of a program in a cpumap entry that program and its own map. What of it belongs to others is left out by isAskedFor().
 */
export function countingFilter(filter: DropFilter, system: LiveSystem): DropFilter {
  const { progIds = [], mapIds = [] } = filter;
  return {
    ...devicesOnward(filter, system),
    ...(progIds.length > 0 && { progIds: [...onwardFrom(progIds, system).progIds] }),
    ...(mapIds.length > 0 && { mapIds: mapsOnward(mapIds, system) }),
  };
}

/** The devices with those that their programs redirect to. */
function devicesOnward({ ifindexes = [], netns: wanted }: DropFilter, system: LiveSystem): DropFilter {
  if (ifindexes.length === 0) return {};
  const wider = new Set(ifindexes);
  for (const asked of ifindexes) {
    const devices = system.devices.filter(
      ({ ifindex, netns }) => ifindex === asked && (wanted === undefined || netns.inode === wanted),
    );
    const { maps } = onwardFrom(
      devices.flatMap(({ progIds }) => progIds),
      system,
    );
    const targets = maps.flatMap(({ entries = [] }) => entries.flatMap(({ ifindex }) => ifindex ?? []));
    for (const target of targets) wider.add(target);
    // Nothing leads to it or from it yet: where frames will go that come once something does, nobody knows.
    if (targets.length === 0 && devices.every(({ progIds }) => progIds.length === 0) && !isTarget(asked, system)) {
      return {};
    }
  }
  // An entry may lead into another namespace than that of the device asked for.
  const isAllHere = [...wider].every((ifindex) =>
    system.devices.some((device) => device.ifindex === ifindex && device.netns.inode === wanted),
  );
  return { ifindexes: [...wider], ...(wanted !== undefined && isAllHere && { netns: wanted }) };
}

function isTarget(ifindex: number, { maps }: LiveSystem): boolean {
  return [...maps.values()].some(({ entries }) => entries?.some((entry) => entry.ifindex === ifindex));
}

/** The maps with those that the programs in their entries use. */
function mapsOnward(mapIds: readonly number[], system: LiveSystem): number[] {
  const inEntries = mapIds.flatMap((id) => (system.maps.get(id)?.entries ?? []).flatMap(({ progId }) => progId ?? []));
  return [...new Set([...mapIds, ...onwardFrom(inEntries, system).maps.map(({ id }) => id)])];
}
