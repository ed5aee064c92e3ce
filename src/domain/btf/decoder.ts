import { isIntegerSize } from '../integer.ts';
import {
  bitsDecoder,
  boolDecoder,
  charDecoder,
  floatDecoder,
  integerDecoder,
  jsonInteger,
  readText,
} from './scalars.ts';
import type { BtfTypes } from './type-table.ts';
import { BTF_INT_BOOL, BTF_INT_CHAR, BTF_INT_SIGNED, BtfError, type BtfMember, type BtfType } from './type.ts';
import type { BtfDecoder, BtfValue } from './value.ts';

/**
 * A function that reads values of a type, in the encodings of bpftool: integers and pointers as numbers, enums by name,
 * char arrays as strings where they are printable and end with a zero, bitfields and 128-bit integers as `0x` strings,
 * data sections as a list of their variables. Where bpftool's output is no JSON or says less than the bytes, this does
 * not follow: floats are numbers, text is escaped by whoever prints it, and members that share a key (those without a
 * name do) are merged into one object.
 *
 * The types are walked here, once, and not for each value.
 *
 * @param room bytes of a value; the type may be no larger
 * @throws BtfError for types that contradict themselves or do not fit
 */
export function compileDecoder(types: BtfTypes, id: number, room: number): BtfDecoder {
  const { size, decode } = new Compiler(types, mostValuesIn(room)).compile(id);
  if (size > room) throw new BtfError(`a type of ${size} bytes for ${room}`);
  return decode;
}

/** Whether values of a type are no more than unsigned integers of 1, 2, 4 or 8 bytes. */
export function isUnsignedInteger(types: BtfTypes, id: number): boolean {
  const type = types.unnamed(id);
  if (type.kind !== 'int' || !isIntegerSize(type.size)) return false;
  return type.encoding === 0 && type.bits === type.size * 8;
}

interface Compiled {
  readonly size: number;
  /** How many values it decodes, containers included. */
  readonly weight: number;
  readonly decode: BtfDecoder;
}

interface Field {
  readonly name: string;
  /** Bytes from the start of the struct. */
  readonly offset: number;
  readonly value: Compiled;
}

/** What would take longer to write than anybody waits is left as bytes. */
const MAX_WEIGHT = 1 << 24;

/**
 * How many values may be read from so many bytes: each bit may be a field, in several unions. An array of a thousand million
 * empty structs, which the kernel takes too (btf_array_resolve, kernel/bpf/btf.c), has no bytes at all.
 */
function mostValuesIn(bytes: number): number {
  return Math.min(MAX_WEIGHT, 1024 + 64 * bytes);
}

/** The kernel allows 32 (MAX_RESOLVE_DEPTH, kernel/bpf/btf.c). */
const MAX_DEPTH = 64;

class Compiler {
  readonly #types: BtfTypes;
  readonly #maxWeight: number;
  readonly #known = new Map<number, Compiled>();
  readonly #open = new Set<number>();

  constructor(types: BtfTypes, maxWeight: number) {
    this.#types = types;
    this.#maxWeight = maxWeight;
  }

  compile(id: number): Compiled {
    const known = this.#known.get(id);
    if (known !== undefined) return known;
    if (this.#open.has(id) || this.#open.size > MAX_DEPTH) throw new BtfError(`type ${id} contains itself`);
    this.#open.add(id);
    const compiled = this.#compile(this.#types.type(id));
    this.#open.delete(id);
    if (compiled.weight > this.#maxWeight) throw new BtfError(`type ${id} has ${compiled.weight} values`);
    this.#known.set(id, compiled);
    return compiled;
  }

  #compile(type: BtfType): Compiled {
    const { littleEndian } = this.#types;
    switch (type.kind) {
      case 'int':
        return this.#int(type);
      case 'float':
        return leaf(type.size, floatDecoder(type.size, littleEndian));
      case 'pointer':
        return leaf(8, integerDecoder(64, false, littleEndian));
      case 'enum':
        return leaf(type.size, this.#enum(type));
      case 'array':
        return this.#array(type.element, type.count);
      case 'struct':
      case 'union':
        return object(type.size, this.#members(type.members));
      case 'section': {
        const fields = type.variables.map(({ type: id, offset }) => {
          const variable = this.#types.type(id);
          return { name: variable.kind === 'variable' ? variable.name : '', offset, value: this.compile(id) };
        });
        const list = sequence(
          type.size,
          fields.map((field) => ({ ...field, offset: 0, value: object(type.size, [field]) })),
        );
        return object(type.size, [{ name: type.name, offset: 0, value: list }]);
      }
      case 'variable':
      case 'typedef':
      case 'modifier':
        return this.compile(type.type);
      case 'valueless':
        return leaf(0, () => null);
    }
  }

  #int({ size, encoding, bits, bitOffset }: BtfType & { kind: 'int' }): Compiled {
    const { littleEndian } = this.#types;
    if (bitOffset + bits > size * 8) throw new BtfError('an integer larger than itself');
    if (bitOffset !== 0) return leaf(size, bitsDecoder(bitOffset, bits, littleEndian));
    if (encoding === BTF_INT_CHAR && bits === 8) return leaf(size, charDecoder());
    if (encoding === BTF_INT_BOOL && bits === size * 8) return leaf(size, boolDecoder(size));
    return leaf(size, integerDecoder(bits, encoding === BTF_INT_SIGNED, littleEndian));
  }

  /** An enumerator's name, or the number, which is signed as in bpftool. */
  #enum({ size, values }: BtfType & { kind: 'enum' }): BtfDecoder {
    const names = new Map<BtfValue, string>();
    for (const { name, value } of values) {
      // An unsigned enum of one byte has 255 for what is read as -1.
      const key = jsonInteger(BigInt.asIntN(size * 8, value));
      if (!names.has(key)) names.set(key, name);
    }
    const decode = integerDecoder(size * 8, true, this.#types.littleEndian);
    return (view, at) => {
      const value = decode(view, at);
      return names.get(value) ?? value;
    };
  }

  #array(elementId: number, count: number): Compiled {
    const element = this.compile(elementId);
    const size = element.size * count;
    const weight = 1 + element.weight * count;
    const list: BtfDecoder = (view, at) => {
      const values: BtfValue[] = [];
      for (let index = 0; index < count; index += 1) values.push(element.decode(view, at + index * element.size));
      return values;
    };
    const decode: BtfDecoder = this.#isChar(elementId)
      ? (view, at) => readText(view, at, count) ?? list(view, at)
      : list;
    return { size, weight, decode };
  }

  /** Whether an array of this is text to bpftool: not of a typedef, and not of `signed char` or `unsigned char`. */
  #isChar(id: number): boolean {
    const type = this.#types.unmodified(id);
    return type.kind === 'int' && type.size === 1 && (type.encoding === BTF_INT_CHAR || type.name === 'char');
  }

