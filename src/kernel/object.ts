import { basename } from 'node:path';

import { littleEndian } from '../domain/byte-order.ts';
import { KernelRefusal, type RefusalFacts } from '../domain/errors.ts';
import { isListening, type LogMessage, recordLibbpf } from '../ffi/libbpf-log.ts';
import { libbpf, type Pointer } from '../ffi/libbpf.ts';
import { lastErrno } from '../ffi/libc.ts';
import { addressOf, copyMemory } from '../ffi/memory.ts';
import { duplicate } from './duplicate.ts';
import { BpfMap } from './map.ts';
import { BpfProgram } from './program.ts';
import { withoutName } from './without-name.ts';

/**
 * A file of BPF programs and maps (`*.bpf.o`) with BTF, as libbpf opens and loads it. Between opening and loading the
 * maps and programs can be changed; what is loaded ends with this object unless it was opened by `openMap` or
 * `openProgram`, pinned, or attached.
 */
export class BpfObject implements Disposable {
  readonly path: string;
  readonly maps: readonly ObjectMap[];
  readonly programs: readonly ObjectProgram[];
  #object: Pointer;

  private constructor(path: string, object: Pointer) {
    this.path = path;
    this.#object = object;
    this.maps = [...each((previous) => libbpf.bpf_object__next_map(object, previous))].map((map) => new ObjectMap(map));
    this.programs = [...each((previous) => libbpf.bpf_object__next_program(object, previous))].map(
      (program) => new ObjectProgram(program),
    );
  }

  /**
   * Opens a file that comes with the tool. Files of others are opened by UserObject: damaged ones make libbpf crash.
   *
   * @throws KernelRefusal `object open`; its fact `log` is what libbpf had to say
   */
  static open(path: string): BpfObject {
    return BpfObject.#opened(path, () => libbpf.bpf_object__open_file(path, openOptions()));
  }

  /**
   * Opens what was read from a file.
   *
   * @param path which libbpf takes names of data sections from, as it does when it opens the file
   * @throws KernelRefusal `object open`; its fact `log` is what libbpf had to say
   */
  static fromBytes(path: string, bytes: Uint8Array): BpfObject {
    const name = Buffer.from(`${basename(path).replace(/\..*$/s, '')}\0`);
    return BpfObject.#opened(path, () => libbpf.bpf_object__open_mem(bytes, bytes.length, openOptions(name)));
  }

