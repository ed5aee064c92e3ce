import type { RedirectKind } from './map-type.ts';
import type { KeySource, MissAction } from './redirect-config.ts';

/*
 * A redirect path: frames that arrive at one device leave by others, go on on other CPUs, or end in AF_XDP sockets. The
 * same type says what is wanted and, read back from the kernel, what is there; the two are compared in path-plan.ts.
 */

/** Where a redirect program runs. (A NIC that runs programs itself cannot redirect.) */
export type PathMode = 'native' | 'generic';

/** An interface of the network namespace that the path is in. */
export interface NamedDevice {
  readonly ifindex: number;
  readonly ifname: string;
}

/** The program in an entry of the map of targets. */
export type EntryProgram =
  /** One that comes with the tool, loaded for this path. MAC addresses as `02:00:00:00:00:01`, devmaps only. */
  | { readonly kind: 'own'; readonly action: 'pass' | 'drop'; readonly dstMac?: string; readonly srcMac?: string }
  /** One that exists already; `handle` is how the user names it. */
  | { readonly kind: 'existing'; readonly id: number; readonly handle: string };

/** An entry of a devmap or devmap_hash. */
export interface DeviceEntry extends NamedDevice {
  readonly key: number;
  readonly program?: EntryProgram;
}

/** An entry of a cpumap: the key is the CPU's number. */
export interface CpuEntry {
  readonly key: number;
  readonly qsize: number;
  readonly program?: EntryProgram;
}

export type Targets =
  | {
      readonly kind: 'devices';
      readonly broadcast: boolean;
      readonly excludeIngress: boolean;
      readonly entries: readonly DeviceEntry[];
    }
  /** `spread` are the CPUs that flows are spread over, in that order; each should have an entry. */
  | { readonly kind: 'cpus'; readonly spread: readonly number[]; readonly entries: readonly CpuEntry[] }
  /** AF_XDP sockets, which their applications enter in the map; `queues` of the device are provided for. */
  | { readonly kind: 'sockets'; readonly queues: number }
  /** A map that is not ours, whatever it holds; `cpus` are the keys that frames are spread over when it is a cpumap. */
  | {
      readonly kind: 'map';
      readonly id: number;
      readonly type: RedirectKind;
      readonly handle: string;
      readonly cpus: readonly number[];
    }
  /** The maps of the user's own program, whatever they hold. */
  | { readonly kind: 'own-maps' };

/** The program that redirects: one that comes with the tool, or one of the user's from a file of BPF programs. */
export type PathProgram =
  | { readonly kind: 'builtin'; readonly key: KeySource; readonly onMiss: MissAction }
  | {
      readonly kind: 'object';
      readonly file: string;
      readonly name: string;
      /** Where the file wants its maps to be pinned, and nothing is yet (LIBBPF_PIN_BY_NAME); absent when read back. */
      readonly pins?: readonly string[];
    };

export interface RedirectPath {
  readonly device: NamedDevice;
  readonly mode: PathMode;
  /** Attached by a BPF link, which no other tool can replace by accident. */
  readonly link: boolean;
  readonly program: PathProgram;
  readonly targets: Targets;
}

/** The entries of a path's map that are its own; none where the map is not for us to fill. */
export function entriesOf({ targets }: RedirectPath): readonly (DeviceEntry | CpuEntry)[] {
  return targets.kind === 'devices' || targets.kind === 'cpus' ? targets.entries : [];
}

/** The name in bpf-objects/ of the program that serves a path whose program comes with the tool. */
export function builtinObject({ program, targets }: RedirectPath): string {
  switch (targets.kind) {
    case 'devices':
      return usesHash(program, targets.broadcast) ? 'redirect_devmap_hash' : 'redirect_devmap';
    case 'cpus':
      return 'redirect_cpumap';
    case 'sockets':
      return 'redirect_xskmap';
    case 'map':
      return `redirect_${targets.type}`;
    case 'own-maps':
      throw new TypeError('a program of the user brings its own maps');
  }
}

/** ifindexes outgrow any array; a broadcast goes to a set of devices, whose keys are their ifindexes. */
function usesHash(program: PathProgram, broadcast: boolean): boolean {
  if (broadcast || program.kind !== 'builtin' || program.key === 'ingress') return true;
  return typeof program.key === 'object' && program.key.fixed >= DEVMAP_ENTRIES;
}

/** Entries of the maps in bpf-objects/ as they come; sizes below make no map smaller than it needs to be. */
const DEVMAP_ENTRIES = 256;
const HASH_ENTRIES = 32;
const SOCKETS = 64;

/** How many entries the map of targets must have; undefined when it is not for us to make. */
export function mapCapacity(path: RedirectPath): number | undefined {
  const { targets } = path;
  switch (targets.kind) {
    case 'devices':
      return builtinObject(path) === 'redirect_devmap_hash'
        ? Math.max(HASH_ENTRIES, targets.entries.length)
        : Math.max(DEVMAP_ENTRIES, 1 + greatestKey(targets.entries));
    case 'cpus':
      return 1 + greatestKey(targets.entries);
    case 'sockets':
      return Math.max(SOCKETS, targets.queues);
    case 'map':
    case 'own-maps':
      return undefined;
  }
}

function greatestKey(entries: readonly { readonly key: number }[]): number {
  return entries.reduce((greatest, { key }) => Math.max(greatest, key), 0);
}

/** Where the path leads, for people: `eth0 -> eth1`. */
export function pathText({ device, targets, program }: RedirectPath): string {
  const { ifname } = device;
  switch (targets.kind) {
    case 'devices': {
      const names = targets.entries.map(({ ifname: target }) => target);
      if (names.length === 0) return `${ifname} -> no interface yet`;
      return targets.broadcast
        ? `${ifname} -> all of ${names.join(', ')}${targets.excludeIngress ? ' but the one it came by' : ''}`
        : `${ifname} -> ${names.join(', ')}`;
    }
    case 'cpus':
      return `${ifname} -> ${targets.spread.length === 0 ? 'no CPU yet' : `CPU ${targets.spread.join(', ')}`}`;
    case 'sockets':
      return `${ifname} -> AF_XDP sockets`;
    case 'map':
      return `${ifname} -> ${targets.type} ${targets.handle}`;
    case 'own-maps':
      return `${ifname} -> the maps of ${program.kind === 'object' ? program.file : 'its program'}`;
  }
}

/** A program in an entry, for people. */
export function entryProgramText(program: EntryProgram): string {
  if (program.kind === 'existing') return `program ${program.handle}`;
  const rewrites = [
    ...(program.dstMac === undefined ? [] : [`destination MAC ${program.dstMac}`]),
    ...(program.srcMac === undefined ? [] : [`source MAC ${program.srcMac}`]),
  ];
  return [program.action === 'drop' ? 'drop and count' : 'count', ...rewrites].join(', ');
}
