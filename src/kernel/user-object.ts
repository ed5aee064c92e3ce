import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { release } from 'node:os';

import { KernelRefusal, ToolError, usageError } from '../domain/errors.ts';
import { kernelFeatures, lacksFeature } from '../domain/kernel-feature.ts';
import { mapTypeName } from '../domain/map-type.ts';
import { exists } from './access.ts';
import { describeObject, loadObject, type LoadedDescriptors, wasCutShort } from './contained/parent.ts';
import type { MapDescription, ObjectDescription, ProgramChange, ProgramDescription } from './contained/task.ts';
import { duplicate } from './duplicate.ts';
import type { Fd } from './fd.ts';
import { knowsFragments } from './fragment-probe.ts';
import { BpfMap } from './map.ts';
import { osPath } from './os-path.ts';
import { openPin, removePin } from './pin.ts';
import { BpfProgram } from './program.ts';

/** The largest file that is read; debug information makes some of them large. */
const LARGEST = 256 << 20;

/**
 * A file of BPF programs and maps of the user's. libbpf reads and loads it in a process of its own: a damaged file makes
 * it crash. The file is read once, so that nobody can exchange it between the two.
 *
 * Between opening and loading maps and programs can be changed; what is loaded ends with this object unless it was
 * opened by `openMap` or `openProgram`, pinned, or attached.
 */
export class UserObject implements Disposable {
  readonly path: string;
  readonly maps: readonly UserObjectMap[];
  readonly programs: readonly UserObjectProgram[];
  readonly #bytes: Uint8Array;

  private constructor(path: string, bytes: Uint8Array) {
    this.path = path;
    this.#bytes = bytes;
    const { maps, programs } = description(path, bytes);
    this.maps = maps.map((map) => new UserObjectMap(map));
    this.programs = programs.map((program) => new UserObjectProgram(program));
  }

  /**
   * @throws KernelRefusal `object open`; its fact `log` is what libbpf had to say; LibraryCrash; ToolError usage for what
   *   is no file
   */
  static open(path: string): UserObject {
    return new UserObject(path, readObjectFile(path));
  }

  program(name: string): UserObjectProgram | undefined {
    return this.programs.find((program) => program.name === name);
  }

  /**
   * Takes the maps that are pinned already where the file wants them (LIBBPF_PIN_BY_NAME), as libbpf does. It compares the
   * flags too, and so refuses every devmap that it has pinned itself: the kernel has added one (dev_map_alloc_check). Before
   * loading.
   *
   * @throws ToolError conflict for what is no such map; KernelRefusal `pin get`
   */
  reusePinned(): void {
    for (const map of this.maps) {
      if (map.pinPath === undefined || map.reused !== undefined || !exists(map.pinPath)) continue;
      using pinned = openMapAt(map.pinPath, this.path);
      checkAlike(map, pinned, this.path);
      map.reuse(pinned);
      map.leaveUnpinned();
    }
  }

  /**
   * Makes the maps and loads the programs that are not switched off.
   *
   * @throws KernelRefusal `object load`; its fact `log` is what libbpf and the verifier had to say; LibraryCrash; ToolError
   *   unsupported for programs that this kernel does not know
   */
  load(): void {
    this.#checkFragments();
    const changes = this.programs.flatMap((program, index): ProgramChange[] =>
      program.change === undefined ? [] : [{ index, ...program.change }],
    );
    const reused = new Map(
      this.maps.flatMap(({ reused: fd }, index) => (fd === undefined ? [] : [[index, fd.number] as const])),
    );
    const unpinned = [...this.maps.entries()].flatMap(([index, map]) => (map.isLeftUnpinned ? [index] : []));
    const loaded = this.#loaded(changes, reused, unpinned);
    this.maps.forEach((map, index) => {
      map.made = loaded.maps.get(index);
    });
    this.programs.forEach((program, index) => {
      program.loaded = loaded.programs.get(index);
    });
  }

  /** The verifier of an older kernel refuses them without a word. */
  #checkFragments(): void {
    const aware = this.programs.find(
      ({ section, change }) => change?.autoload !== false && section.startsWith('xdp.frags'),
    );
    if (aware === undefined || knowsFragments()) return;
    throw lacksFeature(
      kernelFeatures.fragments,
      release(),
      `compile program '${aware.name}' without them: SEC("${aware.section.replace('.frags', '')}")`,
    );
  }

  #loaded(
    changes: readonly ProgramChange[],
    reused: ReadonlyMap<number, number>,
    unpinned: readonly number[],
  ): LoadedDescriptors {
    const unmade = this.maps.flatMap(({ pinPath, isLeftUnpinned }) =>
      pinPath === undefined || isLeftUnpinned || exists(pinPath) ? [] : [pinPath],
    );
    try {
      return loadObject(this.path, this.#bytes, changes, reused, unpinned);
    } catch (error) {
      // Otherwise libbpf has taken them away itself.
      if (wasCutShort(error)) for (const path of unmade) if (exists(path)) removePin(path);
      throw error;
    }
  }

  [Symbol.dispose](): void {
    for (const { reused, made } of this.maps) {
      reused?.[Symbol.dispose]();
      made?.[Symbol.dispose]();
    }
    for (const { loaded } of this.programs) loaded?.[Symbol.dispose]();
  }
}

/** What was described last: to attach a program, its file is opened twice. */
let known: { readonly path: string; readonly bytes: Uint8Array; readonly object: ObjectDescription } | undefined;

