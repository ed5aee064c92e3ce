import type { MapTypeName } from './map-type.ts';

/** What the kernel says of a map (struct bpf_map_info, linux/bpf.h, and /proc/self/fdinfo). */
export interface MapInfo {
  readonly id: number;
  /** Number of `enum bpf_map_type`. */
  readonly type: number;
  /** Its name; undefined for a type that this program does not know. */
  readonly typeName: MapTypeName | undefined;
  /** Empty when the map has no name. */
  readonly name: string;
  /** Bytes. */
  readonly keySize: number;
  /** Bytes; of one CPU's value for per-CPU maps. */
  readonly valueSize: number;
  readonly maxEntries: number;
  /** BPF_F_* bits; devmaps always carry BPF_F_RDONLY_PROG, which the kernel adds itself. */
  readonly flags: number;
  /** Interface the map is offloaded to, or 0. */
  readonly ifindex: number;
  /** Ids of BTF objects and types, 0 where there are none. */
  readonly btfId: number;
  readonly btfKeyTypeId: number;
  readonly btfValueTypeId: number;
  readonly btfVmlinuxId: number;
  readonly btfVmlinuxValueTypeId: number;
}
