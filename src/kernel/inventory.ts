import { release } from 'node:os';

import { decodeDevmapValue } from '../domain/devmap.ts';
import { KernelRefusal } from '../domain/errors.ts';
import { decodeInteger } from '../domain/integer.ts';
import { parseKernelVersion } from '../domain/kernel-version.ts';
import type { LiveEntry, LiveLink, LiveMap, LiveProgram, LiveSystem } from '../domain/live-system.ts';
import { isRedirectKind } from '../domain/map-type.ts';
import { PROG_TYPE_XDP, type ProgramInfo } from '../domain/program-info.ts';
import { EPERM } from './check.ts';
import { onlineCpuList, possibleCpuList } from './cpu.ts';
import { readDevices } from './devices.ts';
import { FragmentProbe } from './fragment-probe.ts';
import type { LinkInfo } from './link-info.ts';
import { xdpLinks } from './link-list.ts';
import { entryChunks } from './map-entries.ts';
import { allMaps } from './map-list.ts';
import type { BpfMap } from './map.ts';
import { type OwnConfig, ownConfigOf } from './own-program.ts';
import { allPins, type PinsById } from './pins.ts';
import { allPrograms } from './program-list.ts';
import { readProgramMapIds } from './program.ts';
import { socketOwners } from './socket-owners.ts';
import { XskmapReader } from './xskmap-reader.ts';

/** BPF_PROG_TYPE_EXT: replaces a function of another program. */
const PROG_TYPE_EXT = 28;

/**
 * One snapshot: the devices of all namespaces that can be entered, the XDP programs with their links and what replaces
 * functions of them, and the maps that these use or that frames are redirected through, with all pins. The entries are
 * read of the redirect maps that a program uses. Programs, links and maps stay unknown without CAP_SYS_ADMIN.
 *
 * @throws KernelRefusal `link list`, `genl netdev`, `prog info`, `link info`, `map info`
 */
export function readLiveSystem(): LiveSystem {
  const pins = allPins();
  const links = tolerating(xdpLinks) ?? [];
  const programs = readPrograms(links, pins.prog);
  const used = new Set([...programs.values()].flatMap(({ mapIds }) => mapIds));
  const maps = readMaps(used, pins.map);
  const online = new Set(onlineCpuList());
  return {
    kernel: parseKernelVersion(release()) ?? { major: 0, minor: 0 },
    cpus: online.size,
    offlineCpus: possibleCpuList().filter((cpu) => !online.has(cpu)),
    devices: readDevices(),
    programs: withFragments(programs, maps),
    maps,
    links: links.map((link) => describeLink(link, pins.link)),
  };
}

function describeLink({ id, progId, ifindex }: LinkInfo, pins: PinsById): LiveLink {
  return { id, progId, pinned: pins.get(id) ?? [], ...(ifindex !== undefined && { ifindex }) };
}

function readPrograms(links: readonly LinkInfo[], pins: PinsById): Map<number, LiveProgram> {
  const programs = new Map<number, LiveProgram>();
  const replacing = new Set(links.flatMap(({ progId, replacedIn }) => (replacedIn === undefined ? [] : [progId])));
  tolerating(() => {
    for (const { info, fd } of allPrograms()) {
      const counts = info.type === PROG_TYPE_XDP || (info.type === PROG_TYPE_EXT && replacing.has(info.id));
      if (counts) programs.set(info.id, describeProgram(info, readProgramMapIds(fd), links, pins));
    }
  });
  return programs;
}

function describeProgram(
  { id, name, tag }: ProgramInfo,
  mapIds: readonly number[],
  links: readonly LinkInfo[],
  pins: PinsById,
): LiveProgram {
  const components = links.flatMap(({ progId, replacedIn }) => (replacedIn === id ? [progId] : []));
  const pinned = pins.get(id);
  return {
    id,
    tag,
    mapIds,
    ...(name !== '' && { name }),
    ...behaviour(ownConfigOf(name, mapIds)),
    ...(pinned !== undefined && { pinned }),
    ...(components.length > 0 && { components }),
  };
}

function behaviour(config: OwnConfig | undefined): Partial<LiveProgram> {
  if (config === undefined) return {};
  const { onMiss } = config;
  if ('cpus' in config) return { onMiss, cpus: config.cpus };
  const { key, broadcast, excludeIngress } = config;
  return {
    onMiss,
    keySource: typeof key === 'object' ? { key: key.fixed } : key,
    ...(broadcast && { broadcast: { excludeIngress } }),
  };
}

