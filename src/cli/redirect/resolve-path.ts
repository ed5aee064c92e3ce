import { resolve } from 'node:path';

import { usageError } from '../../domain/errors.ts';
import { isRedirectKind, type RedirectKind } from '../../domain/map-type.ts';
import { asTarget, type CpuWish, DEFAULT_QSIZE, type PathWish, type TargetWish } from '../../domain/path-wish.ts';
import { type KeySource, MAX_SPREAD_CPUS } from '../../domain/redirect-config.ts';
import type {
  CpuEntry,
  DeviceEntry,
  EntryProgram,
  NamedDevice,
  PathProgram,
  RedirectPath,
  Targets,
} from '../../domain/redirect-path.ts';
import { possibleCpuList } from '../../kernel/cpu.ts';
import { interfaceIndex } from '../../kernel/interface-names.ts';
import { readInterface } from '../../kernel/interfaces.ts';
import { NETLINK_ROUTE, NetlinkSocket } from '../../kernel/netlink.ts';
import { occupiedEntries } from '../../kernel/path-entries.ts';
import type { Context } from '../context.ts';
import { checkKind } from '../map/entry-refusal.ts';
import { noInterface } from '../no-interface.ts';
import { openProgram } from '../open-program.ts';
import { parseHandle } from '../words/handle.ts';
import { parseProgramHandle, type ProgramHandle } from '../words/program-handle.ts';
import { checkKernel } from './kernel-needs.ts';
import { deviceIndex } from './store.ts';

/**
 * Finds what a path names: interfaces, programs, maps, the file of programs.
 *
 * @param wish checked by checkWish
 * @throws ToolError not-found, usage; unsupported where this kernel knows no such path
 */
export async function resolvePath(wish: PathWish, context: Context): Promise<RedirectPath> {
  const device = namedDevice(wish.dev);
  const targets = targetsOf(wish, device, context);
  const path: RedirectPath = {
    device,
    mode: wish.mode ?? 'native',
    link: wish.link === true,
    program: await programOf(wish, targets),
    targets,
  };
  checkKernel(path);
  return path;
}

function namedDevice(ifname: string): NamedDevice {
  return { ifname, ifindex: deviceIndex(ifname) };
}

function targetDevice(ifname: string): NamedDevice {
  // An interface may be called so, but mostly a list is meant.
  if (!ifname.includes(',') || interfaceIndex(ifname) !== undefined) return namedDevice(ifname);
  throw noInterface(`'${ifname}'`, undefined, 'each target is named by itself: --to DEV --to DEV');
}

async function programOf(wish: PathWish, targets: Targets): Promise<PathProgram> {
  if (wish.object !== undefined) {
    const { findUserProgram } = await import('./find-user-program.ts');
    return findUserProgram(resolve(wish.object), wish.program);
  }
  const onMiss = wish.on_miss ?? (mapType(targets) === 'xskmap' ? 'pass' : 'aborted');
  return { kind: 'builtin', key: keySource(wish, targets), onMiss };
}

/** The type of a map that is filled by others; undefined where the map is made to fit. */
function mapType(targets: Targets): RedirectKind | undefined {
  if (targets.kind === 'sockets') return 'xskmap';
  return targets.kind === 'map' ? targets.type : undefined;
}

/** An array is looked up by receive queue unless told otherwise: ifindexes outgrow it. */
function keySource({ key }: PathWish, targets: Targets): KeySource {
  if (typeof key === 'number') return { fixed: key };
  const type = mapType(targets);
  return key ?? (type === 'xskmap' || type === 'devmap' ? 'queue' : 'ingress');
}

function targetsOf(wish: PathWish, device: NamedDevice, context: Context): Targets {
  if (wish.to !== undefined) {
    const entries = wish.to.map((target, index) => deviceEntry(asTarget(target), index, { wish, device }));
    return {
      kind: 'devices',
      broadcast: wish.broadcast === true,
      excludeIngress: wish.exclude_ingress === true,
      entries: distinct(entries),
    };
  }
  if (wish.cpus !== undefined) {
    const entries = cpuEntries(wish.cpus, wish);
    return { kind: 'cpus', spread: entries.map(({ key }) => key), entries };
  }
  if (wish.xsk === true) return { kind: 'sockets', queues: receiveQueues(device) };
  if (wish.map !== undefined) return existingMap(wish.map, wish, context);
  return { kind: 'own-maps' };
}

function deviceEntry(
  target: TargetWish,
  index: number,
  { wish, device }: { readonly wish: PathWish; readonly device: NamedDevice },
): DeviceEntry {
  const named = targetDevice(target.dev);
  const program = entryProgram(
    {
      handle: target.egress ?? wish.egress,
      dstMac: target.dst_mac ?? wish.dst_mac,
      srcMac: target.src_mac ?? wish.src_mac,
    },
    'devmap',
  );
  const key = target.key ?? defaultKey(wish, index, device.ifindex, named.ifindex);
  return { ...named, key, ...(program !== undefined && { program }) };
}

