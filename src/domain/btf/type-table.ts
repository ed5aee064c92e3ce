import { BtfError, type BtfEnumerator, type BtfMember, type BtfType } from './type.ts';

/** Size of struct btf_header up to str_len, and of struct btf_type (linux/btf.h). */
const HEADER_SIZE = 24;
const RECORD_SIZE = 12;
const MAGIC = 0xeb9f;

/** Names and modifiers one behind the other; the kernel allows 32 (MAX_RESOLVE_DEPTH, kernel/bpf/btf.c). */
const MAX_STEPS = 64;

/** The kinds of types by number, with the bytes that follow struct btf_type: some, and some for each of vlen elements. */
const kinds: readonly (readonly [name: string, fixed: number, each: number] | undefined)[] = [
  undefined, // void, which is never written
  ['int', 4, 0],
  ['pointer', 0, 0],
  ['array', 12, 0], // struct btf_array
  ['struct', 0, 12], // struct btf_member
  ['union', 0, 12],
  ['enum', 0, 8], // struct btf_enum
  ['forward', 0, 0],
  ['typedef', 0, 0],
  ['volatile', 0, 0],
  ['const', 0, 0],
  ['restrict', 0, 0],
  ['function', 0, 0],
  ['prototype', 0, 8], // struct btf_param
  ['variable', 4, 0], // struct btf_var
  ['section', 0, 12], // struct btf_var_secinfo
  ['float', 0, 0],
  ['declaration tag', 4, 0], // struct btf_decl_tag
  ['type tag', 0, 0],
  ['enum64', 0, 12], // struct btf_enum64
];

/**
 * The types of a BTF blob (Documentation/bpf/btf.rst), read one by one when they are asked for: the BTF of a whole
 * kernel has a hundred thousand.
 */
export class BtfTypes {
  /** The byte order of the blob, and of the values that it describes. */
  readonly littleEndian: boolean;
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  readonly #base: BtfTypes | undefined;
  readonly #firstId: number;
  readonly #firstString: number;
  readonly #typesEnd: number;
  readonly #stringsStart: number;
  readonly #stringsLength: number;
  /** Where the types found so far begin; the first has id `#firstId`. */
  readonly #starts: number[] = [];
  /** Where the next type begins that was not looked at yet. */
  #next: number;

