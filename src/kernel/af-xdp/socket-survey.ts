import { fstatSync, readFileSync } from 'node:fs';

import { littleEndian } from '../../domain/byte-order.ts';
import { KernelRefusal } from '../../domain/errors.ts';
import { encodeInteger } from '../../domain/integer.ts';
import {
  parseSocketMappings,
  type RingKind,
  type RingSize,
  ringSizeOf,
  type SocketMappings,
} from '../../domain/xsk-mappings.ts';
import type { XskStatistics } from '../../domain/xsk-statistics.ts';
import { libc } from '../../ffi/libc.ts';
import { EPERM } from '../check.ts';
import type { Fd } from '../fd.ts';
import { allMaps } from '../map-list.ts';
import { BPF_ANY, BpfMap } from '../map.ts';
import { duplicateOf } from '../pidfd.ts';
import { processIds, type SocketOwner, socketOwners } from '../socket-owners.ts';
import { type XskDetails, XskmapReader } from '../xskmap-reader.ts';
import { readRingOffsets, type RingOffsets } from './mapped-ring.ts';
import { AF_XDP, readXskStatistics } from './options.ts';

const SOL_SOCKET = 1;
const SO_DOMAIN = 39;
/** enum bpf_map_type (linux/bpf.h). */
const BPF_MAP_TYPE_XSKMAP = 17;

/** An entry of an XSKMAP that holds a socket. */
export interface MapPlace {
  readonly mapId: number;
  readonly key: number;
}

/** An AF_XDP socket with all that could be found out about it. */
export interface SurveyedSocket {
  /** The N of socket:[N]; 0 when no process holds it any more. */
  readonly inode: number;
  /** Absent without the right to read kernel memory (CAP_PERFMON) or BTF. */
  readonly details?: (XskDetails & { readonly queue: number }) | undefined;
  readonly owners: readonly SocketOwner[];
  readonly places: readonly MapPlace[];
  /** Those that the owner has mapped. */
  readonly rings?: Readonly<Partial<Record<RingKind, RingSize>>>;
  /** Absent where the owner's descriptor cannot be had. */
  readonly statistics?: XskStatistics;
}

/** All AF_XDP sockets that could be found. */
export interface SocketSurvey {
  readonly sockets: readonly SurveyedSocket[];
  /** How many sockets the current network namespace has; undefined where the kernel does not tell. */
  readonly inNamespace: number | undefined;
  /** The XSKMAPs; undefined without the right to list them (CAP_SYS_ADMIN). */
  readonly mapIds: readonly number[] | undefined;
  /** Why sockets cannot be described; undefined when they can. */
  readonly refusal: KernelRefusal | undefined;
}

/** A socket on the way to being known. */
interface Draft {
  readonly inode: number;
  details?: (XskDetails & { readonly queue: number }) | undefined;
  readonly places: MapPlace[];
  owners: readonly SocketOwner[];
  rings?: Partial<Record<RingKind, RingSize>>;
  statistics?: XskStatistics;
}

/**
 * Finds the AF_XDP sockets of all namespaces: those in XSKMAPs, and those that processes have mapped.
 *
 * @throws KernelRefusal `map info`, `prog test run`
 */
export function surveySockets(): SocketSurvey {
  const drafts = new DraftList();
  const { mapIds, refusal } = readMaps(drafts);
  const mappings = readMappings();
  for (const inode of mappings.keys()) drafts.of(inode);
  const owners = socketOwners(drafts.inodes);
  for (const draft of drafts.all) draft.owners = owners.get(draft.inode) ?? [];
  using scratch = new ScratchMap();
  const sockets = drafts.all.filter((draft) => inspect(draft, mappings.get(draft.inode) ?? {}, scratch));
  return { sockets, inNamespace: countInNamespace(), mapIds, refusal: refusal ?? scratch.refusal };
}

class DraftList {
  readonly all: Draft[] = [];
  readonly #byInode = new Map<number, Draft>();