/** The key under which the program will look for the i-th target. */
function defaultKey(wish: PathWish, index: number, ingress: number, target: number): number {
  if (wish.broadcast === true) return target;
  if (typeof wish.key === 'number') return wish.key;
  return wish.key === 'queue' ? index : ingress;
}

/** @throws ToolError usage when two entries have the same key */
function distinct<Entry extends { readonly key: number }>(entries: readonly Entry[]): readonly Entry[] {
  const seen = new Set<number>();
  for (const { key } of entries) {
    if (seen.has(key)) throw usageError(`two targets have the key ${key}`);
    seen.add(key);
  }
  return entries;
}

function cpuEntries(cpus: readonly (number | CpuWish)[], wish: PathWish): readonly CpuEntry[] {
  if (cpus.length > MAX_SPREAD_CPUS) {
    throw usageError(`frames can be spread over ${MAX_SPREAD_CPUS} CPUs, not ${cpus.length}`);
  }
  const possible = possibleCpuList();
  return distinct(
    cpus.map((each): CpuEntry => {
      const { cpu, qsize, prog } = typeof each === 'number' ? { cpu: each } : each;
      if (!possible.includes(cpu)) {
        throw usageError(`CPU ${cpu} is not possible on this machine`, `there are: ${possible.join(', ')}`);
      }
      const program = entryProgram({ handle: prog ?? wish.prog }, 'cpumap');
      return {
        key: cpu,
        qsize: qsize ?? wish.qsize ?? DEFAULT_QSIZE,
        ...(program !== undefined && { program }),
      };
    }),
  );
}

interface EntryProgramWish {
  readonly handle: string | undefined;
  readonly dstMac?: string | undefined;
  readonly srcMac?: string | undefined;
}

/** The builtin programs for entries, by the names that the user may give them. */
const ownPrograms: ReadonlyMap<string, 'pass' | 'drop'> = new Map([
  ['pass', 'pass'],
  ['drop', 'drop'],
  ['egress_devmap', 'pass'],
  ['egress_cpumap', 'pass'],
]);

function entryProgram(
  { handle, dstMac, srcMac }: EntryProgramWish,
  kind: 'devmap' | 'cpumap',
): EntryProgram | undefined {
  if (handle === undefined) {
    if (dstMac === undefined && srcMac === undefined) return undefined;
    return {
      kind: 'own',
      action: 'pass',
      ...(dstMac !== undefined && { dstMac: dstMac.toLowerCase() }),
      ...(srcMac !== undefined && { srcMac: srcMac.toLowerCase() }),
    };
  }
  const parsed = parseProgramHandle(handle);
  const action = parsed.by === 'builtin' ? ownPrograms.get(parsed.name) : undefined;
  if (action !== undefined) return { kind: 'own', action };
  using program = openProgram(parsed, `xdp/${kind}`);
  checkKind(program, kind);
  return { kind: 'existing', id: program.info.id, handle: durableHandle(parsed, program.info.id) };
}

/** A pin outlives names and ids. */
function durableHandle(handle: ProgramHandle, id: number): string {
  return handle.by === 'pinned' ? handle.path : `id:${id}`;
}

function receiveQueues({ ifindex }: NamedDevice): number {
  using socket = new NetlinkSocket(NETLINK_ROUTE);
  return readInterface(ifindex, socket)?.rxQueues ?? 1;
}

function existingMap(word: string, { key }: PathWish, context: Context): Targets {
  const handle = parseHandle(word, 'map');
  const map = context.maps.open(handle);
  const { id, type, typeName, maxEntries } = map.info;
  if (!isRedirectKind(typeName)) {
    throw usageError(
      `map ${id} is a ${typeName ?? `map of type ${type}`}, through which nothing can be redirected`,
      'a devmap, devmap_hash, cpumap or xskmap is needed',
    );
  }
  if (typeName === 'cpumap' && key !== undefined)
    throw usageError('a cpumap takes no key: the CPU is chosen by the flow');
  if (typeof key === 'number' && typeName !== 'devmap_hash' && key >= maxEntries) {
    throw usageError(`key ${key} is outside map ${id}: its keys go from 0 to ${maxEntries - 1}`);
  }
  const cpus = typeName === 'cpumap' ? Array.from(occupiedEntries(map), (entry) => entry.key) : [];
  if (typeName === 'cpumap' && cpus.length === 0) {
    throw usageError(
      `cpumap ${id} has no entry, and frames are spread over those it has`,
      ({ own }) =>
        `fill it first: ${own(['map', 'update', 'id', String(id), ...'key CPU value qsize 2048'.split(' ')])}`,
    );
  }
  return { kind: 'map', id, type: typeName, handle: durableHandle(handle, id), cpus };
}
