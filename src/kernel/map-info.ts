import { readFileSync } from 'node:fs';

import { littleEndian } from '../domain/byte-order.ts';
import type { MapInfo } from '../domain/map-info.ts';
import { mapTypeName } from '../domain/map-type.ts';
import { libbpf } from '../ffi/libbpf.ts';
import { check } from './check.ts';

/** sizeof(struct bpf_map_info) up to map_extra (linux/bpf.h); the kernel fills what it knows of it. */
const MAP_INFO_SIZE = 88;

const buffer = new Uint8Array(MAP_INFO_SIZE);
const length = new Uint32Array(1);

/** @throws KernelRefusal `map info` */
export function readMapInfo(fd: number): MapInfo {
  buffer.fill(0);
  length[0] = MAP_INFO_SIZE;
  check(libbpf.bpf_obj_get_info_by_fd(fd, buffer, length), 'map info');
  const view = new DataView(buffer.buffer);
  const u32 = (offset: number): number => view.getUint32(offset, littleEndian);
  const type = u32(0);
  return {
    type,
    typeName: mapTypeName(type),
    id: u32(4),
    keySize: u32(8),
    valueSize: u32(12),
    maxEntries: u32(16),
    flags: u32(20),
    name: cString(buffer.subarray(24, 40)),
    ifindex: u32(40),
    btfVmlinuxValueTypeId: u32(44),
    btfId: u32(64),
    btfKeyTypeId: u32(68),
    btfValueTypeId: u32(72),
    btfVmlinuxId: u32(76),
  };
}

/** What only the descriptor's fdinfo tells (bpf_map_show_fdinfo, kernel/bpf/syscall.c). */
export interface MapFdInfo {
  /** Bytes the map is charged for. */
  readonly memlock: number | undefined;
  readonly frozen: boolean;
  /** Type of the program that owns the map, fixed by the first program that touched it. */
  readonly ownerProgType: number | undefined;
}

/** Reads /proc/self/fdinfo of a map's descriptor; without /proc nothing is known. */
export function readMapFdInfo(fd: number): MapFdInfo {
  let text = '';
  try {
    text = readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8');
  } catch {
    // /proc is not mounted or restricted: the listing goes on without these facts.
  }
  const field = (name: string): number | undefined => {
    const match = new RegExp(`^${name}:\\s*(\\d+)$`, 'm').exec(text);
    return match === null ? undefined : Number(match[1]);
  };
  return {
    memlock: field('memlock'),
    frozen: field('frozen') === 1,
    ownerProgType: field('owner_prog_type'),
  };
}

/** The text up to the first zero byte. */
export function cString(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return Buffer.from(bytes.subarray(0, end === -1 ? bytes.length : end)).toString('latin1');
}
