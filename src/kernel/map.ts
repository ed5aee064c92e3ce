import { littleEndian } from '../domain/byte-order.ts';
import { KernelRefusal } from '../domain/errors.ts';
import { BPF_F_RDONLY } from '../domain/map-flags.ts';
import type { MapInfo } from '../domain/map-info.ts';
import { isPerCpu, mapTypeName } from '../domain/map-type.ts';
import { libbpf } from '../ffi/libbpf.ts';
import { check, EINVAL, ENOENT, EPERM } from './check.ts';
import { possibleCpus } from './cpu.ts';
import { Fd } from './fd.ts';
import { readMapFdInfo, readMapInfo } from './map-info.ts';
import { withoutName } from './without-name.ts';

/** What BPF_MAP_CREATE takes. */
export interface MapSpec {
  readonly type: number;
  /** At most 15 bytes. */
  readonly name: string;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: number;
  /** NUMA node the map's memory comes from; goes with BPF_F_NUMA_NODE. */
  readonly numaNode?: number;
  /** Descriptor of the map that the inner maps of a map-in-map must resemble. */
  readonly innerMapFd?: number;
}

/** Flags of BPF_MAP_UPDATE_ELEM (linux/bpf.h). */
export const BPF_ANY = 0;
export const BPF_NOEXIST = 1;
export const BPF_EXIST = 2;

/**
 * An open BPF map. Keys and values are buffers in the kernel's layout; those given to `lookup` are written into,
 * so that loops over maps can reuse them.
 */
export class BpfMap implements Disposable {
  readonly info: MapInfo;
  /** Length of a value buffer: for per-CPU maps one value for each possible CPU, each rounded up to 8 bytes. */
  readonly valueLength: number;
  readonly #fd: Fd;
  #scratch: { readonly key: Uint8Array; readonly value: Uint8Array } | undefined;

  constructor(fd: Fd) {
    this.#fd = fd;
    try {
      this.info = readMapInfo(fd.number);
      this.valueLength = isPerCpu(this.info.typeName)
        ? roundUp8(this.info.valueSize) * possibleCpus()
        : this.info.valueSize;
    } catch (error) {
      fd[Symbol.dispose]();
      throw error;
    }
  }

  /** @throws KernelRefusal `map create`; ToolError refused when libbpf would leave the name away */
  static create(spec: MapSpec): BpfMap {
    const options = new Uint8Array(MAP_CREATE_OPTS_SIZE);
    const view = new DataView(options.buffer);
    view.setUint32(littleEndian ? 0 : 4, options.length, littleEndian);
    view.setUint32(24, spec.innerMapFd ?? 0, littleEndian);
    view.setUint32(28, spec.flags, littleEndian);
    view.setUint32(40, spec.numaNode ?? 0, littleEndian);
    const fd = libbpf.bpf_map_create(spec.type, spec.name, spec.keySize, spec.valueSize, spec.maxEntries, options);
    check(fd, 'map create', {
      mapType: mapTypeName(spec.type),
      maxEntries: spec.maxEntries,
      keySize: spec.keySize,
      valueSize: spec.valueSize,
      flags: spec.flags,
    });
    const map = new BpfMap(new Fd(fd));
    if (map.info.name === spec.name) return map;
    map[Symbol.dispose]();
    throw withoutName(`map '${spec.name}'`);
  }

  /** @throws KernelRefusal `map get by id`; ENOENT when there is no such map */
  static byId(id: number): BpfMap {
    return new BpfMap(new Fd(check(libbpf.bpf_map_get_fd_by_id(id), 'map get by id', { mapId: id })));
  }

  get fd(): number {
    return this.#fd.number;
  }

  /** A key and a value buffer for callers that keep neither: new ones for each call would cost as much as the call. */
  get scratch(): { readonly key: Uint8Array; readonly value: Uint8Array } {
    this.#scratch ??= { key: new Uint8Array(this.info.keySize), value: new Uint8Array(this.valueLength) };
    return this.#scratch;
  }

  /** Facts that explain a refusal of an operation on this map. */
  facts(): { mapType: string | undefined; mapId: number; maxEntries: number; flags: number } {
    const { typeName, id, maxEntries, flags } = this.info;
    return { mapType: typeName, mapId: id, maxEntries, flags };
  }

  /** Writes the key's value into `value`; false when the map has no such entry. */
  lookup(key: Uint8Array, value: Uint8Array): boolean {
    const result = libbpf.bpf_map_lookup_elem(this.fd, key, value);
    if (result === 0) return true;
    if (result === -ENOENT) return false;
    check(result, 'map lookup', this.facts());
    return false;
  }

  /**
   * The raw result of an update: 0 or a negative errno. For loops that count refusals themselves.
   *
   * @param flags BPF_ANY, BPF_NOEXIST or BPF_EXIST
   */
  tryUpdate(key: Uint8Array, value: Uint8Array, flags: number): number {
    return libbpf.bpf_map_update_elem(this.fd, key, value, flags);
  }

  /** @throws KernelRefusal `map update` */
  update(key: Uint8Array, value: Uint8Array, flags: number): void {
    const result = libbpf.bpf_map_update_elem(this.fd, key, value, flags);
    if (result < 0) throw this.#refused('map update', result);
  }

  /** Removes an entry; false when a map that can tell says there was none (devmap, cpumap and xskmap cannot). */
  delete(key: Uint8Array): boolean {
    const result = libbpf.bpf_map_delete_elem(this.fd, key);
    // A sockmap says EINVAL of an empty slot (__sock_map_delete, net/core/sock_map.c).
    if (result === -ENOENT || (result === -EINVAL && this.info.typeName === 'sockmap')) return false;
    if (result < 0) throw this.#refused('map delete', result);
    return true;
  }

  /** Writes the key after `key` (the first for null) into `next`; false at the end. */
  nextKey(key: Uint8Array | null, next: Uint8Array): boolean {
    const result = libbpf.bpf_map_get_next_key(this.fd, key, next);
    if (result === 0) return true;
    if (result === -ENOENT) return false;
    check(result, 'map getnext', this.facts());
    return false;
  }

  /** @throws KernelRefusal `map freeze` */
  freeze(): void {
    const result = libbpf.bpf_map_freeze(this.fd);
    if (result < 0) throw this.#refused('map freeze', result);
  }

  /**
   * For a dry run: refuses what the kernel would refuse whatever the entry is.
   *
   * @throws KernelRefusal when the map is frozen, or read-only for user space
   */
  checkChangeable(operation: string): void {
    const { frozen } = readMapFdInfo(this.fd);
    if (frozen || this.info.flags & BPF_F_RDONLY) {
      throw new KernelRefusal(operation, EPERM, { ...this.facts(), frozen });
    }
  }

  /** A refused change. Whether the map is frozen takes a look into /proc, so it is asked only now. */
  #refused(operation: string, result: number): KernelRefusal {
    const { frozen } = readMapFdInfo(this.fd);
    return new KernelRefusal(operation, -result, { ...this.facts(), frozen });
  }

  [Symbol.dispose](): void {
    this.#fd[Symbol.dispose]();
  }
}

/** sizeof(struct bpf_map_create_opts) of libbpf 1.0 (bpf.h); newer libraries accept the shorter form. */
const MAP_CREATE_OPTS_SIZE = 48;

function roundUp8(size: number): number {
  return Math.ceil(size / 8) * 8;
}
