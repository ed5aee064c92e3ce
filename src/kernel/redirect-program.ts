import type { RedirectConfig } from '../domain/redirect-config.ts';
import { encodeRedirectConfig } from '../domain/redirect-config.ts';
import { openBuiltin } from './builtin-objects.ts';
import { BPF_F_XDP_HAS_FRAGS, knowsFragments } from './fragment-probe.ts';
import type { BpfMap } from './map.ts';
import type { BpfObject, ObjectMap, ObjectProgram } from './object.ts';
import type { BpfProgram } from './program.ts';
import { Transaction } from './transaction.ts';

/** A program of bpf-objects/ that is loaded, with the maps it came with. */
export interface BuiltinProgram {
  readonly program: BpfProgram;
  readonly counters: BpfMap;
  /** Its read-only data. */
  readonly config: BpfMap;
}

/** A redirect program of bpf-objects/ that is loaded, with its maps; not attached yet. */
export interface RedirectProgram extends BuiltinProgram, Disposable {
  readonly targets: BpfMap;
}

/** What a redirect program is loaded with. */
export interface RedirectLoad {
  /** Its read-only data, the whole section. */
  readonly config: Uint8Array;
  /** Entries of its map of targets; the object's own number when absent. */
  readonly maxEntries?: number | undefined;
  /** Without room for a program in each entry, which no map may have that is used in generic mode before Linux 5.15. */
  readonly plainEntries?: boolean;
  /** A map to redirect through instead of one of its own. */
  readonly targets?: BpfMap | undefined;
  /** Whether it is aware of fragments: wherever the kernel knows them when absent. */
  readonly fragments?: boolean;
}

/** Bytes of an ifindex alone. */
const PLAIN_ENTRY = 4;

/**
 * Loads a redirect program.
 *
 * @param object name in bpf-objects/, e.g. `redirect_devmap_hash`
 * @throws KernelRefusal `object …`
 */
export function loadRedirect(object: string, load: RedirectLoad): RedirectProgram {
  using opened = openBuiltin(object);
  const targets = mapOf(opened, 'targets');
  if (load.maxEntries !== undefined) targets.setMaxEntries(load.maxEntries);
  if (load.plainEntries === true) targets.setValueSize(PLAIN_ENTRY);
  if (load.targets !== undefined) targets.reuse(load.targets);
  using undo = new Transaction();
  const loaded = { ...loadProgram(opened, 'redirect', load, undo), targets: keep(targets.openMap(), undo) };
  undo.commit();
  return {
    ...loaded,
    [Symbol.dispose]() {
      for (const part of Object.values(loaded)) part[Symbol.dispose]();
    },
  };
}

/** The same for programs whose read-only data is a RedirectConfig: all but the one that spreads over CPUs. */
export function loadRedirectProgram(
  object: string,
  config: RedirectConfig,
  maxEntries: number | undefined,
): RedirectProgram {
  return loadRedirect(object, { config: encodeRedirectConfig(config), maxEntries });
}

/**
 * Loads a program for the entries of a devmap or cpumap.
 *
 * @param load the fragments must be those of the program that redirects into the map, or the entry is refused
 * @throws KernelRefusal `object …`
 */
export function loadEgress(kind: 'devmap' | 'cpumap', load: RedirectLoad): BuiltinProgram {
  using opened = openBuiltin(`egress_${kind}`);
  using undo = new Transaction();
  const loaded = loadProgram(opened, 'egress', load, undo);
  undo.commit();
  return loaded;
}

/** @param undo closes what was opened where something fails later */
function loadProgram(
  object: BpfObject,
  name: string,
  { config, fragments }: RedirectLoad,
  undo: Transaction,
): BuiltinProgram {
  const program = programOf(object, name);
  mapOf(object, '.rodata').setInitialValue(config);
  // Without them devices with a large MTU could not use it.
  if (fragments ?? knowsFragments()) program.setFlags(program.flags | BPF_F_XDP_HAS_FRAGS);
  object.load();
  return {
    program: keep(program.openProgram(), undo),
    counters: keep(mapOf(object, 'counters').openMap(), undo),
    config: keep(mapOf(object, '.rodata').openMap(), undo),
  };
}

function keep<Part extends Disposable>(part: Part, undo: Transaction): Part {
  undo.onRollback(() => part[Symbol.dispose]());
  return part;
}

function mapOf(object: BpfObject, name: string): ObjectMap {
  const map = object.map(name);
  if (map === undefined) throw new Error(`${object.path} has no map ${name}`);
  return map;
}

function programOf(object: BpfObject, name: string): ObjectProgram {
  const program = object.program(name);
  if (program === undefined) throw new Error(`${object.path} has no program ${name}`);
  return program;
}
