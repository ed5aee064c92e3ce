import type { ObservedMap, ObservedPath } from './observed-path.ts';
import { mapLabel, programLabel } from './observed-path.ts';
import { xdpAction } from './xdp-action.ts';

/** Why frames would go to several devices; undefined when each goes to one at most. */
export function whyBroadcast({ maps }: ObservedPath): string | undefined {
  for (const { map, user, entries = [] } of maps) {
    if (user.broadcast !== undefined) return `${programLabel(user)} broadcasts to all members of ${mapLabel(map)}`;
    const isDevmap = map.type === 'devmap' || map.type === 'devmap_hash';
    const known = user.keySource !== undefined;
    if (isDevmap && !known && entries.length > 1) {
      return `${programLabel(user)} is not ours, so whether it broadcasts to the ${entries.length} members of ${mapLabel(map)} cannot be told`;
    }
  }
  return undefined;
}

/**
 * Why frames would go to the network stack of this host; undefined when nothing speaks for it.
 *
 * @param queue that the frames come by
 * @param action what the program returned in a rehearsal; undefined where that was not needed
 */
export function whyPass(path: ObservedPath, queue: number, action: number | undefined): string | undefined {
  if (action === xdpAction.pass) return `${programLabel(path.program)} passes such frames`;
  for (const observed of path.maps) {
    const { map, user, entries = [] } = observed;
    if (map.type === 'cpumap' && entries.some(({ reachable }) => reachable)) {
      return `${mapLabel(map)} leads to the network stack on other CPUs`;
    }
    if (user.onMiss === 'pass' && misses(path, observed, queue)) {
      return `${mapLabel(map)} has no entry for these frames, and ${programLabel(user)} passes them then`;
    }
  }
  return undefined;
}

function misses({ device }: ObservedPath, { user, entries = [] }: ObservedMap, queue: number): boolean {
  const keys = keysFor(user, device.ifindex, queue);
  return keys !== undefined && !keys.every((key) => entries.some(({ entry }) => entry.key === key));
}

/** The keys that a program of ours may look up for frames that come by a queue. */
function keysFor(
  { keySource, cpus }: ObservedMap['user'],
  ifindex: number,
  queue: number,
): readonly number[] | undefined {
  if (cpus !== undefined) return cpus;
  if (keySource === undefined) return undefined;
  if (keySource === 'ingress') return [ifindex];
  return keySource === 'queue' ? [queue] : [keySource.key];
}

/** Whether what the program does with such frames is known without running it. */
export function isPredictable({ maps, components }: ObservedPath): boolean {
  return components.length === 0 && maps.length > 0 && maps.every(({ user }) => user.onMiss !== undefined);
}