  static #opened(path: string, open: () => Pointer): BpfObject {
    const { result, messages } = recordLibbpf(() => {
      const object = open();
      return { object, errno: object === null ? lastErrno() : 0 };
    });
    if (result.object === null) throw new KernelRefusal('object open', result.errno, { path, ...logFacts(messages) });
    return new BpfObject(path, result.object);
  }

  /** The map of that name in the object's source, or undefined; data sections are called `.rodata`, `.bss`. */
  map(name: string): ObjectMap | undefined {
    return this.maps.find((map) => map.name === name);
  }

  program(name: string): ObjectProgram | undefined {
    return this.programs.find((program) => program.name === name);
  }

  /**
   * Makes the maps and loads the programs that are not switched off.
   *
   * @throws KernelRefusal `object load`; its fact `log` is what libbpf and the verifier had to say
   */
  load(): void {
    const { result, messages } = recordLibbpf(() => libbpf.bpf_object__load(this.#object));
    if (result < 0) throw new KernelRefusal('object load', -result, { path: this.path, ...logFacts(messages) });
  }

  [Symbol.dispose](): void {
    if (this.#object !== null) libbpf.bpf_object__close(this.#object);
    this.#object = null;
  }
}

/** A map of an object. */
export class ObjectMap {
  readonly #map: Pointer;
  readonly name: string;
  /** As libbpf calls it: data sections have the object's name cut to 8 characters before theirs, `redirect.rodata`. */
  readonly libbpfName: string;

  constructor(map: Pointer) {
    this.#map = map;
    const name = libbpf.bpf_map__name(map);
    this.libbpfName = name;
    this.name = /^[^.]*(\.(?:rodata|data|bss|kconfig)\b.*)$/.exec(name)?.[1] ?? name;
  }

  /** The descriptor of the map that was made, which is the object's; negative where there is none. */
  get fd(): number {
    return libbpf.bpf_map__fd(this.#map);
  }

  /** Number of `enum bpf_map_type`. */
  get type(): number {
    return libbpf.bpf_map__type(this.#map);
  }

  /** Bytes. */
  get keySize(): number {
    return libbpf.bpf_map__key_size(this.#map);
  }

  /** Bytes. */
  get valueSize(): number {
    return libbpf.bpf_map__value_size(this.#map);
  }

  /** Where libbpf pins the map, or finds it, when it loads the object: the source says so (LIBBPF_PIN_BY_NAME). */
  get pinPath(): string | undefined {
    return libbpf.bpf_map__pin_path(this.#map) ?? undefined;
  }

  /** Loads the map without a pin, whatever the source says. Before loading. @throws KernelRefusal `object map` */
  leaveUnpinned(): void {
    this.#check(libbpf.bpf_map__set_pin_path(this.#map, null));
  }

  get maxEntries(): number {
    return libbpf.bpf_map__max_entries(this.#map);
  }

  /** Before loading. @throws KernelRefusal `object map` */
  setMaxEntries(entries: number): void {
    this.#check(libbpf.bpf_map__set_max_entries(this.#map, entries), { maxEntries: entries });
  }

  /** Before loading. @throws KernelRefusal `object map` */
  setValueSize(bytes: number): void {
    this.#check(libbpf.bpf_map__set_value_size(this.#map, bytes), { valueSize: bytes });
  }

  /** Whether the map is made at all when the object is loaded. Before loading. */
  setAutocreate(enabled: boolean): void {
    this.#check(libbpf.bpf_map__set_autocreate(this.#map, enabled));
  }

  /**
   * Takes an existing map instead of making one. Before loading; the caller keeps its descriptor.
   *
   * @throws KernelRefusal `object map`; EINVAL when the map has another type or other sizes
   */
  reuse(map: BpfMap): void {
    this.reuseDescriptor(map.fd, { mapId: map.info.id });
  }

  /** The same, of a map that nothing else is known of. */
  reuseDescriptor(fd: number, facts: RefusalFacts = {}): void {
    const { result, messages } = recordLibbpf(() => libbpf.bpf_map__reuse_fd(this.#map, fd));
    this.#check(result, { ...facts, ...logFacts(messages) });
  }

  /** The bytes of a data section as they would be loaded; undefined for other maps. */
  initialValue(): Uint8Array | undefined {
    const size = new BigUint64Array(1);
    const bytes = libbpf.bpf_map__initial_value(this.#map, size);
    return bytes === null ? undefined : copyMemory(bytes, Number(size[0]));
  }

  /** Before loading. @throws KernelRefusal `object map`; EINVAL when the size is another */
  setInitialValue(bytes: Uint8Array): void {
    this.#check(libbpf.bpf_map__set_initial_value(this.#map, bytes, bytes.length));
  }

  /** The map that was made, with a descriptor of its own. After loading. @throws KernelRefusal `object map` */
  openMap(): BpfMap {
    return new BpfMap(duplicate(this.fd, 'object map', { map: this.name }));
  }

  #check(result: number, facts: RefusalFacts = {}): void {
    if (result < 0) throw new KernelRefusal('object map', -result, { map: this.name, ...facts });
  }
}

/** A program of an object. */
export class ObjectProgram {
  readonly #program: Pointer;
  readonly name: string;
  /** The section it stands in, e.g. `xdp/devmap`. */
  readonly section: string;

  constructor(program: Pointer) {
    this.#program = program;
    this.name = libbpf.bpf_program__name(program);
    this.section = libbpf.bpf_program__section_name(program);
  }

  /** The descriptor of the program that was loaded, which is the object's; negative where there is none. */
  get fd(): number {
    return libbpf.bpf_program__fd(this.#program);
  }

  /** Number of `enum bpf_prog_type`. */
  get type(): number {
    return libbpf.bpf_program__type(this.#program);
  }

  /** Number of `enum bpf_attach_type`. */
  get expectedAttachType(): number {
    return libbpf.bpf_program__expected_attach_type(this.#program);
  }

  get flags(): number {
    return libbpf.bpf_program__flags(this.#program);
  }

  /** Whether the program is loaded with the object. Before loading. */
  setAutoload(enabled: boolean): void {
    this.#check(libbpf.bpf_program__set_autoload(this.#program, enabled));
  }

  /** Before loading. */
  setType(type: number, expectedAttachType: number): void {
    this.#check(libbpf.bpf_program__set_type(this.#program, type));
    this.#check(libbpf.bpf_program__set_expected_attach_type(this.#program, expectedAttachType));
  }

  /** Flags for BPF_PROG_LOAD, e.g. BPF_F_XDP_HAS_FRAGS. Before loading. */
  setFlags(flags: number): void {
    this.#check(libbpf.bpf_program__set_flags(this.#program, flags));
  }

  /**
   * The program that was loaded, with a descriptor of its own. After loading.
   *
   * @throws KernelRefusal `object program`; ToolError refused when libbpf has left its name away
   */
  openProgram(): BpfProgram {
    const fd = duplicate(this.fd, 'object program', { program: this.name });
    const program = new BpfProgram(fd);
    if (program.info.name !== '') return program;
    program[Symbol.dispose]();
    throw withoutName(`program '${this.name}'`);
  }

  /**
   * Attaches the program to what its section names, until the link is disposed of or this process ends. After loading.
   *
   * @throws KernelRefusal `program attach`; its fact `log` is what libbpf had to say
   */
  attach(): ProgramLink {
    const { result, messages } = recordLibbpf(() => {
      const link = libbpf.bpf_program__attach(this.#program);
      return { link, errno: link === null ? lastErrno() : 0 };
    });
    if (result.link === null) {
      throw new KernelRefusal('program attach', result.errno, { program: this.name, ...logFacts(messages) });
    }
    return new ProgramLink(result.link);
  }

  #check(result: number): void {
    if (result < 0) throw new KernelRefusal('object program', -result, { program: this.name });
  }
}

/** What holds a program where it is attached. It must go before the object that the program is of. */
export class ProgramLink implements Disposable {
  #link: Pointer;

  constructor(link: Pointer) {
    this.#link = link;
  }

  [Symbol.dispose](): void {
    if (this.#link !== null) libbpf.bpf_link__destroy(this.#link);
    this.#link = null;
  }
}

/**
 * struct bpf_object_open_opts (bpf/libbpf.h) up to kernel_log_level: when somebody listens, the verifier is to log also
 * what it accepts.
 *
 * @param name of the object, with a final zero; the caller keeps it
 */
function openOptions(name?: Uint8Array): Uint8Array {
  const options = new Uint8Array(80);
  const view = new DataView(options.buffer);
  view.setBigUint64(0, BigInt(options.length), littleEndian);
  if (name !== undefined) view.setBigUint64(8, addressOf(name), littleEndian);
  view.setUint32(72, isListening() ? 1 : 0, littleEndian);
  return options;
}

/** The type of program, and what it attaches to, that libbpf takes from the name of a section; undefined for a name it does not know. */
export function sectionType(section: string): { readonly type: number; readonly attachType: number } | undefined {
  const [type, attachType] = [new Uint32Array(1), new Uint32Array(1)];
  const { result } = recordLibbpf(() => libbpf.libbpf_prog_type_by_name(section, type, attachType));
  return result < 0 ? undefined : { type: type[0] ?? 0, attachType: attachType[0] ?? 0 };
}

function* each(next: (previous: Pointer) => Pointer): Generator<Pointer> {
  for (let item = next(null); item !== null; item = next(item)) yield item;
}

function logFacts(messages: readonly LogMessage[]): RefusalFacts {
  return messages.length === 0 ? {} : { log: messages.map(({ text }) => text).join('\n') };
}