  /**
   * @param base the kernel's BTF when these bytes continue it, as the BTF of a module does
   * @throws BtfError
   */
  constructor(bytes: Uint8Array, base?: BtfTypes) {
    if (bytes.length < HEADER_SIZE) throw new BtfError('shorter than its header');
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.littleEndian = this.#view.getUint16(0, true) === MAGIC;
    if (!this.littleEndian && this.#view.getUint16(0, false) !== MAGIC) throw new BtfError('no BTF');
    if (this.#view.getUint8(2) !== 1) throw new BtfError(`version ${this.#view.getUint8(2)}`);
    const header = this.#u32(4);
    this.#next = header + this.#u32(8);
    this.#typesEnd = this.#next + this.#u32(12);
    this.#stringsStart = header + this.#u32(16);
    this.#stringsLength = this.#u32(20);
    if (Math.max(this.#typesEnd, this.#stringsStart + this.#stringsLength) > bytes.length) {
      throw new BtfError('sections outside the blob');
    }
    this.#base = base;
    this.#firstId = base === undefined ? 1 : base.#end();
    this.#firstString = base === undefined ? 0 : base.#firstString + base.#stringsLength;
  }

  /** @throws BtfError for an id that there is not */
  type(id: number): BtfType {
    if (id === 0) return { kind: 'valueless' };
    if (id < this.#firstId && this.#base !== undefined) return this.#base.type(id);
    this.#findUpTo(id);
    const start = this.#starts[id - this.#firstId];
    if (start === undefined) throw new BtfError(`no type ${id}`);
    return this.#decode(start);
  }

  /** The type behind const, volatile, restrict and type tags. @throws BtfError */
  unmodified(id: number): BtfType {
    return this.#behind(id, (kind) => kind === 'modifier');
  }

  /** The type behind those and behind typedefs. @throws BtfError */
  unnamed(id: number): BtfType {
    return this.#behind(id, (kind) => kind === 'modifier' || kind === 'typedef');
  }

  #behind(id: number, isFront: (kind: BtfType['kind']) => boolean): BtfType {
    let type = this.type(id);
    for (let steps = 0; isFront(type.kind) && 'type' in type; steps += 1) {
      if (steps > MAX_STEPS) throw new BtfError(`type ${id} leads nowhere`);
      type = this.type(type.type);
    }
    return type;
  }

  /** The id after the last. */
  #end(): number {
    this.#findUpTo(Infinity);
    return this.#firstId + this.#starts.length;
  }

  #findUpTo(id: number): void {
    while (this.#firstId + this.#starts.length <= id && this.#next < this.#typesEnd) {
      let end = this.#next + RECORD_SIZE;
      if (end <= this.#typesEnd) {
        const info = this.#u32(this.#next + 4);
        const [, fixed, each] = kindOf(info);
        end += fixed + each * countOf(info);
      }
      if (end > this.#typesEnd) throw new BtfError('a type ends outside the blob');
      this.#starts.push(this.#next);
      this.#next = end;
    }
  }

  #decode(start: number): BtfType {
    const name = this.#u32(start);
    const info = this.#u32(start + 4);
    /** A size, or for references the id of another type. */
    const size = this.#u32(start + 8);
    const at = start + RECORD_SIZE;
    const [kind] = kindOf(info);
    switch (kind) {
      case 'int': {
        const word = this.#u32(at);
        const [encoding, bitOffset, bits] = [(word >>> 24) & 0xf, (word >>> 16) & 0xff, word & 0xff];
        return { kind, name: this.#string(name), size, encoding, bits, bitOffset };
      }
      case 'pointer':
        return { kind };
      case 'float':
        return { kind, size };
      case 'array':
        return { kind, element: this.#u32(at), count: this.#u32(at + 8) };
      case 'struct':
      case 'union':
        return { kind, size, members: this.#each(at, info, 12, (member) => this.#member(member, info >>> 31 === 1)) };
      case 'enum':
        return { kind, size, values: this.#each(at, info, 8, (value) => this.#enumerator(value)) };
      case 'enum64':
        return { kind: 'enum', size, values: this.#each(at, info, 12, (value) => this.#enumerator64(value)) };
      case 'typedef':
        return { kind, type: size };
      case 'volatile':
      case 'const':
      case 'restrict':
      case 'type tag':
        return { kind: 'modifier', type: size };
      case 'variable':
        return { kind, name: this.#string(name), type: size };
      case 'section':
        return {
          kind,
          name: this.#string(name),
          size,
          variables: this.#each(at, info, 12, (variable) => ({
            type: this.#u32(variable),
            offset: this.#u32(variable + 4),
          })),
        };
      default:
        return { kind: 'valueless' };
    }
  }

  #enumerator(at: number): BtfEnumerator {
    return { name: this.#string(this.#u32(at)), value: BigInt(this.#view.getInt32(at + 4, this.littleEndian)) };
  }

  #enumerator64(at: number): BtfEnumerator {
    const value = (BigInt(this.#u32(at + 8)) << 32n) | BigInt(this.#u32(at + 4));
    return { name: this.#string(this.#u32(at)), value: BigInt.asIntN(64, value) };
  }

  #member(at: number, bitfields: boolean): BtfMember {
    const place = this.#u32(at + 8);
    return {
      name: this.#string(this.#u32(at)),
      type: this.#u32(at + 4),
      bitOffset: bitfields ? place & 0xff_ffff : place,
      bits: bitfields ? place >>> 24 : 0,
    };
  }

  #each<Item>(at: number, info: number, size: number, read: (at: number) => Item): Item[] {
    return Array.from({ length: countOf(info) }, (_, index) => read(at + index * size));
  }

  #string(offset: number): string {
    if (offset < this.#firstString && this.#base !== undefined) return this.#base.#string(offset);
    const start = offset - this.#firstString;
    if (start >= this.#stringsLength) throw new BtfError(`no string at ${offset}`);
    const strings = this.#bytes.subarray(this.#stringsStart, this.#stringsStart + this.#stringsLength);
    const end = strings.indexOf(0, start);
    return decoder.decode(strings.subarray(start, end === -1 ? strings.length : end));
  }

  #u32(at: number): number {
    return this.#view.getUint32(at, this.littleEndian);
  }
}

const decoder = new TextDecoder();

/** @throws BtfError for a kind newer than this program */
function kindOf(info: number): readonly [name: string, fixed: number, each: number] {
  const number = (info >>> 24) & 0x1f;
  const kind = kinds[number];
  if (kind === undefined) throw new BtfError(`a type of kind ${number}`);
  return kind;
}

function countOf(info: number): number {
  return info & 0xffff;
}
