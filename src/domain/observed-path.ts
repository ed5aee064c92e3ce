import type { LiveDevice, LiveEntry, LiveLink, LiveMap, LiveMode, LiveProgram, LiveSystem } from './live-system.ts';
import { isRedirectKind } from './map-type.ts';

/*
 * Redirect paths as they are: joined from a snapshot of the system, whoever attached what. (What is wanted, and what
 * `redirect attach` has made, is in redirect-path.ts.)
 */

/** An entry of a map, and where it leads. */
export interface ObservedEntry {
  readonly entry: LiveEntry;
  /** The device it leads to, as far as its ifindex tells that; devmaps only. */
  readonly target?: LiveDevice;
  /** Whether frames that come by the path's device can get to it. */
  readonly reachable: boolean;
}

/** A redirect map of the program. */
export interface ObservedMap {
  readonly map: LiveMap;
  /** The program that looks it up: the one on the device, or a component of that. */
  readonly user: LiveProgram;
  /** The occupied ones; absent where they cannot be read. */
  readonly entries?: readonly ObservedEntry[];
}

/** What leads frames on from a device: the program on it, and the redirect maps of that. */
export interface ObservedPath {
  readonly device: LiveDevice;
  readonly mode: LiveMode;
  readonly program: LiveProgram;
  /** The link by which the program is attached; absent when it was attached by netlink. */
  readonly link?: LiveLink;
  /** Programs that stand in for functions of it (libxdp dispatcher). */
  readonly components: readonly LiveProgram[];
  readonly maps: readonly ObservedMap[];
}

/**
 * The paths that begin at the devices of the current network namespace, by ifindex: one for each program that has a
 * redirect map, or that is a dispatcher of which nobody knows what it calls.
 */
export function observedPaths(system: LiveSystem): ObservedPath[] {
  return system.devices
    .filter(({ netns }) => netns.current)
    .toSorted((a, b) => a.ifindex - b.ifindex)
    .flatMap((device) => pathsOf(device, system))
    .filter((path) => path.maps.length > 0 || isHiddenDispatcher(path));
}

/** The program on a device with everything that belongs to it, also when it redirects nothing; undefined without one. */
export function observedPath(device: LiveDevice, system: LiveSystem): ObservedPath | undefined {
  return pathsOf(device, system)[0];
}

/** Name that libxdp gives its dispatcher. */
const DISPATCHER = 'xdp_dispatcher';

/** A libxdp dispatcher whose components are not known: what they redirect cannot be told. */
export function isHiddenDispatcher({ program, components }: ObservedPath): boolean {
  return program.name === DISPATCHER && components.length === 0;
}

function pathsOf(device: LiveDevice, system: LiveSystem): ObservedPath[] {
  return device.progIds.flatMap((id, index) => {
    const program = system.programs.get(id);
    if (program === undefined) return [];
    const components = (program.components ?? []).flatMap((component) => system.programs.get(component) ?? []);
    const link = system.links.find(({ progId, ifindex }) => progId === id && ifindex === device.ifindex);
    return {
      device,
      mode: device.xdpModes?.[index] ?? device.xdpMode ?? 'native',
      program,
      components,
      maps: [program, ...components].flatMap((user) => mapsOf(user, device, system)),
      ...(link !== undefined && { link }),
    };
  });
}

function mapsOf(user: LiveProgram, device: LiveDevice, system: LiveSystem): ObservedMap[] {
  return user.mapIds.flatMap((id) => {
    const map = system.maps.get(id);
    if (map === undefined || !isRedirectKind(map.type)) return [];
    const entries = map.entries?.map((entry) => observe(entry, user, device, system));
    return { map, user, ...(entries !== undefined && { entries }) };
  });
}

function observe(entry: LiveEntry, user: LiveProgram, device: LiveDevice, system: LiveSystem): ObservedEntry {
  const target = entry.ifindex === undefined ? undefined : targetOf(entry.ifindex, device, system);
  const reachable = isReachable(entry, user, device);
  return { entry, reachable, ...(target !== undefined && { target }) };
}

function isReachable({ key, ifindex }: LiveEntry, user: LiveProgram, device: LiveDevice): boolean {
  if (user.broadcast !== undefined) return !(user.broadcast.excludeIngress && ifindex === device.ifindex);
  if (user.cpus !== undefined) return user.cpus.includes(key);
  return keysOf(user, device)?.includes(key) ?? true;
}

/** The keys that a program of ours looks up for frames of the device; undefined when that cannot be told. */
export function keysOf({ keySource, cpus, broadcast }: LiveProgram, device: LiveDevice): readonly number[] | undefined {
  if (broadcast !== undefined) return undefined;
  if (cpus !== undefined) return [...new Set(cpus)];
  if (keySource === undefined) return undefined;
  if (keySource === 'ingress') return [device.ifindex];
  if (keySource === 'queue') return Array.from({ length: device.rxQueues ?? 1 }, (_, queue) => queue);
  return [keySource.key];
}

const devicesByIfindex = new WeakMap<LiveSystem, ReadonlyMap<number, readonly LiveDevice[]>>();

/**
 * The device that a devmap's entry leads to. The entry holds the device itself, but tells only its ifindex: mostly one of
 * the namespace that the frames come in by, else the only one of that ifindex that there is.
 */
function targetOf(ifindex: number, from: LiveDevice, system: LiveSystem): LiveDevice | undefined {
  const candidates = (devicesByIfindex.get(system) ?? indexDevices(system)).get(ifindex) ?? [];
  return (
    candidates.find(({ netns }) => netns.inode === from.netns.inode) ??
    (candidates.length === 1 ? candidates[0] : undefined)
  );
}

function indexDevices(system: LiveSystem): ReadonlyMap<number, readonly LiveDevice[]> {
  const index = new Map<number, LiveDevice[]>();
  for (const device of system.devices) {
    const list = index.get(device.ifindex);
    if (list === undefined) index.set(device.ifindex, [device]);
    else list.push(device);
  }
  devicesByIfindex.set(system, index);
  return index;
}

/** A map for a sentence: `the devmap targets`. */
export function mapLabel({ name, type, id }: LiveMap): string {
  return `the ${type} ${name ?? id}`;
}

/** A program for a sentence. */
export function programLabel({ name, id }: Pick<LiveProgram, 'id' | 'name'>): string {
  return name ?? `program ${id}`;
}
