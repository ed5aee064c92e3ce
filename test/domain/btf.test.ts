import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { compileDecoder, isUnsignedInteger } from '../../src/domain/btf/decoder.ts';
import { BtfTypes } from '../../src/domain/btf/type-table.ts';
import { BtfError } from '../../src/domain/btf/type.ts';
import { type BtfValue, valueText } from '../../src/domain/btf/value.ts';
import { BTF_INT_BOOL, BTF_INT_CHAR, BTF_INT_SIGNED, BtfBuilder } from '../support/btf-builder.ts';
import { Bytes, shapesWithValues } from '../support/btf-shapes.ts';

/** Reads bytes as the type that `build` makes. */
function read(bytes: readonly number[], build: (builder: BtfBuilder) => number): BtfValue {
  const builder = new BtfBuilder();
  const id = build(builder);
  return readBlob(builder.bytes(), id, Uint8Array.from(bytes));
}

function readBlob(blob: Uint8Array, id: number, value: Uint8Array): BtfValue {
  return compileDecoder(new BtfTypes(blob), id, value.length)(new DataView(value.buffer, value.byteOffset), 0);
}

type Build = (builder: BtfBuilder) => number;

const char = (builder: BtfBuilder): number => builder.int('char', 1, BTF_INT_SIGNED);
const int = (builder: BtfBuilder): number => builder.int('int', 4, BTF_INT_SIGNED);
const text = (code: string): number[] => [...Buffer.from(code, 'latin1')];

/** An array of three letters of this type. */
function array(element: Build): BtfValue {
  return read(text('ab\0'), (builder) => builder.array(element(builder), 3, int(builder)));
}

function is(build: Build): boolean {
  const builder = new BtfBuilder();
  const id = build(builder);
  return isUnsignedInteger(new BtfTypes(builder.bytes()), id);
}

/** A number and so many structs without a byte. */
function withEmpties(count: number): Build {
  return (builder) =>
    builder.struct('s', 4, [
      { name: 'number', type: int(builder), bitOffset: 0 },
      { name: 'empties', type: builder.array(builder.struct('e', 0, []), count, 0), bitOffset: 32 },
    ]);
}

function compile(room: number, build: Build): () => unknown {
  return () => {
    const builder = new BtfBuilder();
    const id = build(builder);
    return compileDecoder(new BtfTypes(builder.bytes()), id, room);
  };
}

/** What it throws; undefined when nothing. */
function thrownBy(run: () => unknown): unknown {
  try {
    run();
    return undefined;
  } catch (error) {
    return error;
  }
}

