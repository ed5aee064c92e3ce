/**
 * Names of `enum bpf_map_type` (linux/bpf.h), by number, as bpftool spells them.
 * The kernel only ever appends to this list.
 */
const names = [
  'unspec',
  'hash',
  'array',
  'prog_array',
  'perf_event_array',
  'percpu_hash',
  'percpu_array',
  'stack_trace',
  'cgroup_array',
  'lru_hash',
  'lru_percpu_hash',
  'lpm_trie',
  'array_of_maps',
  'hash_of_maps',
  'devmap',
  'sockmap',
  'cpumap',
  'xskmap',
  'sockhash',
  'cgroup_storage',
  'reuseport_sockarray',
  'percpu_cgroup_storage',
  'queue',
  'stack',
  'sk_storage',
  'devmap_hash',
  'struct_ops',
  'ringbuf',
  'inode_storage',
  'task_storage',
  'bloom_filter',
  'user_ringbuf',
  'cgrp_storage',
  'arena',
  'insn_array',
] as const;

export type MapTypeName = (typeof names)[number];

/** The types that `map create` takes: all but `unspec`, which the kernel refuses. */
export const mapTypeNames: readonly MapTypeName[] = names.slice(1);

/** The type's name, or undefined for a type newer than this list. */
export function mapTypeName(type: number): MapTypeName | undefined {
  return names[type];
}

/** The number of a type's name, or undefined when there is no such type. Names are not abbreviated. */
export function mapTypeNumber(name: string): number | undefined {
  const number = (names as readonly string[]).indexOf(name);
  return number > 0 ? number : undefined;
}

export type RedirectKind = 'devmap' | 'devmap_hash' | 'cpumap' | 'xskmap';

/** Whether programs redirect through this type of map (`bpf_redirect_map`). */
export function isRedirectKind(name: string | undefined): name is RedirectKind {
  return name === 'devmap' || name === 'devmap_hash' || name === 'cpumap' || name === 'xskmap';
}

const perCpuTypes: ReadonlySet<string> = new Set([
  'percpu_hash',
  'percpu_array',
  'lru_percpu_hash',
  'percpu_cgroup_storage',
]);

/** Whether a value of this type is one value for each possible CPU, each rounded up to 8 bytes. */
export function isPerCpu(name: string | undefined): boolean {
  return name !== undefined && perCpuTypes.has(name);
}

/** Whether keys are the indexes 0 to max_entries - 1 (all of them exist, or exist as empty slots). */
export function isIndexed(name: string | undefined): boolean {
  return name !== undefined && indexedTypes.has(name);
}

const indexedTypes: ReadonlySet<string> = new Set([
  'array',
  'prog_array',
  'perf_event_array',
  'percpu_array',
  'cgroup_array',
  'array_of_maps',
  'devmap',
  'sockmap',
  'cpumap',
  'xskmap',
  'reuseport_sockarray',
]);

/** Whether the value that is written is a descriptor and the value that is read is an id (map-in-map). */
export function isMapInMap(name: string | undefined): boolean {
  return name === 'array_of_maps' || name === 'hash_of_maps';
}

/** Where a value of 4 bytes is a descriptor to write, but no room for the 64-bit cookie that is read. */
const socketTypes: ReadonlySet<string> = new Set(['sockmap', 'sockhash', 'reuseport_sockarray']);

/**
 * Why user space cannot look entries up, or undefined when it can.
 * (The kernel would answer EOPNOTSUPP, ENOTSUPP or ENOSPC, or has other calls than lookup; kernel/bpf/syscall.c.)
 */
export function unreadableReason(name: string | undefined, valueSize?: number): string | undefined {
  switch (name) {
    case 'ringbuf':
    case 'user_ringbuf':
      return 'a ring buffer has no entries: it is read through a memory mapping';
    case 'perf_event_array':
      return 'its entries are perf events, which the kernel does not give back';
    case 'cgroup_array':
      return 'its entries are cgroups, which the kernel does not give back';
    case 'queue':
    case 'stack':
      return 'it has no keys: its elements are taken out one by one';
    case 'bloom_filter':
      return 'it has no keys: it can only answer whether a value was put in';
    case 'arena':
      return 'an arena has no entries: it is read through a memory mapping';
    case undefined:
      return undefined;
    default:
      return socketTypes.has(name) && valueSize === 4
        ? 'a socket is read as its cookie, which takes a map with values of 8 bytes, not 4'
        : undefined;
  }
}

/**
 * Why the keys cannot be listed though an entry can be looked up, or undefined when they can (the map_get_next_key of
 * these answers ENOTSUPP; kernel/bpf/bpf_local_storage.c).
 */
export function unlistableReason(name: string | undefined): string | undefined {
  switch (name) {
    case 'sk_storage':
    case 'inode_storage':
    case 'task_storage':
    case 'cgrp_storage':
      return 'its values hang on kernel objects, and are found only by a descriptor of one';
    case undefined:
    default:
      return undefined;
  }
}

/** The type with its article: `an array`, `a hash`. */
export function aMapOf(name: string): string {
  return `${/^(?:[ai]|lru_|sk_|xsk)/.test(name) ? 'an' : 'a'} ${name}`;
}
