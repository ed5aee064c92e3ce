import { koffi } from './koffi.ts';
import type { Pointer } from './libbpf.ts';

/** The address of a buffer, for structures that point to it. The caller keeps the buffer alive. */
export function addressOf(buffer: Uint8Array): bigint {
  return koffi().address(buffer);
}

/** A copy of memory that C owns. */
export function copyMemory(pointer: Pointer, length: number): Uint8Array {
  return new Uint8Array(koffi().view(pointer, length)).slice();
}

/** Memory that C owns, without a copy. Whoever touches it after it was freed or unmapped ends the process. */
export function viewMemory(pointer: Pointer, length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(koffi().view(pointer, length));
}

/** The address that a pointer holds. */
export function pointerAddress(pointer: Pointer): bigint {
  return koffi().address(pointer);
}

/** Whether mmap returned MAP_FAILED. */
export function mapFailed(pointer: Pointer): boolean {
  return pointer === null || pointerAddress(pointer) === 0xffff_ffff_ffff_ffffn;
}
