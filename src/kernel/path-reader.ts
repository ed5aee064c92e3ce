import { decodeCpumapValue } from '../domain/cpumap.ts';
import { decodeDevmapValue } from '../domain/devmap.ts';
import { isRedirectKind, type RedirectKind } from '../domain/map-type.ts';
import { unnamed } from '../domain/path-document.ts';
import type { LivePath } from '../domain/path-plan.ts';
import { decodeCpumapConfig, decodeEgressConfig, decodeRedirectConfig } from '../domain/redirect-config.ts';
import type {
  CpuEntry,
  DeviceEntry,
  EntryProgram,
  NamedDevice,
  PathMode,
  PathProgram,
  Targets,
} from '../domain/redirect-path.ts';
import { exists } from './access.ts';
import { interfaceName } from './interface-names.ts';
import type { BpfMap } from './map.ts';
import { occupiedEntries } from './path-entries.ts';
import {
  CONFIG_PIN,
  EGRESS_DIRECTORY,
  LINK_PIN,
  linkText,
  MAP_LINK,
  namesIn,
  OBJECT_LINK,
  pinnedMap,
  PROGRAM_LINK,
  programIn,
  TARGETS_PIN,
} from './path-store.ts';

/** How a program or map of others is to be called; only the caller knows whether that is worth a search for pins. */
export type HandleOf = (kind: 'prog' | 'map', id: number) => string;

/**
 * Reads back what a path of ours is now: its own directory tells, and the entries of its map, which others may have
 * changed.
 *
 * @throws KernelRefusal `pin get`, `map …`
 */
export function readPath(directory: string, device: NamedDevice, mode: PathMode, handleOf: HandleOf): LivePath {
  using targets = pinnedMap(`${directory}/${TARGETS_PIN}`);
  using config = pinnedMap(`${directory}/${CONFIG_PIN}`);
  const bytes = config === undefined ? undefined : firstValue(config);
  const entryProgram = entryProgramReader(directory, handleOf);
  const base = { device, mode, link: exists(`${directory}/${LINK_PIN}`) };
  const file = linkText(`${directory}/${OBJECT_LINK}`);
  const borrowed = linkText(`${directory}/${MAP_LINK}`);
  const program: PathProgram =
    file !== undefined
      ? { kind: 'object', file, name: linkText(`${directory}/${PROGRAM_LINK}`) ?? '' }
      : { kind: 'builtin', ...behaviour(bytes) };
  if (targets === undefined) return { path: { ...base, program, targets: { kind: 'own-maps' } } };
  const type = targets.info.typeName;
  if (!isRedirectKind(type)) return { path: { ...base, program, targets: { kind: 'own-maps' } } };
  if (borrowed !== undefined) {
    const { id } = targets.info;
    const handle = borrowed.startsWith('/') ? borrowed : handleOf('map', id);
    const cpus = type === 'cpumap' && bytes !== undefined ? decodeCpumapConfig(bytes).cpus : [];
    return { path: { ...base, program, targets: { kind: 'map', id, type, handle, cpus } } };
  }
  const read = targetsOf(targets, type, bytes, entryProgram);
  return { path: { ...base, program, targets: read }, capacity: targets.info.maxEntries };
}

/** sizeof(struct redirect_config) of bpf-objects/redirect-by-key.h; that of the program for CPUs is larger. */
const REDIRECT_CONFIG_SIZE = 16;

function behaviour(bytes: Uint8Array | undefined): Omit<PathProgram & { readonly kind: 'builtin' }, 'kind'> {
  if (bytes === undefined) return { key: 'ingress', onMiss: 'aborted' };
  if (bytes.length > REDIRECT_CONFIG_SIZE) return { key: 'ingress', onMiss: decodeCpumapConfig(bytes).onMiss };
  const { key, onMiss } = decodeRedirectConfig(bytes);
  return { key, onMiss };
}

function targetsOf(
  map: BpfMap,
  type: RedirectKind,
  config: Uint8Array | undefined,
  entryProgram: (id: number) => EntryProgram,
): Targets {
  switch (type) {
    case 'xskmap':
      return { kind: 'sockets', queues: 0 };
    case 'cpumap': {
      const entries = cpuEntries(map, entryProgram);
      const spread = config === undefined ? entries.map(({ key }) => key) : decodeCpumapConfig(config).cpus;
      return { kind: 'cpus', spread, entries };
    }
    case 'devmap':
    case 'devmap_hash': {
      const { broadcast, excludeIngress } =
        config === undefined ? { broadcast: false, excludeIngress: false } : decodeRedirectConfig(config);
      return { kind: 'devices', broadcast, excludeIngress, entries: deviceEntries(map, entryProgram) };
    }
  }
}

function deviceEntries(map: BpfMap, entryProgram: (id: number) => EntryProgram): DeviceEntry[] {
  return Array.from(occupiedEntries(map), ({ key, value }) => {
    const { ifindex, prog } = decodeDevmapValue(value);
    const ifname = interfaceName(ifindex) ?? unnamed(ifindex);
    return { key, ifindex, ifname, ...(prog !== 0 && { program: entryProgram(prog) }) };
  });
}

function cpuEntries(map: BpfMap, entryProgram: (id: number) => EntryProgram): CpuEntry[] {
  return Array.from(occupiedEntries(map), ({ key, value }) => {
    const { qsize, prog } = decodeCpumapValue(value);
    return { key, qsize, ...(prog !== 0 && { program: entryProgram(prog) }) };
  });
}

/** Tells our programs in entries, by the pins of the path, from those of others. */
function entryProgramReader(directory: string, handleOf: HandleOf): (id: number) => EntryProgram {
  let own: Map<number, EntryProgram> | undefined;
  return (id) => {
    own ??= ownEntryPrograms(`${directory}/${EGRESS_DIRECTORY}`);
    return own.get(id) ?? { kind: 'existing', id, handle: handleOf('prog', id) };
  };
}

function ownEntryPrograms(directory: string): Map<number, EntryProgram> {
  const programs = new Map<number, EntryProgram>();
  for (const name of namesIn(directory)) {
    const id = programIn(`${directory}/${name}`);
    using config = pinnedMap(`${directory}/${name}/${CONFIG_PIN}`);
    const bytes = config && firstValue(config);
    if (id !== undefined && bytes !== undefined) programs.set(id, { kind: 'own', ...decodeEgressConfig(bytes) });
  }
  return programs;
}

function firstValue(map: BpfMap): Uint8Array | undefined {
  const value = new Uint8Array(map.valueLength);
  return map.lookup(new Uint8Array(map.info.keySize), value) ? value : undefined;
}