  get inodes(): ReadonlySet<number> {
    return new Set(this.#byInode.keys());
  }

  /** The draft of that socket, a new one where there is none. Sockets without an inode are all different. */
  of(inode: number): Draft {
    let draft = inode === 0 ? undefined : this.#byInode.get(inode);
    if (draft === undefined) {
      draft = { inode, places: [], owners: [] };
      this.all.push(draft);
      if (inode !== 0) this.#byInode.set(inode, draft);
    }
    return draft;
  }
}

function readMaps(drafts: DraftList): Pick<SocketSurvey, 'mapIds' | 'refusal'> {
  const mapIds: number[] = [];
  let refusal: KernelRefusal | undefined;
  try {
    for (const map of allMaps()) {
      if (map.info.typeName !== 'xskmap') continue;
      mapIds.push(map.info.id);
      refusal ??= readMap(map, drafts);
    }
    return { mapIds, refusal };
  } catch (error) {
    if (error instanceof KernelRefusal && error.errno === EPERM) return { mapIds: undefined, refusal };
    throw error;
  }
}

/** Returns why the sockets of the map cannot be described. */
function readMap(map: BpfMap, drafts: DraftList): KernelRefusal | undefined {
  try {
    using reader = new XskmapReader(map);
    for (const { key, queue, details } of reader.entries()) {
      const draft = drafts.of(details?.inode ?? 0);
      draft.places.push({ mapId: map.info.id, key });
      if (details !== undefined) draft.details = { ...details, queue };
    }
    return reader.refusal;
  } catch (error) {
    if (error instanceof KernelRefusal) return error;
    throw error;
  }
}

/** What all processes have mapped like an AF_XDP socket. */
function readMappings(): SocketMappings {
  const mappings = new Map<number, Readonly<Partial<Record<RingKind, number>>>>();
  for (const pid of processIds()) {
    let text;
    try {
      text = readFileSync(`/proc/${pid}/maps`, 'utf8');
    } catch {
      continue; // Gone meanwhile, or another user's.
    }
    if (!text.includes('socket:[')) continue;
    for (const [inode, rings] of parseSocketMappings(text)) mappings.set(inode, { ...mappings.get(inode), ...rings });
  }
  return mappings;
}

/**
 * Looks at a socket through a duplicate of its owner's descriptor, which is closed at once: it would keep the queue busy.
 *
 * @returns false when it is no AF_XDP socket
 */
function inspect(draft: Draft, mappings: Readonly<Partial<Record<RingKind, number>>>, scratch: ScratchMap): boolean {
  using duplicate = duplicateFrom(draft);
  if (duplicate === undefined) return draft.places.length > 0 || Object.keys(mappings).some((kind) => kind !== 'rx');
  const fd = duplicate.number;
  if (domainOf(fd) !== AF_XDP) return false;
  draft.statistics = readXskStatistics(fd);
  draft.rings = ringSizes(mappings, readRingOffsets(fd));
  draft.details ??= scratch.describe(fd);
  return true;
}

/** From the first owner that lets it be had. */
function duplicateFrom({ owners, inode }: Draft): Fd | undefined {
  for (const { pid, fd } of owners) {
    const duplicate = duplicateOf(pid, fd);
    if (duplicate === undefined) continue;
    // The owner may have closed it meanwhile, and opened something else under its number.
    if (fstatSync(duplicate.number).ino === inode) return duplicate;
    duplicate[Symbol.dispose]();
  }
  return undefined;
}

function ringSizes(
  mappings: Readonly<Partial<Record<RingKind, number>>>,
  offsets: Readonly<Record<RingKind, RingOffsets>>,
): Partial<Record<RingKind, RingSize>> {
  return Object.fromEntries(
    (Object.entries(mappings) as [RingKind, number][]).map(([kind, length]) => [
      kind,
      ringSizeOf(kind, length, offsets[kind].entries, libc.getpagesize()),
    ]),
  );
}

/** A map of our own, in which a socket that is in no other map can be looked at. Made when it is first needed. */
class ScratchMap implements Disposable {
  #map: BpfMap | undefined;
  #reader: XskmapReader | undefined;
  #refusal: KernelRefusal | undefined;

  /** Why sockets cannot be described. */
  get refusal(): KernelRefusal | undefined {
    return this.#refusal ?? this.#reader?.refusal;
  }

  describe(fd: number): Draft['details'] | undefined {
    if (this.#refusal !== undefined) return undefined;
    try {
      const type = BPF_MAP_TYPE_XSKMAP;
      this.#map ??= BpfMap.create({ type, name: 'xdpctl_scratch', keySize: 4, valueSize: 4, maxEntries: 1, flags: 0 });
      this.#reader ??= new XskmapReader(this.#map);
      const key = encodeInteger(0, 4);
      this.#map.update(key, encodeInteger(fd, 4), BPF_ANY);
      try {
        const entry = this.#reader.entry(0);
        return entry?.details && { ...entry.details, queue: entry.queue };
      } finally {
        this.#map.delete(key);
      }
    } catch (error) {
      if (!(error instanceof KernelRefusal)) throw error;
      this.#refusal = error;
      return undefined;
    }
  }

  [Symbol.dispose](): void {
    this.#reader?.[Symbol.dispose]();
    this.#map?.[Symbol.dispose]();
  }
}

function domainOf(fd: number): number {
  const value = new Uint8Array(4);
  if (libc.getsockopt(fd, SOL_SOCKET, SO_DOMAIN, value, new Uint32Array([4])) !== 0) return -1;
  return new DataView(value.buffer).getInt32(0, littleEndian);
}

/** The number of AF_XDP sockets that the current network namespace has, from /proc/net/protocols. */
function countInNamespace(): number | undefined {
  try {
    const text = readFileSync('/proc/thread-self/net/protocols', 'utf8');
    const count = /^XDP +\d+ +(\d+) /m.exec(text)?.[1];
    return count === undefined ? undefined : Number(count);
  } catch {
    return undefined;
  }
}