describe('a value by its BTF type', () => {
  it('is read as whatever was written, in either byte order', () => {
    fc.assert(
      fc.property(shapesWithValues({ judged: false }), fc.boolean(), ({ shape, values }, littleEndian) => {
        const builder = new BtfBuilder({ littleEndian });
        const id = shape.build(builder);
        const decode = compileDecoder(new BtfTypes(builder.bytes()), id, shape.size);
        // All values lie in one buffer, as the entries of a map do.
        const buffer = Uint8Array.from(values.flatMap((value) => [...value]));
        const expected = values.map((_, number) => shape.expect(new Bytes(buffer, littleEndian), number * shape.size));
        const view = new DataView(buffer.buffer);
        expect(values.map((_, number) => decode(view, number * shape.size))).toEqual(expected);
      }),
      { numRuns: 500 },
    );
  });

  it('survives JSON: no digit of a 64-bit number is lost', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }), (number) => {
        const signed = number < 0n;
        const bytes = new Uint8Array(8);
        new DataView(bytes.buffer).setBigUint64(0, BigInt.asUintN(64, number), true);
        const value = read([...bytes], (builder) => builder.int('long', 8, signed ? BTF_INT_SIGNED : 0));
        expect(BigInt(JSON.parse(JSON.stringify(value)) as string)).toBe(number);
        expect(typeof value).toBe(Number.isSafeInteger(Number(number)) ? 'number' : 'string');
      }),
    );
  });

  it.each([
    ['2^53 - 1', [255, 255, 255, 255, 255, 255, 31, 0], 9_007_199_254_740_991],
    ['2^53', [0, 0, 0, 0, 0, 0, 32, 0], '9007199254740992'],
    ['-(2^53 - 1)', [1, 0, 0, 0, 0, 0, 224, 255], -9_007_199_254_740_991],
    ['-2^53', [0, 0, 0, 0, 0, 0, 224, 255], '-9007199254740992'],
  ])('writes %s', (_, bytes, expected) => {
    expect(read(bytes, (builder) => builder.int('long', 8, BTF_INT_SIGNED))).toBe(expected);
  });

  it.each([
    ['text up to the first zero', text('eth0\0xyz'), 'eth0'],
    ['an empty text', text('\0abcdefg'), ''],
    ['a backslash, which bpftool makes a newline of', text('C:\\x\0   '), 'C:\\x'],
    ['quotation marks', text('"a\'b"\0  '), '"a\'b"'],
    ['a control character', text('a\nb\0    '), [97, 10, 98, 0, 32, 32, 32, 32]],
    ['what is not ASCII', text('\xe9\0      '), [-23, 0, 32, 32, 32, 32, 32, 32]],
    ['DEL', text('\x7f\0      '), [127, 0, 32, 32, 32, 32, 32, 32]],
    ['no final zero', text('abcdefgh'), [97, 98, 99, 100, 101, 102, 103, 104]],
  ])('shows a char array with %s', (_, bytes, expected) => {
    expect(read(bytes, (builder) => builder.array(char(builder), 8, int(builder)))).toEqual(expected);
  });

  it('takes for text what C calls char, behind modifiers but not behind typedefs', () => {
    expect(array((builder) => builder.modifier('const', builder.modifier('volatile', char(builder))))).toBe('ab');
    expect(array((builder) => builder.typeTag('user', char(builder)))).toBe('ab');
    expect(array((builder) => builder.int('char', 1))).toBe('ab');
    expect(array((builder) => builder.int('letter', 1, BTF_INT_CHAR))).toBe('ab');
    expect(array((builder) => builder.typedef('char', char(builder)))).toEqual([97, 98, 0]);
    expect(array((builder) => builder.int('unsigned char', 1))).toEqual([97, 98, 0]);
    expect(array((builder) => builder.int('signed char', 1, BTF_INT_SIGNED))).toEqual([97, 98, 0]);
  });

  it.each([0x22, 0x27, 0x5c, 0x41, 0, 10, 0x80, 0xff])('shows character %i as itself', (code) => {
    expect(read([code], (builder) => builder.int('letter', 1, BTF_INT_CHAR))).toBe(String.fromCodePoint(code));
  });

  it('names enumerators of every size, also where they are unsigned', () => {
    const byte = (value: number): BtfValue => read([value], (builder) => builder.enum('e', 1, { ON: 1, ALL: 255 }));
    expect([1, 255, 2, 128].map(byte)).toEqual(['ON', 'ALL', 2, -128]);
    const wide = (...bytes: number[]): BtfValue =>
      read(bytes, (builder) => builder.enum64('e', { LOW: 1, HIGH: 1n << 63n }));
    expect(wide(1, 0, 0, 0, 0, 0, 0, 0)).toBe('LOW');
    expect(wide(0, 0, 0, 0, 0, 0, 0, 128)).toBe('HIGH');
    expect(wide(0, 0, 0, 0, 1, 0, 0, 128)).toBe('-9223372032559808512');
    expect(read([1, 0, 0, 0], (builder) => builder.enum('e', 4, { FIRST: 1, SECOND: 1 }))).toBe('FIRST');
  });

  it('takes any bit of a bool for true', () => {
    expect([0, 1, 2, 255].map((byte) => read([byte], (b) => b.int('bool', 1, BTF_INT_BOOL)))).toEqual([
      false,
      true,
      true,
      true,
    ]);
    expect(read([0, 1, 0, 0], (builder) => builder.int('bool', 4, BTF_INT_BOOL))).toBe(true);
    expect(read([2], (builder) => builder.int('bool', 1, BTF_INT_BOOL, 1))).toBe('0x0');
  });

  it.each([
    [4, [0, 0, 128, 63], 1],
    [4, [205, 204, 204, 61], 0.1],
    [4, [0, 0, 192, 127], 'NaN'],
    [4, [0, 0, 128, 255], '-Infinity'],
    [8, [0, 0, 0, 0, 0, 0, 4, 192], -2.5],
    [8, [0, 0, 0, 0, 0, 0, 240, 127], 'Infinity'],
    [2, [0, 60], '0x3c00'],
    [16, [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 63], '0x3fff0000000000000000000000000001'],
  ])('reads a float of %i bytes', (size, bytes, expected) => {
    expect(read(bytes, (builder) => builder.float('float', size))).toBe(expected);
  });

  it('shows bitfields as bpftool does, whatever their type', () => {
    const value = read([0b1010_1101, 0xff, 0xff, 0x7f], (builder) => {
      const kind = builder.enum('e', 4, { A: 1 });
      const flag = builder.int('bool', 1, BTF_INT_BOOL);
      return builder.struct('s', 4, [
        { name: 'low', type: int(builder), bitOffset: 0, bits: 3 },
        { name: 'kind', type: kind, bitOffset: 3, bits: 2 },
        { name: 'flag', type: flag, bitOffset: 5, bits: 1 },
        { name: 'rest', type: builder.typedef('t', builder.modifier('const', int(builder))), bitOffset: 6, bits: 26 },
      ]);
    });
    expect(value).toEqual({ low: '0x5', kind: '0x1', flag: '0x1', rest: '0x1fffffe' });
  });

  it('gives the members of all structs without a name one object, so that none hides another', () => {
    const value = read([1, 2, 3, 4, 5], (builder) => {
      const byte = builder.int('u8', 1);
      const member = (name: string, type = byte, at = 0) => ({ name, type, bitOffset: at * 8 });
      const deep = builder.struct('', 1, [member('deep')]);
      const first = builder.struct('', 2, [member('a'), member('', deep, 1)]);
      const second = builder.union('', 2, [member('b'), member('', builder.struct('', 2, [member('c', byte, 1)]))]);
      return builder.struct('s', 5, [member('', first), member('', second, 2), member('e', byte, 4)]);
    });
    expect(value).toEqual({ '': { a: 1, '': { deep: 2, c: 4 }, b: 3 }, e: 5 });
  });

  it('numbers other members with one name', () => {
    const value = read([1, 0, 0, 0, 2, 0, 0, 0], (builder) => {
      const type = int(builder);
      return builder.struct('s', 8, [
        { name: 'twin', type, bitOffset: 0 },
        { name: 'twin', type, bitOffset: 32 },
      ]);
    });
    expect(value).toEqual({ 'twin#1': 1, 'twin#2': 2 });
  });

  it('has a key for every name', () => {
    const value = read([7], (builder) => {
      const type = builder.int('u8', 1);
      return builder.struct('s', 1, [{ name: '__proto__', type, bitOffset: 0 }]);
    });
    expect(JSON.stringify(value)).toBe('{"__proto__":7}');
  });

  it('lists the variables of a data section', () => {
    const value = read([5, 0, 0, 0, 104, 105, 0, 0, 9], (builder) => {
      const number = builder.variable('number', builder.modifier('volatile', int(builder)));
      const name = builder.variable('name', builder.array(char(builder), 4, int(builder)));
      return builder.datasec('.data', 9, [
        { variable: number, offset: 0, size: 4 },
        { variable: name, offset: 4, size: 4 },
      ]);
    });
    expect(value).toEqual({ '.data': [{ number: 5 }, { name: 'hi' }] });
  });

  it('has nothing to say of what has no value', () => {
    expect(read([], () => 0)).toBeNull();
    expect(read([], (builder) => builder.fwd('later'))).toBeNull();
    expect(read([], (builder) => builder.func('f', builder.funcProto(0)))).toBeNull();
    expect(read([], (builder) => builder.struct('empty', 0, []))).toEqual({});
    const flexible = read([3, 0, 0, 0], (builder) => {
      const type = int(builder);
      return builder.struct('s', 4, [
        { name: 'count', type, bitOffset: 0 },
        { name: 'list', type: builder.array(type, 0, type), bitOffset: 32 },
      ]);
    });
    expect(flexible).toEqual({ count: 3, list: [] });
  });

  it('is an unsigned integer and no more, or is not', () => {
    for (const size of [1, 2, 4, 8]) expect(is((builder) => builder.int('u', size))).toBe(true);
    expect(is((builder) => builder.typedef('u32', builder.modifier('const', builder.int('u', 4))))).toBe(true);
    expect(is((builder) => builder.int('u', 16))).toBe(false);
    expect(is((builder) => builder.int('u', 3))).toBe(false);
    expect(is((builder) => builder.int('u', 4, 0, 31))).toBe(false);
    for (const encoding of [BTF_INT_SIGNED, BTF_INT_CHAR, BTF_INT_BOOL]) {
      expect(is((builder) => builder.int('u', 1, encoding))).toBe(false);
    }
    expect(is((builder) => builder.enum('e', 4, {}))).toBe(false);
    expect(is(() => 0)).toBe(false);
  });
});

