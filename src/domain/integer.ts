import { littleEndian } from './byte-order.ts';

/** Whether bytes of this size are read as an unsigned integer as well. */
export function isIntegerSize(size: number): boolean {
  return size === 1 || size === 2 || size === 4 || size === 8;
}

/**
 * An unsigned integer of 1, 2, 4 or 8 bytes in host byte order; undefined for other sizes.
 * Of 64-bit numbers all digits are kept (bigint above 2^53 - 1).
 */
export function decodeInteger(bytes: Uint8Array): number | bigint | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (bytes.length) {
    case 1:
      return view.getUint8(0);
    case 2:
      return view.getUint16(0, littleEndian);
    case 4:
      return view.getUint32(0, littleEndian);
    case 8: {
      const value = view.getBigUint64(0, littleEndian);
      return value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
    }
    default:
      return undefined;
  }
}

/** Encodes an unsigned integer that fits into 1, 2, 4 or 8 bytes, in host byte order. */
export function encodeInteger(value: number | bigint, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  if (size === 1) view.setUint8(0, Number(value));
  else if (size === 2) view.setUint16(0, Number(value), littleEndian);
  else if (size === 4) view.setUint32(0, Number(value), littleEndian);
  else view.setBigUint64(0, BigInt(value), littleEndian);
  return bytes;
}