function description(path: string, bytes: Uint8Array): ObjectDescription {
  if (known?.path !== path || Buffer.compare(known.bytes, bytes) !== 0) {
    known = { path, bytes, object: describeObject(path, bytes) };
  }
  return known.object;
}

/** A map of an object. */
export class UserObjectMap implements MapDescription {
  readonly name: string;
  readonly libbpfName: string;
  readonly type: number;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly pinPath?: string;
  /** Set by `leaveUnpinned`. */
  isLeftUnpinned = false;
  /** Set by `reuse`. */
  reused: Fd | undefined;
  /** Set by the object's `load`. */
  made: Fd | undefined;

  constructor({ name, libbpfName, type, keySize, valueSize, maxEntries, pinPath }: MapDescription) {
    this.name = name;
    this.libbpfName = libbpfName;
    this.type = type;
    this.keySize = keySize;
    this.valueSize = valueSize;
    this.maxEntries = maxEntries;
    if (pinPath !== undefined) this.pinPath = pinPath;
  }

  /**
   * Takes an existing map instead of making one. Before loading; the caller keeps its descriptor.
   *
   * @throws KernelRefusal `object map`
   */
  reuse(map: BpfMap): void {
    this.reused?.[Symbol.dispose]();
    this.reused = duplicate(map.fd, 'object map', { map: this.name, mapId: map.info.id });
  }

  /** Makes libbpf load the map without a pin, whatever the source says. Before loading. */
  leaveUnpinned(): void {
    this.isLeftUnpinned = true;
  }

  /** The map that was made, with a descriptor of its own. After loading. @throws KernelRefusal `object map` */
  openMap(): BpfMap {
    return new BpfMap(duplicate(this.made?.number ?? -1, 'object map', { map: this.name }));
  }
}

/** A program of an object. */
export class UserObjectProgram implements ProgramDescription {
  readonly name: string;
  readonly section: string;
  readonly type: number;
  readonly expectedAttachType: number;
  /** What is to be changed before it is loaded. */
  change: Omit<ProgramChange, 'index'> | undefined;
  /** Set by the object's `load`. */
  loaded: Fd | undefined;

  constructor({ name, section, type, expectedAttachType }: ProgramDescription) {
    this.name = name;
    this.section = section;
    this.type = type;
    this.expectedAttachType = expectedAttachType;
  }

  /** Whether the program is loaded with the object. Before loading. */
  setAutoload(enabled: boolean): void {
    this.change = { ...this.change, autoload: enabled };
  }

  /** Before loading. */
  setType(type: number, attachType: number): void {
    this.change = { ...this.change, type: { type, attachType } };
  }

  /** The program that was loaded, with a descriptor of its own. After loading. @throws KernelRefusal `object program` */
  openProgram(): BpfProgram {
    return new BpfProgram(duplicate(this.loaded?.number ?? -1, 'object program', { program: this.name }));
  }
}

function openMapAt(pin: string, file: string): BpfMap {
  const { kind, fd } = openPin(pin);
  if (kind === 'map') return new BpfMap(fd);
  fd[Symbol.dispose]();
  throw new ToolError(
    'conflict',
    `${file} wants a map at ${pin}, where a ${kind === 'prog' ? 'program' : kind} is pinned`,
  );
}

/** @throws ToolError conflict naming the first thing that is different */
function checkAlike(map: UserObjectMap, { info }: BpfMap, file: string): void {
  const facts: readonly (readonly [what: string, wanted: string | number, there: string | number])[] = [
    ['type', mapTypeName(map.type) ?? map.type, info.typeName ?? info.type],
    ['size of keys', map.keySize, info.keySize],
    ['size of values', map.valueSize, info.valueSize],
    ['number of entries', map.maxEntries, info.maxEntries],
  ];
  // 0 entries are as many as the kernel likes, e.g. one for each CPU.
  const [different] = facts.filter(([, wanted, there]) => wanted !== there && wanted !== 0);
  if (different === undefined) return;
  const [what, wanted, there] = different;
  throw new ToolError(
    'conflict',
    `map '${map.name}' of ${file} is pinned at ${map.pinPath} already, with another ${what}: ${there} instead of ${wanted}`,
    { hint: ({ own }) => `if nobody uses it any more: ${own(['map', 'unpin', map.pinPath ?? ''])}` },
  );
}

/**
 * A name in a file as the name of a pin. Compilers make only identifiers, but a file can have anything.
 *
 * @throws ToolError usage for a name that would lead elsewhere
 */
export function pinName(name: string, path: string): string {
  if (name !== '' && name !== '.' && name !== '..' && !name.includes('/')) return name;
  throw usageError(`${path} has something called '${name}', which cannot be the name of a pin`);
}

/** @throws KernelRefusal `object open`; ToolError usage for what is no file, or too large a one */
function readObjectFile(path: string): Uint8Array {
  if (path.includes('\0')) throw usageError('a path cannot contain a zero byte');
  let fd;
  try {
    // Opening a named pipe would wait for somebody to write to it.
    fd = openSync(osPath(path), constants.O_RDONLY | constants.O_NONBLOCK);
    const status = fstatSync(fd);
    if (!status.isFile()) throw usageError(`${path} is not an ordinary file`, 'a file of BPF programs is needed');
    if (status.size > LARGEST) throw usageError(`${path} is larger than ${LARGEST >> 20} MiB`);
    return readFileSync(fd);
  } catch (error) {
    const { errno, syscall } = error as NodeJS.ErrnoException;
    if (errno === undefined || syscall === undefined) throw error;
    throw new KernelRefusal('object open', -errno, { path });
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