describe('BTF', () => {
  it('may continue the BTF of the kernel', () => {
    const kernel = new BtfBuilder();
    const u32 = kernel.typedef('u32', kernel.int('unsigned int', 4));
    const module = new BtfBuilder({ base: kernel });
    const id = module.struct('mine', 8, [
      { name: 'first', type: u32, bitOffset: 0 },
      { name: 'own', type: module.enum('state', 4, { UP: 1 }), bitOffset: 32 },
    ]);
    const types = new BtfTypes(module.bytes(), new BtfTypes(kernel.bytes()));
    const value = Uint8Array.from([7, 0, 0, 0, 1, 0, 0, 0]);
    expect(id).toBe(4);
    expect(compileDecoder(types, id, 8)(new DataView(value.buffer), 0)).toEqual({ first: 7, own: 'UP' });
  });

  it('knows every kind of type', () => {
    const builder = new BtfBuilder();
    const number = int(builder);
    const before = [
      builder.declTag('tag', builder.typedef('t', number)),
      builder.func('f', builder.funcProto(number)),
      builder.modifier('restrict', builder.ptr(number)),
      builder.fwd('u', true),
      builder.variable('v', number),
    ];
    const last = builder.struct('s', 4, [{ name: 'n', type: number, bitOffset: 0 }]);
    expect(before.at(-1)).toBe(last - 1);
    expect(readBlob(builder.bytes(), last, Uint8Array.from([1, 0, 0, 0]))).toEqual({ n: 1 });
  });

  it.each([
    ['nothing', new Uint8Array(0)],
    ['a truncated header', new BtfBuilder().bytes().subarray(0, 20)],
    ['another magic number', new Uint8Array(24)],
    ['another version', Uint8Array.from(new BtfBuilder().bytes(), (byte, at) => (at === 2 ? 2 : byte))],
  ])('is refused when it is %s', (_, bytes) => {
    expect(() => new BtfTypes(bytes)).toThrow(BtfError);
  });

  it('is refused when a type contradicts itself', () => {
    expect(compile(4, () => 1)).toThrow('no type 1');
    expect(compile(3, int)).toThrow('a type of 4 bytes for 3');
    expect(compile(4, (builder) => builder.int('i', 1, 0, 9))).toThrow('an integer larger than itself');
    expect(compile(4, (builder) => builder.typedef('t', 1))).toThrow('type 1 contains itself');
    expect(compile(4, (builder) => builder.array(1, 2, 1))).toThrow('type 1 contains itself');
    const outside = compile(8, (builder) =>
      builder.struct('s', 4, [{ name: 'late', type: int(builder), bitOffset: 8 }]),
    );
    expect(outside).toThrow('late lies outside its 4 bytes');
    const crooked = compile(8, (builder) =>
      builder.struct('s', 8, [{ name: 'crooked', type: builder.ptr(), bitOffset: 1 }]),
    );
    expect(crooked).toThrow('member crooked begins inside a byte');
    const endless = compile(0, (builder) =>
      builder.array(builder.array(builder.struct('e', 0, []), 4096, 0), 2 ** 20, 0),
    );
    expect(endless).toThrow(/has \d+ values/);
  });

  it('is refused when it has far more values than bytes', () => {
    expect(compile(4, withEmpties(1000))).not.toThrow();
    expect(compile(4, withEmpties(2_000_000))).toThrow('has 2000001 values');
    expect(compile(1 << 20, (builder) => builder.array(builder.int('u8', 1), 1 << 20, 0))).not.toThrow();
  });

  it('can be broken in any way without more than a BtfError, or a wrong value', () => {
    fc.assert(
      fc.property(
        shapesWithValues({ judged: false }),
        fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 8 }),
        ({ shape, values }, damage) => {
          const builder = new BtfBuilder();
          const id = shape.build(builder);
          const bytes = builder.bytes();
          for (const [place, byte] of damage) bytes[place % bytes.length] = byte;
          const error = thrownBy(() => readBlob(bytes, id, values[0] ?? new Uint8Array(0)));
          expect(error ?? new BtfError()).toBeInstanceOf(BtfError);
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('a value for people', () => {
  it.each<[BtfValue, string]>([
    [5, '5'],
    [null, 'null'],
    ['18446744073709551615', '18446744073709551615'],
    ['eth0', 'eth0'],
    ['', '""'],
    ['two words', '"two words"'],
    ['a"b\\', '"a\\"b\\\\"'],
    [{ a: 1, in: { b: [1, 2] } }, '{a: 1, in: {b: [1, 2]}}'],
    [{ a: 1, '': { b: 2, '': { c: 3 } } }, '{a: 1, b: 2, c: 3}'],
    [{ '': 4 }, '{: 4}'],
    [[], '[]'],
    [Array<number>(9).fill(0), '[0, 0, 0, 0, 0, 0, 0, 0, 0]'],
    [[1, ...Array<number>(10).fill(0), 2], '[1, 0 <10 times>, 2]'],
    [Array.from({ length: 64 }, () => ({ x: 0 })), '[{x: 0} <64 times>]'],
  ])('%j is %s', (value, line) => {
    expect(valueText(value)).toBe(line);
  });
});
