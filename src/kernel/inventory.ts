import { release } from 'node:os';

import { decodeDevmapValue } from '../domain/devmap.ts';
import { KernelRefusal } from '../domain/errors.ts';
import { decodeInteger } from '../domain/integer.ts';
import { parseKernelVersion } from '../domain/kernel-version.ts';
import type { LiveEntry, LiveMap, LiveProgram, LiveSystem } from '../domain/live-system.ts';
import { isRedirectKind } from '../domain/map-type.ts';
import { PROG_TYPE_XDP } from '../domain/program-info.ts';
import { EPERM } from './check.ts';
import { onlineCpuList } from './cpu.ts';
import { readDevices } from './devices.ts';
import { entryChunks } from './map-entries.ts';
import { allMaps } from './map-list.ts';
import type { BpfMap } from './map.ts';
import { redirectConfigOf } from './own-program.ts';
import { type PinsById, pinsOf } from './pins.ts';
import { allPrograms } from './program-list.ts';
import { readProgramMapIds } from './program.ts';
import { XskmapReader } from './xskmap-reader.ts';

/**
 * One snapshot: the devices of all namespaces that can be entered, the XDP programs, and the maps that these use or that
 * frames are redirected through, with their pins. The entries are read of the redirect maps that a program uses. Programs
 * and maps stay unknown without CAP_SYS_ADMIN.
 *
 * @throws KernelRefusal `link list`, `genl netdev`, `prog info`, `map info`
 */
export function readLiveSystem(): LiveSystem {
  const programs = readPrograms();
  const used = new Set([...programs.values()].flatMap(({ mapIds }) => mapIds));
  return {
    kernel: parseKernelVersion(release()) ?? { major: 0, minor: 0 },
    cpus: onlineCpuList().length,
    devices: readDevices(),
    programs,
    maps: readMaps(used),
  };
}

function readPrograms(): Map<number, LiveProgram> {
  const programs = new Map<number, LiveProgram>();
  tolerating(() => {
    for (const { info, fd } of allPrograms()) {
      if (info.type !== PROG_TYPE_XDP) continue;
      const mapIds = readProgramMapIds(fd);
      const keySource = keySourceOf(info.name, mapIds);
      programs.set(info.id, {
        id: info.id,
        mapIds,
        ...(info.name !== '' && { name: info.name }),
        ...(keySource !== undefined && { keySource }),
      });
    }
  });
  return programs;
}

function keySourceOf(name: string, mapIds: readonly number[]): LiveProgram['keySource'] {
  const key = redirectConfigOf(name, mapIds)?.key;
  return typeof key === 'object' ? { key: key.fixed } : key;
}

function readMaps(used: ReadonlySet<number>): Map<number, LiveMap> {
  const maps = new Map<number, LiveMap>();
  tolerating(() => {
    const pins = pinsOf('map');
    for (const map of allMaps()) {
      const { id, typeName } = map.info;
      if (used.has(id) || isRedirectKind(typeName)) maps.set(id, describe(map, pins, used.has(id)));
    }
  });
  return maps;
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
  for (const { keys, values, count, errnos } of entryChunks(map)) {
    for (let index = 0; index < count; index += 1) {
      if ((errnos?.[index] ?? 0) !== 0) continue;
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
  return Array.from(reader.entries(), ({ key }) => ({ key }));
}

/** Lists need CAP_SYS_ADMIN; without it they stay as long as they are. */
function tolerating(read: () => void): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof KernelRefusal) || error.errno !== EPERM) throw error;
  }
}
