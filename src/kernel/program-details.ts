import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';

import { littleEndian } from '../domain/byte-order.ts';
import { libbpf } from '../ffi/libbpf.ts';
import { check } from './check.ts';

/** What the kernel says of a program besides what identifies it. */
export interface ProgramDetails {
  readonly gplCompatible: boolean;
  /** When it was loaded, in seconds since 1970. */
  readonly loadedAt: number;
  /** Of the user who loaded it. */
  readonly uid: number;
  /** Bytes of instructions; 0 where the kernel does not show them. */
  readonly xlatedBytes: number;
  /** Bytes of machine code; 0 for a program that is interpreted. */
  readonly jitedBytes: number;
  /** Bytes the program is charged for; undefined without /proc. */
  readonly memlock: number | undefined;
  /** Id of the BTF object that describes it, 0 where there is none. */
  readonly btfId: number;
  /** Of the device it was loaded for, 0 for most. */
  readonly ifindex: number;
  /** Counted only while kernel.bpf_stats_enabled is 1. */
  readonly runTimeNs: bigint;
  readonly runCount: bigint;
  readonly recursionMisses: bigint;
}

/** sizeof(struct bpf_prog_info) up to attach_btf_id (linux/bpf.h); the kernel fills what it knows of it. */
const PROG_INFO_SIZE = 232;

/** @throws KernelRefusal `prog info` */
export function readProgramDetails(fd: number): ProgramDetails {
  const info = new Uint8Array(PROG_INFO_SIZE);
  check(libbpf.bpf_obj_get_info_by_fd(fd, info, new Uint32Array([PROG_INFO_SIZE])), 'prog info');
  const view = new DataView(info.buffer);
  const u32 = (offset: number): number => view.getUint32(offset, littleEndian);
  const u64 = (offset: number): bigint => view.getBigUint64(offset, littleEndian);
  return {
    gplCompatible: (u32(84) & (littleEndian ? 1 : 1 << 31)) !== 0,
    // load_time is in nanoseconds since the machine was started.
    loadedAt: Math.floor(startOfMachine() + Number(u64(40) / 1_000_000n) / 1000),
    uid: u32(48),
    xlatedBytes: u32(20),
    jitedBytes: u32(16),
    memlock: readMemlock(fd),
    btfId: u32(128),
    ifindex: u32(80),
    runTimeNs: u64(192),
    runCount: u64(200),
    recursionMisses: u64(208),
  };
}

/** Seconds since 1970, CLOCK_REALTIME less CLOCK_BOOTTIME. */
function startOfMachine(): number {
  return Date.now() / 1000 - uptime();
}

/** bpf_prog_show_fdinfo (kernel/bpf/syscall.c). */
function readMemlock(fd: number): number | undefined {
  try {
    const text = readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8');
    const [, bytes] = /^memlock:\s*(\d+)$/m.exec(text) ?? [];
    return bytes === undefined ? undefined : Number(bytes);
  } catch {
    // /proc is restricted: the listing goes on without.
    return undefined;
  }
}
