import { readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import type { Fd } from '../../../src/kernel/fd.ts';
import { readMapFdInfo } from '../../../src/kernel/map-info.ts';
import { BpfMap } from '../../../src/kernel/map.ts';
import { inNetns } from '../../../src/kernel/netns.ts';
import { sweepGoneDevices } from '../../../src/kernel/path-journal.ts';
import { PathStore } from '../../../src/kernel/path-store.ts';
import { openPin, pinObject } from '../../../src/kernel/pin.ts';
import { BpfProgram } from '../../../src/kernel/program.ts';
import { attachedPrograms } from '../../../src/kernel/xdp-attachment.ts';
import { XdpLink } from '../../../src/kernel/xdp-link.ts';
import { PinFolder } from '../../support/command.ts';
import { Router } from '../../support/router.ts';
import { runHere } from '../../support/run-here.ts';
import { TemporaryFolder } from '../../support/temporary-folder.ts';

const BPF_F_MMAPABLE = 1 << 10;

/** The path of an object that comes with the tool. */
export function objectFile(name: string): string {
  return join(import.meta.dirname, '..', '..', '..', 'bpf-objects', `${name}.bpf.o`);
}

/** All that a command can change, in words that are the same for the same thing made twice. */
export type State = readonly string[];

const STORE = '/sys/fs/bpf/xdpctl';

/** Devices, a folder for pins and one for files, for commands that meet faults. */
export class FaultWorld implements Disposable {
  readonly router = new Router();
  readonly pins = new PinFolder();
  readonly files = new TemporaryFolder();
  readonly #loaded = new Map<string, Fd>();
  readonly #inode = inNetns(this.router.netns, () => new PathStore().netns);

  constructor() {
    // What a killed run has left of a namespace that is gone: a new one may have its inode number.
    sweepGoneDevices(STORE);
  }

  /** Runs `xdpctl …` in this process, in the router's namespace; it is to succeed. */
  readonly done = async (...args: readonly string[]): Promise<void> => {
    const { status, stderr } = await runHere('-q', '--netns', this.router.netns, ...args);
    if (status !== 0) throw new Error(`${args.join(' ')}: exit ${status}: ${stderr}`);
  };

  /** Pins a program that comes with the tool; it is loaded once, which takes longer than most commands. */
  readonly load = async (name: string, pin: string): Promise<void> => {
    const path = this.pins.pin(pin);
    const loaded = this.#loaded.get(name);
    if (loaded === undefined) {
      await this.done('prog', 'load', objectFile(name), path);
      this.#loaded.set(name, openPin(path).fd);
    } else {
      pinObject(loaded.number, path);
    }
  };

  /** The words of a command, with `@name` for the pin and `%name` for the file of that name, and A, B, C for the devices. */
  readonly words = (text: string): string[] => {
    const { a, b, c } = this.router;
    const devices: Readonly<Record<string, string>> = { A: a.name, B: b.name, C: c.name };
    return text
      .split(' ')
      .map((word) => devices[word] ?? word.replace(/^@/, `${this.pins.path}/`).replace(/^%/, `${this.files.path}/`));
  };

  /** The path of a pin that `redirect attach` makes for a device, A, B or C. */
  stored(letter: 'A' | 'B' | 'C', pin: string): string {
    const { a, b, c } = this.router;
    return `${STORE}/${this.#inode}_${{ A: a, B: b, C: c }[letter].ifindex}/${pin}`;
  }

  /** Takes everything off the devices, and away from the folders. */
  async clear(): Promise<void> {
    const { router } = this;
    for (const { name, ifindex } of [router.a, router.b, router.c]) {
      const [there] = inNetns(router.netns, () => attachedPrograms(ifindex));
      if (there !== undefined) await this.done('redirect', 'detach', name, '--force', String(there.progId));
    }
    for (const folder of [this.pins.path, this.files.path]) {
      for (const name of readdirSync(folder)) rmSync(`${folder}/${name}`, { recursive: true });
    }
    // `link detach` leaves what the store has of the path: the next command there takes it away.
    for (const letter of ['A', 'B', 'C'] as const) rmSync(this.stored(letter, ''), { recursive: true, force: true });
    if (entries(STORE).length === 0) rmSync(STORE, { recursive: true, force: true });
  }

  state(): State {
    return [
      ...this.#attached(),
      ...tree(this.pins.path).map(([path, name]) => `pin ${name}: ${describePin(path)}`),
      ...this.#stored(),
      ...tree(this.files.path).map(([, name]) => `file ${name}`),
    ];
  }

  #attached(): string[] {
    const { a, b, c, netns } = this.router;
    return [a, b, c].flatMap(({ ifindex, name }) =>
      inNetns(netns, () => attachedPrograms(ifindex)).map(({ mode, progId }) => {
        using program = BpfProgram.byId(progId);
        const home = name === a.name ? 'a' : name === b.name ? 'b' : 'c';
        return `attached to ${home}: ${program.info.name} ${program.info.tag} ${mode}`;
      }),
    );
  }

  /** What `redirect attach` keeps for the devices of the router. */
  #stored(): string[] {
    return tree(STORE)
      .filter(([, name]) => name.startsWith(`${this.#inode}_`))
      .map(([path, name]) => `store ${name}: ${describePin(path)}`);
  }

  [Symbol.dispose](): void {
    for (const fd of this.#loaded.values()) fd[Symbol.dispose]();
    this.router[Symbol.dispose]();
    this.pins[Symbol.dispose]();
    this.files[Symbol.dispose]();
  }
}

