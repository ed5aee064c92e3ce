/** BPF map keys and values of integers are in host byte order. */
export const littleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** The u32 in host byte order at an offset. Without a DataView, which takes longer to make than the number to read. */
export function readU32(bytes: Uint8Array, offset = 0): number {
  const byte = (index: number): number => bytes[offset + (littleEndian ? index : 3 - index)] as number;
  return (byte(0) | (byte(1) << 8) | (byte(2) << 16) | (byte(3) << 24)) >>> 0;
}
