import * as fc from 'fast-check';

import type { BtfValue } from '../../src/domain/btf/value.ts';
import { BTF_INT_BOOL, BTF_INT_CHAR, BTF_INT_SIGNED, type BtfBuilder, type MemberSpec } from './btf-builder.ts';

/** A type that can be written as BTF, and what its bytes must be read as: bit by bit, in the plainest way. */
export interface Shape {
  readonly size: number;
  /** Writes the type and returns its id. */
  build(builder: BtfBuilder): number;
  /** What the value at `at` is. */
  expect(bytes: Bytes, at: number): BtfValue;
}

/** Bytes that can be asked for any bits of them. */
export class Bytes {
  readonly bytes: Uint8Array;
  readonly littleEndian: boolean;

  constructor(bytes: Uint8Array, littleEndian: boolean) {
    this.bytes = bytes;
    this.littleEndian = littleEndian;
  }

  /** The number of `count` bits from bit `first` of all bytes on. */
  bits(first: number, count: number): bigint {
    let value = 0n;
    for (let index = 0; index < count; index += 1) {
      const place = this.littleEndian ? count - 1 - index : index;
      const byte = this.bytes[(first + place) >> 3] ?? 0;
      const shift = this.littleEndian ? (first + place) & 7 : 7 - ((first + place) & 7);
      value = value * 2n + BigInt((byte >> shift) & 1);
    }
    return value;
  }

  integer(at: number, size: number, signed: boolean): BtfValue {
    const value = this.bits(at * 8, size * 8);
    const number = signed ? BigInt.asIntN(size * 8, value) : value;
    return Number.isSafeInteger(Number(number)) ? Number(number) : String(number);
  }
}

/** What shapes may be made of. */
export interface ShapeOptions {
  /** Only what bpftool 7.1 prints as JSON and in full: no floats, no type tags, no enumerators beyond its reach. */
  readonly judged: boolean;
}

const integers: fc.Arbitrary<Shape> = fc
  .record({ size: fc.constantFrom(1, 2, 4, 8), signed: fc.boolean() })
  .map(({ size, signed }) => ({
    size,
    build: (builder) => builder.int(`int${size}`, size, signed ? BTF_INT_SIGNED : 0),
    expect: (bytes, at) => bytes.integer(at, size, signed),
  }));

const wide: fc.Arbitrary<Shape> = fc.boolean().map((signed) => ({
  size: 16,
  build: (builder) => builder.int('__int128', 16, signed ? BTF_INT_SIGNED : 0),
  expect: (bytes, at) => hex(bytes.bits(at * 8, 128)),
}));

const bools: fc.Arbitrary<Shape> = fc.constant({
  size: 1,
  build: (builder) => builder.int('_Bool', 1, BTF_INT_BOOL),
  expect: (bytes, at) => bytes.bits(at * 8, 8) !== 0n,
});

const characters: fc.Arbitrary<Shape> = fc.constant({
  size: 1,
  build: (builder) => builder.int('letter', 1, BTF_INT_CHAR),
  expect: (bytes, at) => String.fromCodePoint(Number(bytes.bits(at * 8, 8))),
});

const pointers: fc.Arbitrary<Shape> = fc.constant({
  size: 8,
  build: (builder) => builder.ptr(),
  expect: (bytes, at) => bytes.integer(at, 8, false),
});

const floats: fc.Arbitrary<Shape> = fc.constantFrom(4, 8).map((size) => ({
  size,
  build: (builder) => builder.float(`float${size}`, size),
  expect(bytes, at) {
    const view = new DataView(bytes.bytes.buffer, bytes.bytes.byteOffset + at, size);
    if (size === 8) return finite(view.getFloat64(0, bytes.littleEndian));
    const value = view.getFloat32(0, bytes.littleEndian);
    const digits = [6, 7, 8, 9].map((precision) => Number(value.toPrecision(precision)));
    return finite(digits.find((candidate) => Math.fround(candidate) === value) ?? value);
  },
}));

