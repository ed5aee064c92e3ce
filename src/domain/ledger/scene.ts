import type { DropCounter } from '../drop-counter.ts';
import { noMapId } from '../drop-counter.ts';
import type { LiveDevice, LiveMap, LiveNetns, LiveProgram, LiveSystem } from '../live-system.ts';
import { isRedirectKind } from '../map-type.ts';
import type { Proof } from './loss.ts';

/** A counter with everything that the live system knows about what it names. */
export interface Scene {
  readonly counter: DropCounter;
  readonly system: LiveSystem;
  readonly from: LiveDevice | undefined;
  readonly to: LiveDevice | undefined;
  readonly program: LiveProgram | undefined;
  readonly map: LiveMap | undefined;
  readonly proof: Proof | undefined;
  /** What the system was like before losses were counted. */
  readonly before: LiveSystem | undefined;
}

/** Looks up what a counter names. */
export function sceneOf(counter: DropCounter, system: LiveSystem, proof?: Proof, before?: LiveSystem): Scene {
  const from = findIngress(counter, system);
  return {
    counter,
    system,
    from,
    to: findTarget(counter, from, system),
    program: counter.progId === undefined ? undefined : system.programs.get(counter.progId),
    map: counter.mapId === undefined ? undefined : system.maps.get(counter.mapId),
    proof,
    before,
  };
}

/**
 * Most tracers see an ifindex without its namespace. The device that carries the program is the right one; without that,
 * one of the caller's own namespace, or the only one there is.
 */
function findIngress({ fromIfindex, netns, progId }: DropCounter, system: LiveSystem): LiveDevice | undefined {
  const candidates = withIfindex(fromIfindex, netns, system);
  return (
    candidates.find((device) => progId !== undefined && device.progIds.includes(progId)) ??
    candidates.find((device) => device.netns.current) ??
    onlyOne(candidates)
  );
}

/** Mostly in the namespace of the ingress device; a devmap entry may also lead into another one. */
function findTarget(
  { toIfindex, toNetns }: DropCounter,
  from: LiveDevice | undefined,
  system: LiveSystem,
): LiveDevice | undefined {
  const candidates = withIfindex(toIfindex, toNetns, system);
  return (
    candidates.find((device) => device.netns.inode === from?.netns.inode) ??
    candidates.find((device) => device.netns.current) ??
    onlyOne(candidates)
  );
}

/** @param netns undefined where it is not known */
function withIfindex(ifindex: number | undefined, netns: number | undefined, system: LiveSystem): LiveDevice[] {
  if (ifindex === undefined || ifindex === 0) return [];
  return system.devices.filter(
    (device) => device.ifindex === ifindex && (netns === undefined || device.netns.inode === netns),
  );
}

function onlyOne<T>(list: readonly T[]): T | undefined {
  return list.length === 1 ? list[0] : undefined;
}

/** Whether the event names a map (0 and INT_MAX are not ids). */
export function namesMap({ mapId }: DropCounter): boolean {
  return mapId !== undefined && mapId !== 0 && mapId !== noMapId;
}

/**
 * The redirect maps that a program uses, as far as they are known. Those of a dispatcher are its components', whose frames
 * the events ascribe to it.
 */
export function redirectMaps(program: LiveProgram | undefined, system: LiveSystem): LiveMap[] {
  const components = (program?.components ?? []).flatMap((id) => system.programs.get(id) ?? []);
  const ids = [program, ...components].flatMap((each) => each?.mapIds ?? []);
  return ids.flatMap((id) => {
    const map = system.maps.get(id);
    return map !== undefined && isRedirectKind(map.type) ? [map] : [];
  });
}

/** The maps with a program in an entry, by the program's id; found once for each system. */
const mapsByProgram = new WeakMap<LiveSystem, ReadonlyMap<number, readonly LiveMap[]>>();

function findMapsByProgram(system: LiveSystem): ReadonlyMap<number, readonly LiveMap[]> {
  const found = new Map<number, LiveMap[]>();
  for (const map of system.maps.values()) {
    const ids = new Set(map.entries?.flatMap(({ progId }) => progId ?? []));
    for (const id of ids) found.set(id, [...(found.get(id) ?? []), map]);
  }
  mapsByProgram.set(system, found);
  return found;
}

function mapsWithProgram(progId: number | undefined, types: readonly string[], system: LiveSystem): readonly LiveMap[] {
  if (progId === undefined || progId === 0) return [];
  const maps = (mapsByProgram.get(system) ?? findMapsByProgram(system)).get(progId) ?? [];
  return maps.filter(({ type }) => types.includes(type));
}

/** The devmaps in whose entries the program sits: empty when it is no egress program. */
export function egressMaps(progId: number | undefined, system: LiveSystem): readonly LiveMap[] {
  return mapsWithProgram(progId, ['devmap', 'devmap_hash'], system);
}

/** The cpumaps in whose entries the program sits. */
export function cpumapsWith(progId: number | undefined, system: LiveSystem): readonly LiveMap[] {
  return mapsWithProgram(progId, ['cpumap'], system);
}

/** A device for a sentence: `r1`, `d0 (netns D)`, or its ifindex where the name is unknown; 0 is none. */
export function nameOf(
  device: { readonly ifname?: string; readonly netns?: LiveNetns } | undefined,
  ifindex: number | undefined,
): string {
  if (device?.ifname === undefined) return ifindex === undefined || ifindex === 0 ? 'the device' : `ifindex ${ifindex}`;
  const place = netnsLabel(device.netns);
  return place === undefined ? device.ifname : `${device.ifname} (netns ${place})`;
}

/** How a namespace is called; undefined for the caller's own and an unknown one. */
export function netnsLabel(netns: LiveNetns | undefined): string | undefined {
  if (netns === undefined || netns.current) return undefined;
  return netns.name ?? netnsPath(netns);
}

/** The word after `--netns` for a namespace: a name of digits would be a process id there. */
export function netnsWord(netns: LiveNetns): string | undefined {
  return netns.name === undefined || /^[0-9]+$/.test(netns.name) ? netnsPath(netns) : netns.name;
}

/** A path that opens the namespace. */
export function netnsPath({ name, path, pid }: LiveNetns): string | undefined {
  if (path !== undefined) return path;
  if (name !== undefined) return `/run/netns/${name}`;
  return pid === undefined ? undefined : `/proc/${pid}/ns/net`;
}
