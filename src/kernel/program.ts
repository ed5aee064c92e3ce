import { littleEndian } from '../domain/byte-order.ts';
import type { ProgramInfo } from '../domain/program-info.ts';
import { libbpf } from '../ffi/libbpf.ts';
import { addressOf } from '../ffi/memory.ts';
import { check } from './check.ts';
import { duplicate } from './duplicate.ts';
import { Fd } from './fd.ts';
import { cString } from './map-info.ts';

/** An open BPF program. */
export class BpfProgram implements Disposable {
  readonly info: ProgramInfo;
  readonly #fd: Fd;

  constructor(fd: Fd) {
    this.#fd = fd;
    try {
      this.info = readProgramInfo(fd.number);
    } catch (error) {
      fd[Symbol.dispose]();
      throw error;
    }
  }

  /** @throws KernelRefusal `prog get by id`; ENOENT when there is no such program */
  static byId(id: number): BpfProgram {
    return new BpfProgram(new Fd(check(libbpf.bpf_prog_get_fd_by_id(id), 'prog get by id', { id })));
  }

  /** The same program with a descriptor of the caller's own. */
  duplicate(): BpfProgram {
    return new BpfProgram(duplicate(this.fd, 'prog get by id', { id: this.info.id }));
  }

  get fd(): number {
    return this.#fd.number;
  }

  [Symbol.dispose](): void {
    this.#fd[Symbol.dispose]();
  }
}

/**
 * The ids of the maps a program uses, in the order of its own.
 *
 * @throws KernelRefusal `prog info`
 */
export function readProgramMapIds(fd: number): number[] {
  for (let capacity = 64; ;) {
    const ids = new Uint32Array(capacity);
    const buffer = new Uint8Array(PROG_INFO_SIZE);
    const view = new DataView(buffer.buffer);
    // nr_map_ids and map_ids: how many fit, and where; the kernel says how many there are.
    view.setUint32(52, capacity, littleEndian);
    view.setBigUint64(56, addressOf(new Uint8Array(ids.buffer)), littleEndian);
    check(libbpf.bpf_obj_get_info_by_fd(fd, buffer, new Uint32Array([PROG_INFO_SIZE])), 'prog info');
    const count = view.getUint32(52, littleEndian);
    if (count <= capacity) return [...ids.subarray(0, count)];
    capacity = count;
  }
}

/** sizeof(struct bpf_prog_info) up to attach_btf_id (linux/bpf.h), and the offset of recursion_misses. */
const PROG_INFO_SIZE = 232;
const RECURSION_MISSES = 208;

/** @throws KernelRefusal `prog info` */
export function readProgramInfo(fd: number): ProgramInfo {
  const buffer = new Uint8Array(PROG_INFO_SIZE);
  check(libbpf.bpf_obj_get_info_by_fd(fd, buffer, new Uint32Array([PROG_INFO_SIZE])), 'prog info');
  const view = new DataView(buffer.buffer);
  return {
    type: view.getUint32(0, littleEndian),
    id: view.getUint32(4, littleEndian),
    tag: Buffer.from(buffer.subarray(8, 16)).toString('hex'),
    name: cString(buffer.subarray(64, 80)),
  };
}

/**
 * How often a tracing program was left out because it was running already (Linux 5.12 and newer; 0 before).
 *
 * @throws KernelRefusal `prog info`
 */
export function readRecursionMisses(fd: number): number {
  const buffer = new Uint8Array(PROG_INFO_SIZE);
  check(libbpf.bpf_obj_get_info_by_fd(fd, buffer, new Uint32Array([PROG_INFO_SIZE])), 'prog info');
  return Number(new DataView(buffer.buffer).getBigUint64(RECURSION_MISSES, littleEndian));
}