/** Enums whose enumerators take a few bytes at most, so that random bytes hit some. */
function enums({ judged }: ShapeOptions): fc.Arbitrary<Shape> {
  return fc
    .record({
      size: fc.constantFrom(1, 2, 4, 8),
      wide: fc.boolean(),
      values: fc.uniqueArray(fc.integer({ min: -3, max: judged ? 127 : 255 }), { maxLength: 5 }),
    })
    .map(({ size: narrow, wide: is64, values }) => {
      // bpftool reads eight bytes for every enum64.
      const size = is64 && judged ? 8 : narrow;
      const names = Object.fromEntries(values.map((value, index) => [`E${index}`, value]));
      return {
        size,
        build: (builder) => (is64 ? builder.enum64('e64', names, true, size) : builder.enum('e', size, names, true)),
        expect(bytes, at) {
          const bits = bytes.bits(at * 8, size * 8);
          const index = values.findIndex((value) => BigInt.asUintN(size * 8, BigInt(value)) === bits);
          return index === -1 ? bytes.integer(at, size, true) : `E${index}`;
        },
      };
    });
}

const texts: fc.Arbitrary<Shape> = fc
  .record({ count: fc.integer({ min: 1, max: 12 }), constant: fc.boolean(), letters: fc.boolean() })
  .map(({ count, constant, letters }) => ({
    size: count,
    build(builder) {
      const char = builder.int(letters ? 'letter' : 'char', 1, letters ? BTF_INT_CHAR : BTF_INT_SIGNED);
      return builder.array(constant ? builder.modifier('const', char) : char, count, indexType(builder));
    },
    expect(bytes, at) {
      const codes = [...bytes.bytes.subarray(at, at + count)];
      const end = codes.indexOf(0);
      const text = codes.slice(0, Math.max(end, 0));
      if (end !== -1 && text.every((code) => code >= 0x20 && code < 0x7f)) return String.fromCodePoint(...text);
      return letters ? codes.map((code) => String.fromCodePoint(code)) : codes.map((code) => (code << 24) >> 24);
    },
  }));

/** Types of any form, nested up to a depth. */
export function shapes(options: ShapeOptions, depth = 3): fc.Arbitrary<Shape> {
  const scalars = [integers, bools, characters, pointers, enums(options), texts, wide];
  const leaves = fc.oneof(...scalars, ...(options.judged ? [] : [floats]));
  if (depth === 0) return leaves;
  const inner = shapes(options, depth - 1);
  return fc.oneof(
    leaves,
    arrays(inner),
    composites(inner, options),
    unions(inner),
    aliases(inner),
    modified(inner, options),
  );
}

function arrays(inner: fc.Arbitrary<Shape>): fc.Arbitrary<Shape> {
  return fc.record({ element: inner, count: fc.integer({ min: 1, max: 4 }) }).map(({ element, count }) => ({
    size: element.size * count,
    build(builder) {
      // A typedef between keeps arrays of `char` from being text, which is what `texts` are for.
      const id = builder.typedef('element', element.build(builder));
      return builder.array(id, count, indexType(builder));
    },
    expect: (bytes, at) => Array.from({ length: count }, (_, each) => element.expect(bytes, at + each * element.size)),
  }));
}

function aliases(inner: fc.Arbitrary<Shape>): fc.Arbitrary<Shape> {
  return inner.map((shape) => ({ ...shape, build: (builder) => builder.typedef('named', shape.build(builder)) }));
}

function modified(inner: fc.Arbitrary<Shape>, { judged }: ShapeOptions): fc.Arbitrary<Shape> {
  const kinds = ['const', 'volatile', ...(judged ? [] : ['tag'])] as const;
  return fc.record({ shape: inner, kind: fc.constantFrom(...kinds) }).map(({ shape, kind }) => ({
    ...shape,
    build(builder) {
      const id = shape.build(builder);
      return kind === 'tag' ? builder.typeTag('user', id) : builder.modifier(kind as 'const', id);
    },
  }));
}

/** A member that is a value, or so many bits of one. */
interface Part {
  readonly shape: Shape;
  readonly padding: number;
  readonly bits: { readonly size: number; readonly count: number; readonly signed: boolean } | undefined;
}

