import { readFileSync } from 'node:fs';

import { BtfTypes } from '../domain/btf/type-table.ts';
import { BtfError } from '../domain/btf/type.ts';
import { littleEndian } from '../domain/byte-order.ts';
import { KernelRefusal } from '../domain/errors.ts';
import type { MapInfo } from '../domain/map-info.ts';
import { libbpf } from '../ffi/libbpf.ts';
import { addressOf } from '../ffi/memory.ts';
import { check, E2BIG } from './check.ts';
import { Fd } from './fd.ts';
import { cString } from './map-info.ts';

/** The types of a map's keys and values. */
export interface MapBtf {
  readonly types: BtfTypes;
  /** 0 where keys have no type: data sections and struct_ops. */
  readonly keyType: number;
  readonly valueType: number;
}

/**
 * What the kernel knows of the types of a map; undefined when it has no BTF for it, or does not let us read it (that
 * takes CAP_SYS_ADMIN): the map is bytes then. The kernel's own types are read only for the one kind of map whose
 * values have them, struct_ops.
 */
export function mapBtf(info: MapInfo): MapBtf | undefined {
  const ofKernel = info.btfVmlinuxValueTypeId !== 0;
  const valueType = ofKernel ? info.btfVmlinuxValueTypeId : info.btfValueTypeId;
  if (valueType === 0) return undefined;
  try {
    const types = readTypes(ofKernel ? info.btfVmlinuxId : info.btfId);
    return { types, keyType: ofKernel ? 0 : info.btfKeyTypeId, valueType };
  } catch (error) {
    if (isUnreadable(error)) return undefined;
    throw error;
  }
}

/** Whether an error means no more than that values have to be shown as bytes. */
export function isUnreadable(error: unknown): boolean {
  return error instanceof KernelRefusal || error instanceof BtfError;
}

/** The kernel's own BTF as a file: what the BTF of a kernel module continues. */
const KERNEL_BTF = '/sys/kernel/btf/vmlinux';

/** @throws KernelRefusal `btf get by id`, `btf info`; BtfError */
function readTypes(id: number): BtfTypes {
  using fd = new Fd(check(libbpf.bpf_btf_get_fd_by_id(id), 'btf get by id', { id }));
  const { size, ofKernel, name } = readInfo(fd.number);
  const bytes = new Uint8Array(size);
  readInfo(fd.number, bytes);
  if (!ofKernel || name === 'vmlinux') return new BtfTypes(bytes);
  return new BtfTypes(bytes, new BtfTypes(readKernelBtf()));
}

/** @throws BtfError where the kernel was built without */
function readKernelBtf(): Uint8Array {
  try {
    return readFileSync(KERNEL_BTF);
  } catch (cause) {
    throw new BtfError(`no ${KERNEL_BTF}`, { cause });
  }
}

/** sizeof(struct bpf_btf_info) (linux/bpf.h). */
const BTF_INFO_SIZE = 32;
/** Before Linux 5.11, which gives the kernel's own types an id, it ends before the name. */
const SHORT_BTF_INFO_SIZE = 16;
const NAME_SIZE = 64;

interface BtfInfo {
  /** Bytes of the whole BTF. */
  readonly size: number;
  /** Whether it describes the kernel or a module of it, not a BPF program. */
  readonly ofKernel: boolean;
  /** `vmlinux`, a module's name, or empty. */
  readonly name: string;
}

/**
 * @param bytes where the kernel puts the BTF itself
 * @throws KernelRefusal `btf info`
 */
function readInfo(fd: number, bytes?: Uint8Array): BtfInfo {
  const info = new Uint8Array(BTF_INFO_SIZE);
  const name = new Uint8Array(NAME_SIZE);
  const view = new DataView(info.buffer);
  if (bytes !== undefined) {
    view.setBigUint64(0, addressOf(bytes), littleEndian);
    view.setUint32(8, bytes.length, littleEndian);
  }
  view.setBigUint64(16, addressOf(name), littleEndian);
  view.setUint32(24, name.length, littleEndian);
  const ask = (size: number): number => libbpf.bpf_obj_get_info_by_fd(fd, info, new Uint32Array([size]));
  // E2BIG: bytes that the kernel does not know are not zero (bpf_check_uarg_tail_zero, kernel/bpf/syscall.c).
  const result = ask(BTF_INFO_SIZE);
  check(result === -E2BIG ? ask(SHORT_BTF_INFO_SIZE) : result, 'btf info');
  return {
    size: view.getUint32(8, littleEndian),
    ofKernel: view.getUint32(28, littleEndian) !== 0,
    name: cString(name),
  };
}
