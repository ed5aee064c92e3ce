import { readU32 } from './byte-order.ts';
import { encodePair } from './devmap.ts';

/** What an entry of a cpumap says (struct bpf_cpumap_val, linux/bpf.h). */
export interface CpumapValue {
  /** Frames that the CPU's queue holds. */
  readonly qsize: number;
  /** Program that runs on that CPU: its id where the entry is read, its descriptor where it is written; 0 for none. */
  readonly prog: number;
}

/** The largest queue that the kernel makes (cpu_map_alloc_elem, kernel/bpf/cpumap.c). */
export const CPUMAP_MAX_QSIZE = 16384;

/** Decodes a value of 4 bytes (a queue size) or 8 (with a program id), in host byte order. */
export function decodeCpumapValue(bytes: Uint8Array): CpumapValue {
  return { qsize: readU32(bytes), prog: bytes.length >= 8 ? readU32(bytes, 4) : 0 };
}

/** Encodes a value of `size` bytes, 4 or 8; a program needs 8. */
export function encodeCpumapValue(value: CpumapValue, size: number): Uint8Array {
  return encodePair(value.qsize, value.prog, size);
}