function parts(inner: fc.Arbitrary<Shape>): fc.Arbitrary<Part[]> {
  const bits = fc
    .record({
      size: fc.constantFrom(1, 2, 4, 8),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
      signed: fc.boolean(),
    })
    .map(({ size, share, signed }) => ({ size, signed, count: Math.max(1, Math.round(share * size * 8)) }));
  const part = fc.record({
    shape: inner,
    padding: fc.nat({ max: 3 }),
    bits: fc.option(bits, { nil: undefined, freq: 1 }),
  });
  return fc.array(part, { minLength: 1, maxLength: 6 });
}

/** Structs with members, and bitfields as compilers write them now, or before members had widths. */
function composites(inner: fc.Arbitrary<Shape>, { judged }: ShapeOptions): fc.Arbitrary<Shape> {
  return fc
    .record({ list: parts(inner), old: fc.boolean(), anonymous: fc.boolean() })
    .map(({ list, old, anonymous }): Shape => {
      let bit = 0;
      const places = list.map(({ shape, padding, bits }, number) => {
        if (bits === undefined) bit = (Math.ceil(bit / 8) + padding) * 8;
        const place = { shape, bits, bit, name: anonymous && number === 0 && bits === undefined ? '' : `m${number}` };
        bit += bits === undefined ? shape.size * 8 : bits.count;
        return place;
      });
      const size = Math.ceil(bit / 8);
      return {
        size,
        build(builder) {
          const members = places.map(({ shape, bits, bit: bitOffset, name }): MemberSpec => {
            if (bits === undefined) return { name, type: shape.build(builder), bitOffset };
            const encoding = bits.signed ? BTF_INT_SIGNED : 0;
            if (old) return { name, type: builder.int('bits', bits.size, encoding, bits.count), bitOffset };
            return { name, type: builder.int('whole', bits.size, encoding), bitOffset, bits: bits.count };
          });
          return builder.struct('s', size, members);
        },
        expect(bytes, at) {
          return Object.fromEntries(
            places.map(({ shape, bits, bit: from, name }): [string, BtfValue] => {
              if (bits === undefined) return [name, shape.expect(bytes, at + from / 8)];
              const whole = old && from % 8 === 0 && [8, 16, 32, 64].includes(bits.count);
              return whole
                ? [name, bytes.integer(at + from / 8, bits.count / 8, bits.signed)]
                : [name, hex(bytes.bits(at * 8 + from, bits.count))];
            }),
          );
        },
      };
    })
    .filter((shape) => !judged || shape.size > 0);
}

function unions(inner: fc.Arbitrary<Shape>): fc.Arbitrary<Shape> {
  return fc.array(inner, { minLength: 1, maxLength: 4 }).map((members) => {
    const size = Math.max(...members.map((member) => member.size));
    return {
      size,
      build: (builder) =>
        builder.union(
          'u',
          size,
          members.map((member, number) => ({ name: `u${number}`, type: member.build(builder), bitOffset: 0 })),
        ),
      expect: (bytes, at) =>
        Object.fromEntries(members.map((member, number) => [`u${number}`, member.expect(bytes, at)])),
    };
  });
}

/** Bytes in which zeros, ones and letters are frequent, so that enumerators and texts come up. */
export function valuesOf(size: number, { judged }: ShapeOptions): fc.Arbitrary<Uint8Array> {
  const letter = fc.integer({ min: 0x20, max: 0x7e });
  const byte = fc.oneof(fc.constantFrom(0, 0, 1, 255), letter, fc.integer({ min: 0, max: 255 }));
  // bpftool writes quotation marks and backslashes in text unescaped or wrongly escaped.
  const safe = byte.map((code) => (judged && (code === 0x22 || code === 0x5c) ? 0x41 : code));
  return fc.array(safe, { minLength: size, maxLength: size }).map((codes) => Uint8Array.from(codes));
}

/** A type with a few values of it. */
export function shapesWithValues(options: ShapeOptions): fc.Arbitrary<{ shape: Shape; values: Uint8Array[] }> {
  return shapes(options).chain((shape) =>
    fc.array(valuesOf(shape.size, options), { minLength: 1, maxLength: 4 }).map((values) => ({ shape, values })),
  );
}

/** The type of array indexes. */
function indexType(builder: BtfBuilder): number {
  return builder.int('__ARRAY_SIZE_TYPE__', 4);
}

function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}

function finite(value: number): number | string {
  return Number.isFinite(value) ? value : String(value);
}
