import { littleEndian, readU32 } from './byte-order.ts';

/** What an entry of a devmap or devmap_hash says (struct bpf_devmap_val, linux/bpf.h). */
export interface DevmapValue {
  /** Interface that frames are redirected to, in the network namespace of whoever wrote the entry. */
  readonly ifindex: number;
  /** Egress program: its id where the entry is read, its descriptor where it is written; 0 for none. */
  readonly prog: number;
}

/** Decodes a value of 4 bytes (an ifindex) or 8 (with a program id), in host byte order. */
export function decodeDevmapValue(bytes: Uint8Array): DevmapValue {
  return { ifindex: readU32(bytes), prog: bytes.length >= 8 ? readU32(bytes, 4) : 0 };
}

/** Encodes a value of `size` bytes, 4 or 8; a program needs 8. */
export function encodeDevmapValue(value: DevmapValue, size: number): Uint8Array {
  return encodePair(value.ifindex, value.prog, size);
}

/** Puts a program's descriptor into a value of 8 bytes of a devmap, devmap_hash or cpumap. */
export function setProgram(value: Uint8Array, fd: number): void {
  new DataView(value.buffer, value.byteOffset, value.byteLength).setUint32(4, fd, littleEndian);
}

/** Two u32 in host byte order, the second only where there is room for it. */
export function encodePair(first: number, second: number, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, first, littleEndian);
  if (size >= 8) view.setUint32(4, second, littleEndian);
  return bytes;
}
