/**
 * Flags of BPF_MAP_CREATE (linux/bpf.h) by the names that `map create flags` takes and `map show` prints.
 */
const flagBits = {
  no_prealloc: 1 << 0,
  no_common_lru: 1 << 1,
  numa_node: 1 << 2,
  rdonly: 1 << 3,
  wronly: 1 << 4,
  stack_build_id: 1 << 5,
  zero_seed: 1 << 6,
  rdonly_prog: 1 << 7,
  wronly_prog: 1 << 8,
  clone: 1 << 9,
  mmapable: 1 << 10,
  preserve_elems: 1 << 11,
  inner_map: 1 << 12,
  link: 1 << 13,
  path_fd: 1 << 14,
  vtype_btf_obj_fd: 1 << 15,
  token_fd: 1 << 16,
  segv_on_fault: 1 << 17,
  no_user_conv: 1 << 18,
} as const;

export type MapFlagName = keyof typeof flagBits;

export const mapFlagNames = Object.keys(flagBits) as readonly MapFlagName[];

export const BPF_F_NUMA_NODE = flagBits.numa_node;
export const BPF_F_RDONLY = flagBits.rdonly;
export const BPF_F_WRONLY = flagBits.wronly;
export const BPF_F_RDONLY_PROG = flagBits.rdonly_prog;

/** The bit of a flag's name, or undefined. */
export function mapFlagBit(name: string): number | undefined {
  return Object.hasOwn(flagBits, name) ? flagBits[name as MapFlagName] : undefined;
}

/** The names of the set bits; bits without a name as one hexadecimal number at the end. */
export function mapFlagText(flags: number): string {
  const names: string[] = mapFlagNames.filter((name) => flags & flagBits[name]);
  const known = Object.values(flagBits).reduce((sum, bit) => sum | bit, 0);
  const rest = (flags & ~known) >>> 0;
  if (rest !== 0) names.push(`0x${rest.toString(16)}`);
  return names.join(',');
}