/** The processes that have this in their environment. */
export function processesWith(mark: string): string[] {
  return entries('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => read(`/proc/${pid}/environ`).split('\0').includes(mark))
    .map((pid) => read(`/proc/${pid}/cmdline`).split('\0').join(' ').trim());
}

function describePin(path: string): string {
  let text;
  try {
    text = readlinkSync(path);
  } catch {
    return describeObject(path);
  }
  return `-> ${text}`;
}

function describeObject(path: string): string {
  if (isDirectory(path)) return 'directory';
  const { kind, fd } = openPin(path);
  if (kind === 'prog') {
    using program = new BpfProgram(fd);
    return `program ${program.info.name} ${program.info.tag}`;
  }
  if (kind === 'map') {
    using map = new BpfMap(fd);
    return describeMap(map);
  }
  fd[Symbol.dispose]();
  using link = XdpLink.byPin(path);
  return link === undefined ? 'link' : `link to ${link.info.ifindex}`;
}

function describeMap(map: BpfMap): string {
  const { type, typeName, keySize, valueSize, maxEntries, flags, name } = map.info;
  const contents = typeName === 'percpu_array' ? [] : [...entriesOf(map)].toSorted();
  const frozen = readMapFdInfo(map.fd).frozen ? ' frozen' : '';
  // Whether data can be mapped into memory, libbpf tries when it loads, and does without (FEAT_ARRAY_MMAP).
  const plainFlags = name.endsWith('.rodata') ? flags & ~BPF_F_MMAPABLE : flags;
  return `map ${name} ${[type, keySize, valueSize, maxEntries, plainFlags].join(' ')}${frozen} {${contents.join(', ')}}`;
}

/** The entries that are not all zeros, without what changes by itself: programs by name, counters not at all. */
function* entriesOf(map: BpfMap): Generator<string> {
  const { keySize, typeName } = map.info;
  let key: Uint8Array | null = null;
  for (;;) {
    const next = new Uint8Array(keySize);
    if (!map.nextKey(key, next)) return;
    const value = new Uint8Array(map.valueLength);
    if (typeName !== 'xskmap' && map.lookup(next, value) && value.some((byte) => byte !== 0)) {
      yield `${hex(next)}=${typeName?.startsWith('devmap') || typeName === 'cpumap' ? withName(value) : hex(value)}`;
    }
    key = next;
  }
}

/** The second half of an entry is the id of a program (struct bpf_devmap_val, struct bpf_cpumap_val). */
function withName(value: Uint8Array): string {
  const [first = 0, id = 0] = new Uint32Array(value.slice().buffer);
  if (id === 0) return String(first);
  using program = BpfProgram.byId(id);
  return `${first} ${program.info.name} ${program.info.tag}`;
}

/** Everything below a folder: its path, and its name within the folder. */
function tree(root: string, below = ''): (readonly [path: string, name: string])[] {
  return entries(`${root}/${below}`)
    .toSorted()
    .flatMap((entry) => {
      const name = below === '' ? entry : `${below}/${entry}`;
      const path = `${root}/${name}`;
      return [[path, name] as const, ...(isDirectory(path) ? tree(root, name) : [])];
    });
}

function isDirectory(path: string): boolean {
  try {
    readlinkSync(path);
    return false;
  } catch {
    try {
      readdirSync(path);
      return true;
    } catch {
      return false;
    }
  }
}

function entries(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // It has ended.
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
