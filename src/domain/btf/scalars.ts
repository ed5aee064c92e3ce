import type { BtfDecoder } from './value.ts';

/** An integer of whole bytes as a number (or decimal string); of any other width as bpftool's `0x` string. */
export function integerDecoder(bits: number, signed: boolean, littleEndian: boolean): BtfDecoder {
  switch (bits) {
    case 8:
      return signed ? (view, at) => view.getInt8(at) : (view, at) => view.getUint8(at);
    case 16:
      return signed ? (view, at) => view.getInt16(at, littleEndian) : (view, at) => view.getUint16(at, littleEndian);
    case 32:
      return signed ? (view, at) => view.getInt32(at, littleEndian) : (view, at) => view.getUint32(at, littleEndian);
    case 64:
      return integer64Decoder(signed, littleEndian);
    default:
      return bitsDecoder(0, bits, littleEndian);
  }
}

/** What JSON shows of an integer: a number up to 2^53 - 1, else all digits as a string. */
export function jsonInteger(value: bigint): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value.toString();
}

function integer64Decoder(signed: boolean, littleEndian: boolean): BtfDecoder {
  const [low, high] = littleEndian ? [0, 4] : [4, 0];
  return (view, at) => {
    const upper = signed ? view.getInt32(at + high, littleEndian) : view.getUint32(at + high, littleEndian);
    // Most values are small: no bigint for those.
    const value = upper * 0x1_0000_0000 + view.getUint32(at + low, littleEndian);
    if (Number.isSafeInteger(value)) return value;
    return (signed ? view.getBigInt64(at, littleEndian) : view.getBigUint64(at, littleEndian)).toString();
  };
}

/**
 * Bits of a bitfield, or of an integer wider than 64 bits, as a `0x` string.
 *
 * @param offset of the first bit: on little-endian machines bit 0 is the lowest of the first byte, on others the highest
 */
export function bitsDecoder(offset: number, bits: number, littleEndian: boolean): BtfDecoder {
  const first = offset >> 3;
  const length = Math.ceil(((offset & 7) + bits) / 8);
  const below = littleEndian ? offset & 7 : length * 8 - (offset & 7) - bits;
  const byteAt = littleEndian ? (index: number) => length - 1 - index : (index: number) => index;
  if (length <= 6) {
    const [divisor, modulus] = [2 ** below, 2 ** bits];
    return (view, at) => {
      let word = 0;
      for (let index = 0; index < length; index += 1) word = word * 256 + view.getUint8(at + first + byteAt(index));
      return `0x${(Math.floor(word / divisor) % modulus).toString(16)}`;
    };
  }
  return (view, at) => {
    let word = 0n;
    for (let index = 0; index < length; index += 1) {
      word = (word << 8n) | BigInt(view.getUint8(at + first + byteAt(index)));
    }
    return `0x${BigInt.asUintN(bits, word >> BigInt(below)).toString(16)}`;
  };
}

/** A floating-point number; of 4 and 8 bytes only, others (half and long double) are left as a `0x` string. */
export function floatDecoder(size: number, littleEndian: boolean): BtfDecoder {
  if (size === 4) return (view, at) => jsonFloat(shortest(view.getFloat32(at, littleEndian)));
  if (size === 8) return (view, at) => jsonFloat(view.getFloat64(at, littleEndian));
  return bitsDecoder(0, size * 8, littleEndian);
}

/** JSON has no word for what is not finite. */
function jsonFloat(value: number): number | string {
  return Number.isFinite(value) ? value : String(value);
}

/** The number with the fewest digits that is the same `float`: 0.1, not 0.10000000149011612. */
function shortest(value: number): number {
  for (let precision = 6; precision <= 9; precision += 1) {
    const candidate = Number(value.toPrecision(precision));
    if (Math.fround(candidate) === value) return candidate;
  }
  return value;
}

/** An integer with the encoding CHAR, which bpftool shows as the character. */
export function charDecoder(): BtfDecoder {
  return (view, at) => String.fromCharCode(view.getUint8(at));
}

export function boolDecoder(size: number): BtfDecoder {
  if (size === 1) return (view, at) => view.getUint8(at) !== 0;
  return (view, at) => {
    for (let index = 0; index < size; index += 1) if (view.getUint8(at + index) !== 0) return true;
    return false;
  };
}

/** Printable ASCII up to a zero within `count` bytes; undefined for anything else. */
export function readText(view: DataView, at: number, count: number): string | undefined {
  let text = '';
  for (let index = 0; index < count; index += 1) {
    const code = view.getUint8(at + index);
    if (code === 0) return text;
    if (code < 0x20 || code > 0x7e) return undefined;
    text += String.fromCharCode(code);
  }
  return undefined;
}
