import { littleEndian } from '../byte-order.ts';
import { BtfError } from './type.ts';

/** Offsets of struct btf_header, and the size of struct btf_type, in words of 32 bits (linux/btf.h). */
const TYPE_RECORD = 3;
const MAGIC = 0xeb9f;

/** Words that follow struct btf_type by kind: some, and some for each of vlen elements. */
const fixedWords = [0, 1, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0];
const eachWords = [0, 0, 0, 0, 3, 3, 2, 0, 0, 0, 0, 0, 0, 2, 0, 3, 0, 0, 0, 3];

const KIND_POINTER = 2;
const KIND_ENUM = 6;
const KIND_TYPEDEF = 8;
const KIND_CONST = 10;
const KIND_FUNCTION = 12;
const KIND_PROTOTYPE = 13;

/** Names and modifiers one behind the other; the kernel allows 32 (MAX_RESOLVE_DEPTH, kernel/bpf/btf.c). */
const MAX_STEPS = 64;

/** What an argument of a tracepoint is, as far as it matters to those who read it. */
export type ArgumentKind = 'pointer' | 'number';

/** Names of types that are wanted. */
export interface WantedTypes {
  readonly typedefs: readonly string[];
  readonly enums: readonly string[];
  readonly functions: readonly string[];
}

/**
 * The kernel's own BTF, read for a few names. `BtfTypes` makes an object of every type on the way to one by number; here
 * all hundred thousand are passed over once, which takes some milliseconds, because it happens before tracing can begin.
 */
export class KernelTypes {
  readonly #words: Uint32Array;
  /** Where each type begins, by id. */
  readonly #starts: Uint32Array;
  readonly #strings: Uint8Array;
  /** Ids by kind and name. */
  readonly #found = new Map<string, number>();

  /**
   * @param bytes of /sys/kernel/btf/vmlinux
   * @throws BtfError
   */
  constructor(bytes: Uint8Array, { typedefs, enums, functions }: WantedTypes) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (bytes.length < 24 || view.getUint16(0, littleEndian) !== MAGIC) throw new BtfError('no BTF of this machine');
    const header = view.getUint32(4, littleEndian);
    const [types, length] = [header + view.getUint32(8, littleEndian), view.getUint32(12, littleEndian)];
    const [strings, size] = [header + view.getUint32(16, littleEndian), view.getUint32(20, littleEndian)];
    if (Math.max(types + length, strings + size) > bytes.length) throw new BtfError('sections outside the blob');
    this.#words = wordsOf(bytes.subarray(types, types + length));
    this.#strings = bytes.subarray(strings, strings + size);
    this.#starts = new Uint32Array(Math.floor(this.#words.length / TYPE_RECORD) + 1);
    const wanted: (ReadonlyMap<number, string> | undefined)[] = [];
    wanted[KIND_TYPEDEF] = this.#offsets(typedefs);
    wanted[KIND_ENUM] = this.#offsets(enums);
    wanted[KIND_FUNCTION] = this.#offsets(functions);
    this.#scan(wanted);
  }

  /**
   * The arguments of a tracepoint, of which the kernel keeps the prototype as the typedef `btf_trace_NAME`
   * (include/trace/bpf_probe.h); undefined when it has no such tracepoint.
   */
  tracepointArguments(name: string): readonly ArgumentKind[] | undefined {
    const id = this.#found.get(key(KIND_TYPEDEF, `btf_trace_${name}`));
    if (id === undefined) return undefined;
    const prototype = this.#target(this.#target(id, KIND_TYPEDEF), KIND_POINTER);
    if (prototype === undefined || this.#kind(prototype) !== KIND_PROTOTYPE) return undefined;
    const start = this.#starts[prototype] ?? 0;
    const count = this.#word(start + 1) & 0xffff;
    // The first parameter of each prototype is the private data of the probe (`void *__data`).
    return Array.from({ length: Math.max(0, count - 1) }, (_, index) =>
      this.#isPointer(this.#word(start + TYPE_RECORD + 2 * (index + 1) + 1)) ? 'pointer' : 'number',
    );
  }

  /** The values of an enum by name; undefined when the kernel has none of that name. */
  enumerators(name: string): ReadonlyMap<string, number> | undefined {
    const id = this.#found.get(key(KIND_ENUM, name));
    if (id === undefined) return undefined;
    const start = this.#starts[id] ?? 0;
    const count = this.#word(start + 1) & 0xffff;
    return new Map(
      Array.from({ length: count }, (_, index) => {
        const at = start + TYPE_RECORD + 2 * index;
        return [this.#string(this.#word(at)), this.#word(at + 1)] as const;
      }),
    );
  }

  hasFunction(name: string): boolean {
    return this.#found.has(key(KIND_FUNCTION, name));
  }

  /** @param wanted by kind, where names stand among the strings */
  #scan(wanted: readonly (ReadonlyMap<number, string> | undefined)[]): void {
    const words = this.#words;
    const starts = this.#starts;
    let id = 1;
    for (let at = 0; at < words.length; id += 1) {
      starts[id] = at;
      const info = words[at + 1] ?? 0;
      const kind = (info >>> 24) & 0x1f;
      const fixed = fixedWords[kind];
      if (fixed === undefined) throw new BtfError(`a type of kind ${kind}`);
      const name = wanted[kind]?.get(words[at] ?? 0);
      if (name !== undefined) this.#found.set(key(kind, name), id);
      at += TYPE_RECORD + fixed + (eachWords[kind] ?? 0) * (info & 0xffff);
    }
  }

  /** Where the names stand among the strings; those that do not occur are left out. */
  #offsets(names: readonly string[]): ReadonlyMap<number, string> {
    const strings = Buffer.from(this.#strings.buffer, this.#strings.byteOffset, this.#strings.length);
    const offsets = names.map((name) => [strings.indexOf(`\0${name}\0`, 0, 'latin1') + 1, name] as const);
    return new Map(offsets.filter(([offset]) => offset > 0));
  }

  #target(id: number | undefined, kind: number): number | undefined {
    return id !== undefined && this.#kind(id) === kind ? this.#word((this.#starts[id] ?? 0) + 2) : undefined;
  }

  #isPointer(id: number): boolean {
    let type = id;
    for (let step = 0; step < MAX_STEPS && this.#kind(type) === KIND_CONST; step += 1) {
      type = this.#word((this.#starts[type] ?? 0) + 2);
    }
    return this.#kind(type) === KIND_POINTER;
  }

  #kind(id: number): number {
    return id === 0 ? 0 : (this.#word((this.#starts[id] ?? 0) + 1) >>> 24) & 0x1f;
  }

  #string(offset: number): string {
    const end = this.#strings.indexOf(0, offset);
    return Buffer.from(this.#strings.subarray(offset, end)).toString('latin1');
  }

  #word(at: number): number {
    return this.#words[at] ?? 0;
  }
}

/** Without a copy where the bytes begin at a multiple of 4. */
function wordsOf(bytes: Uint8Array): Uint32Array {
  const length = Math.floor(bytes.length / 4);
  if (bytes.byteOffset % 4 === 0) return new Uint32Array(bytes.buffer, bytes.byteOffset, length);
  return new Uint32Array(new Uint8Array(bytes.subarray(0, 4 * length)).buffer);
}

function key(kind: number, name: string): string {
  return `${kind} ${name}`;
}
