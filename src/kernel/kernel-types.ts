import { readFileSync } from 'node:fs';

import { KernelTypes, type WantedTypes } from '../domain/btf/kernel-types.ts';
import { BtfError } from '../domain/btf/type.ts';

/** Where the kernel shows its own BTF, to everybody. */
const KERNEL_BTF = '/sys/kernel/btf/vmlinux';

/**
 * The kernel's types of some names; undefined when the kernel was built without BTF, or with one that this program is
 * too old to read.
 */
export function readKernelTypes(wanted: WantedTypes): KernelTypes | undefined {
  try {
    return new KernelTypes(readFileSync(KERNEL_BTF), wanted);
  } catch (error) {
    if (error instanceof BtfError || (error instanceof Error && 'code' in error)) return undefined;
    throw error;
  }
}