  /**
   * Members by name. Several with one name, as C leaves them without any, become one that has the members of all; where
   * they are not all structs or unions, they are numbered.
   */
  #members(members: readonly BtfMember[]): Field[] {
    const byName = new Map<string, BtfMember[]>();
    for (const member of members) {
      const group = byName.get(member.name);
      if (group === undefined) byName.set(member.name, [member]);
      else group.push(member);
    }
    return [...byName].flatMap(([name, group]): Field[] => {
      const [only] = group;
      if (only !== undefined && group.length === 1) return [this.#member(only)];
      const inner = group.flatMap((member) => {
        const type = this.#types.type(member.type);
        if (type.kind !== 'struct' && type.kind !== 'union') return [undefined];
        return type.members.map((each) => ({ ...each, bitOffset: member.bitOffset + each.bitOffset }));
      });
      if (inner.every((member) => member !== undefined)) {
        const ends = group.map((member) => (member.bitOffset >> 3) + this.compile(member.type).size);
        return [{ name, offset: 0, value: object(Math.max(...ends), this.#members(inner)) }];
      }
      return group.map((member, number) => ({ ...this.#member(member), name: `${name}#${number + 1}` }));
    });
  }

  #member({ name, type, bitOffset, bits }: BtfMember): Field {
    const value = this.compile(type);
    if (bits > 0) return { name, offset: 0, value: this.#bitfield(bitOffset, bits) };
    if (bitOffset % 8 === 0) return { name, offset: bitOffset / 8, value };
    // Before members had widths of their own, a bitfield was an integer at an odd place.
    const target = this.#types.unnamed(type);
    if (target.kind !== 'int') throw new BtfError(`member ${name} begins inside a byte`);
    return { name, offset: 0, value: this.#bitfield(bitOffset + target.bitOffset, target.bits) };
  }

  #bitfield(offset: number, bits: number): Compiled {
    return leaf(Math.ceil((offset + bits) / 8), bitsDecoder(offset, bits, this.#types.littleEndian));
  }
}

function leaf(size: number, decode: BtfDecoder): Compiled {
  return { size, weight: 1, decode };
}

/** @throws BtfError when a field lies outside */
function object(size: number, fields: readonly Field[]): Compiled {
  const weight = weigh(size, fields);
  const names = fields.map(({ name }) => name);
  const offsets = fields.map(({ offset }) => offset);
  const decoders = fields.map(({ value }) => value.decode);
  const plain: BtfDecoder = (view, at) => {
    const value: Record<string, BtfValue> = {};
    for (let index = 0; index < names.length; index += 1) {
      value[names[index] as string] = (decoders[index] as BtfDecoder)(view, at + (offsets[index] as number));
    }
    return value;
  };
  // Assigning to __proto__ would make no key.
  const careful: BtfDecoder = (view, at) =>
    Object.fromEntries(fields.map(({ name, offset, value }) => [name, value.decode(view, at + offset)]));
  return { size, weight, decode: names.includes('__proto__') ? careful : plain };
}

function sequence(size: number, fields: readonly Field[]): Compiled {
  const decode: BtfDecoder = (view, at) => fields.map(({ offset, value }) => value.decode(view, at + offset));
  return { size, weight: weigh(size, fields), decode };
}

function weigh(size: number, fields: readonly Field[]): number {
  let weight = 1;
  for (const { name, offset, value } of fields) {
    if (offset + value.size > size) throw new BtfError(`${name} lies outside its ${size} bytes`);
    weight += value.weight;
  }
  return weight;
}
