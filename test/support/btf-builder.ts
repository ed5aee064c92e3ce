/** A member of a struct or union. */
export interface MemberSpec {
  readonly name: string;
  readonly type: number;
  /** Bits from the start of the struct. */
  readonly bitOffset: number;
  /** Width of a bitfield; 0 or absent for other members. */
  readonly bits?: number;
}

export type EnumValues = Readonly<Record<string, number | bigint>>;

/** Kinds of BTF types (include/uapi/linux/btf.h). */
const kinds = {
  int: 1,
  ptr: 2,
  array: 3,
  struct: 4,
  union: 5,
  enum: 6,
  fwd: 7,
  typedef: 8,
  volatile: 9,
  const: 10,
  restrict: 11,
  func: 12,
  funcProto: 13,
  var: 14,
  datasec: 15,
  float: 16,
  declTag: 17,
  typeTag: 18,
  enum64: 19,
} as const;

const HEADER_SIZE = 24;

/** Encodings of BTF integers. */
export const BTF_INT_SIGNED = 1;
export const BTF_INT_CHAR = 2;
export const BTF_INT_BOOL = 4;

/** What a blob continues, as the BTF of a kernel module continues that of the kernel. */
export interface BaseBtf {
  /** Number of its types, void included. */
  readonly types: number;
  /** Bytes of its strings. */
  readonly stringsLength: number;
}

export interface BtfBuilderOptions {
  /** Yes when absent. */
  readonly littleEndian?: boolean;
  readonly base?: BaseBtf;
}

/**
 * Writes BTF type by type; each method returns the new type's id. For tests: the layout is written down here a second
 * time, independently of the reader.
 */
export class BtfBuilder {
  readonly #littleEndian: boolean;
  readonly #types: number[] = [];
  readonly #strings: Buffer[] = [];
  readonly #offsets = new Map<string, number>([['', 0]]);
  #stringsLength = 0;
  #nextId = 1;

  constructor({ littleEndian = true, base }: BtfBuilderOptions = {}) {
    this.#littleEndian = littleEndian;
    if (base === undefined) {
      this.#strings.push(Buffer.from([0]));
      this.#stringsLength = 1;
    } else {
      this.#nextId = base.types;
      this.#stringsLength = base.stringsLength;
    }
  }

  /** How many types there are with this one's base, void included: the next id. */
  get types(): number {
    return this.#nextId;
  }

  /** The length of its strings, with those of its base. */
  get stringsLength(): number {
    return this.#stringsLength;
  }

  int(name: string, size: number, encoding = 0, bits = size * 8, bitOffset = 0): number {
    return this.#add(name, 'int', 0, 0, size, [(encoding << 24) | (bitOffset << 16) | bits]);
  }

  ptr(to = 0): number {
    return this.#add('', 'ptr', 0, 0, to, []);
  }

  array(of: number, count: number, index: number): number {
    return this.#add('', 'array', 0, 0, 0, [of, index, count]);
  }

  struct(name: string, size: number, members: readonly MemberSpec[]): number {
    return this.#composite('struct', name, size, members);
  }

  union(name: string, size: number, members: readonly MemberSpec[]): number {
    return this.#composite('union', name, size, members);
  }

  enum(name: string, size: number, values: EnumValues, signed = false): number {
    const words = Object.entries(values).flatMap(([key, value]) => [this.#string(key), Number(value) | 0]);
    return this.#add(name, 'enum', signed ? 1 : 0, words.length / 2, size, words);
  }

  enum64(name: string, values: EnumValues, signed = false, size = 8): number {
    const words = Object.entries(values).flatMap(([key, value]) => {
      const bits = BigInt.asUintN(64, BigInt(value));
      return [this.#string(key), Number(bits & 0xffff_ffffn), Number(bits >> 32n)];
    });
    return this.#add(name, 'enum64', signed ? 1 : 0, words.length / 3, size, words);
  }

  fwd(name: string, union = false): number {
    return this.#add(name, 'fwd', union ? 1 : 0, 0, 0, []);
  }

  typedef(name: string, type: number): number {
    return this.#add(name, 'typedef', 0, 0, type, []);
  }

  modifier(kind: 'const' | 'volatile' | 'restrict', type: number): number {
    return this.#add('', kind, 0, 0, type, []);
  }

  typeTag(name: string, type: number): number {
    return this.#add(name, 'typeTag', 0, 0, type, []);
  }

  func(name: string, prototype: number): number {
    return this.#add(name, 'func', 0, 0, prototype, []);
  }

  funcProto(result: number, parameters: readonly number[] = []): number {
    const words = parameters.flatMap((type) => [0, type]);
    return this.#add('', 'funcProto', 0, parameters.length, result, words);
  }

  variable(name: string, type: number, linkage = 1): number {
    return this.#add(name, 'var', 0, 0, type, [linkage]);
  }

  datasec(
    name: string,
    size: number,
    variables: readonly { readonly variable: number; readonly offset: number; readonly size: number }[],
  ): number {
    const words = variables.flatMap((each) => [each.variable, each.offset, each.size]);
    return this.#add(name, 'datasec', 0, variables.length, size, words);
  }

  float(name: string, size: number): number {
    return this.#add(name, 'float', 0, 0, size, []);
  }

  declTag(name: string, type: number): number {
    return this.#add(name, 'declTag', 0, 0, type, [-1]);
  }

  /** Header, types and strings. */
  bytes(): Uint8Array {
    const strings = Buffer.concat(this.#strings);
    // struct btf_header: magic, version, flags, hdr_len, type_off, type_len, str_off, str_len.
    const typesLength = this.#types.length * 4;
    const bytes = new Uint8Array(HEADER_SIZE + typesLength + strings.length);
    const view = new DataView(bytes.buffer);
    view.setUint16(0, 0xeb9f, this.#littleEndian);
    view.setUint8(2, 1);
    [HEADER_SIZE, 0, typesLength, typesLength, strings.length, ...this.#types].forEach((word, index) => {
      view.setUint32(4 + index * 4, word, this.#littleEndian);
    });
    bytes.set(strings, HEADER_SIZE + typesLength);
    return bytes;
  }

  #composite(kind: 'struct' | 'union', name: string, size: number, members: readonly MemberSpec[]): number {
    const bitfields = members.some(({ bits = 0 }) => bits > 0);
    const words = members.flatMap((member) => [
      this.#string(member.name),
      member.type,
      // With the kind flag the offset's top byte is the bitfield's width (BTF_MEMBER_BITFIELD_SIZE).
      bitfields ? ((member.bits ?? 0) << 24) | member.bitOffset : member.bitOffset,
    ]);
    return this.#add(name, kind, bitfields ? 1 : 0, members.length, size, words);
  }

  #add(
    name: string,
    kind: keyof typeof kinds,
    flag: number,
    count: number,
    sizeOrType: number,
    words: readonly number[],
  ): number {
    this.#types.push(this.#string(name), (flag << 31) | (kinds[kind] << 24) | count, sizeOrType, ...words);
    this.#nextId += 1;
    return this.#nextId - 1;
  }

  #string(text: string): number {
    const known = this.#offsets.get(text);
    if (known !== undefined) return known;
    const offset = this.#stringsLength;
    const encoded = Buffer.from(`${text}\0`);
    this.#strings.push(encoded);
    this.#stringsLength += encoded.length;
    this.#offsets.set(text, offset);
    return offset;
  }
}