function readMaps(used: ReadonlySet<number>, pins: PinsById): Map<number, LiveMap> {
  const maps = new Map<number, LiveMap>();
  tolerating(() => {
    for (const map of allMaps()) {
      const { id, typeName } = map.info;
      if (used.has(id) || isRedirectKind(typeName)) maps.set(id, describe(map, pins, used.has(id)));
    }
  });
  return withOwners(maps);
}

function describe(map: BpfMap, pins: PinsById, wantEntries: boolean): LiveMap {
  const { id, name, type, typeName, maxEntries } = map.info;
  const entries = wantEntries && isRedirectKind(typeName) ? readEntries(map) : undefined;
  return {
    id,
    type: typeName ?? `type ${type}`,
    maxEntries,
    pinned: pins.get(id) ?? [],
    ...(name !== '' && { name }),
    ...(entries !== undefined && { entries }),
  };
}

/** The maps with the processes that hold the sockets in them. */
function withOwners(maps: Map<number, LiveMap>): Map<number, LiveMap> {
  const sockets = [...maps.values()].flatMap(({ entries = [] }) => entries.flatMap(({ socket }) => socket ?? []));
  const owners = socketOwners(new Set(sockets.flatMap(({ inode }) => inode ?? [])));
  if (owners.size === 0) return maps;
  for (const [id, map] of maps) {
    if (map.type !== 'xskmap' || map.entries === undefined) continue;
    maps.set(id, { ...map, entries: map.entries.map((entry) => withOwner(entry, owners)) });
  }
  return maps;
}

function withOwner(entry: LiveEntry, owners: ReturnType<typeof socketOwners>): LiveEntry {
  const [owner] = owners.get(entry.socket?.inode ?? 0) ?? [];
  if (entry.socket === undefined || owner === undefined) return entry;
  return { ...entry, socket: { ...entry.socket, pid: owner.pid, comm: owner.comm } };
}

/** The programs, with fragments where a DEVMAP_HASH has one that takes them and one that does not. */
function withFragments(
  programs: Map<number, LiveProgram>,
  maps: ReadonlyMap<number, LiveMap>,
): ReadonlyMap<number, LiveProgram> {
  const hashes = [...maps.values()].filter(({ type, entries }) => type === 'devmap_hash' && hasProgram(entries));
  const concerned = new Set(
    hashes.flatMap(({ id, entries = [] }) => [
      ...[...programs.values()].flatMap((program) => (program.mapIds.includes(id) ? [program.id] : [])),
      ...entries.flatMap(({ progId }) => progId ?? []),
    ]),
  );
  if (concerned.size === 0) return programs;
  using probe = new FragmentProbe();
  for (const id of concerned) {
    const program = programs.get(id);
    const fragments = program && probe.takesFragments(id);
    if (program !== undefined && fragments !== undefined) programs.set(id, { ...program, fragments });
  }
  return programs;
}

function hasProgram(entries: readonly LiveEntry[] = []): boolean {
  return entries.some(({ progId }) => progId !== undefined);
}

/** The occupied entries, or undefined when the map may not be read (created with the flag wronly, rights missing). */
function readEntries(map: BpfMap): LiveEntry[] | undefined {
  try {
    return map.info.typeName === 'xskmap' ? readSockets(map) : readValues(map);
  } catch (error) {
    if (error instanceof KernelRefusal) return undefined;
    throw error;
  }
}

function readValues(map: BpfMap): LiveEntry[] {
  const { keySize, typeName } = map.info;
  const entries: LiveEntry[] = [];
  for (const { keys, values, count } of entryChunks(map)) {
    for (let index = 0; index < count; index += 1) {
      const key = Number(decodeInteger(keys.subarray(index * keySize, (index + 1) * keySize)));
      const value = values.subarray(index * map.valueLength, (index + 1) * map.valueLength);
      // devmap and cpumap entries have one layout: a number, then a program.
      const { ifindex: number, prog } = decodeDevmapValue(value);
      entries.push({
        key,
        ...(typeName === 'cpumap' ? { qsize: number } : { ifindex: number }),
        ...(prog !== 0 && { progId: prog }),
      });
    }
  }
  return entries;
}

function readSockets(map: BpfMap): LiveEntry[] {
  using reader = new XskmapReader(map);
  return Array.from(reader.entries(), ({ key, queue, details }) => ({
    key,
    socket: details === undefined ? { queue } : { queue, ...details },
  }));
}

/** Lists need CAP_SYS_ADMIN; without it they stay as long as they are. */
function tolerating<Result>(read: () => Result): Result | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof KernelRefusal && error.errno === EPERM) return undefined;
    throw error;
  }
}
