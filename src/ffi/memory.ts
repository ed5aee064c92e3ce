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
