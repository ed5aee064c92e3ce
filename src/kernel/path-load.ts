import { KernelRefusal } from '../domain/errors.ts';
import { kernelFeatures } from '../domain/kernel-feature.ts';
import { encodeCpumapConfig, encodeEgressConfig, encodeRedirectConfig } from '../domain/redirect-config.ts';
import {
  builtinObject,
  entriesOf,
  type EntryProgram,
  mapCapacity,
  type RedirectPath,
} from '../domain/redirect-path.ts';
import { EINVAL, ENOMEM } from './check.ts';
import { knowsFragments } from './fragment-probe.ts';
import { hasFeature } from './kernel-features.ts';
import type { BpfMap } from './map.ts';
import { openMapAs, openProgramAs } from './named-objects.ts';
import { checkEntry, writeEntry } from './path-entries.ts';
import type { BpfProgram } from './program.ts';
import { type BuiltinProgram, loadEgress, loadRedirect } from './redirect-program.ts';

/** A path that is loaded, its map filled and checked; nothing is attached or pinned yet. */
export interface LoadedPath extends Disposable {
  readonly program: BpfProgram;
  /** The map it redirects through; absent where a program of the user's has none, or several. */
  readonly targets?: BpfMap | undefined;
  /** Only of programs of ours. */
  readonly counters?: BpfMap;
  readonly config?: BpfMap;
  /** The maps of a program of the user's, by their names in its source. */
  readonly maps: ReadonlyMap<string, BpfMap>;
  /** Pins that the user's file wants its maps to have, and that are to be made; by the maps' names. */
  readonly declaredPins: ReadonlyMap<string, string>;
  /** Programs of ours in the entries. */
  readonly egress: readonly BuiltinProgram[];
}

/**
 * Loads the program of a path with its maps, writes the targets, and reads them back.
 *
 * Fragments: the first program that touches a devmap or cpumap fixes for good whether programs that are aware of them may
 * use it. So with a map or entry programs of others, both kinds are tried.
 *
 * @throws KernelRefusal `object …`, `map update`; ToolError not-found for a target that has gone
 */
export async function loadPath(path: RedirectPath): Promise<LoadedPath> {
  const foreign = path.targets.kind === 'map' || entriesOf(path).some(({ program }) => program?.kind === 'existing');
  if (path.program.kind === 'object' || !knowsFragments()) return loadWith(path, false);
  try {
    return await loadWith(path, true);
  } catch (error) {
    if (!foreign || !isKindClash(error)) throw error;
    return loadWith(path, false);
  }
}

/** The map's owner does not go with the program that is loaded, or the entry's program with the map's owner. */
function isKindClash(error: unknown): boolean {
  if (!(error instanceof KernelRefusal)) return false;
  if (error.operation === 'object load') return error.errno === EINVAL && !hasVerdict(error);
  return error.operation === 'map update' && (error.errno === EINVAL || error.errno === ENOMEM);
}

/** Whether the verifier said why; of a clash it says nothing, and its log begins with the figures at its end. */
function hasVerdict({ facts }: KernelRefusal): boolean {
  return /BEGIN PROG LOAD LOG --\n(?!processed )/.test(String(facts['log'] ?? ''));
}

async function loadWith(path: RedirectPath, fragments: boolean): Promise<LoadedPath> {
  using foreign = path.targets.kind === 'map' ? openMapAs(path.targets) : undefined;
  const parts: Disposable[] = [];
  try {
    const loaded =
      path.program.kind === 'object'
        ? (await import('./user-program.ts')).loadUserProgram(path.program, path.targets.kind, foreign)
        : loadBuiltin(path, fragments, foreign);
    parts.push(loaded);
    const egress = loadEntryPrograms(path, fragments, parts);
    if (loaded.targets !== undefined) fill(loaded.targets, path, egress);
    return {
      ...loaded,
      egress: [...egress.values()],
      [Symbol.dispose]() {
        for (const part of parts) part[Symbol.dispose]();
      },
    };
  } catch (error) {
    for (const part of parts) part[Symbol.dispose]();
    throw error;
  }
}

function loadBuiltin(path: RedirectPath, fragments: boolean, foreign: BpfMap | undefined): Omit<LoadedPath, 'egress'> {
  const loaded = loadRedirect(builtinObject(path), {
    config: configOf(path),
    maxEntries: mapCapacity(path),
    fragments,
    targets: foreign,
    plainEntries:
      path.targets.kind === 'devices' && path.mode === 'generic' && !hasFeature(kernelFeatures.genericEntryPrograms),
  });
  return { ...loaded, maps: new Map(), declaredPins: new Map() };
}

function configOf({ program, targets }: RedirectPath): Uint8Array {
  if (program.kind === 'object') throw new TypeError('a program of the user has no configuration of ours');
  const { onMiss, key } = program;
  if (targets.kind === 'cpus') return encodeCpumapConfig({ onMiss, cpus: targets.spread });
  if (targets.kind === 'map' && targets.type === 'cpumap') return encodeCpumapConfig({ onMiss, cpus: targets.cpus });
  const { broadcast, excludeIngress } =
    targets.kind === 'devices' ? targets : { broadcast: false, excludeIngress: false };
  return encodeRedirectConfig({ onMiss, key, broadcast, excludeIngress });
}

type OwnProgram = EntryProgram & { readonly kind: 'own' };

/**
 * Each of our programs that the entries want, once, by what it is to do.
 *
 * @param parts gets what is loaded, also when a later one cannot be
 */
function loadEntryPrograms(path: RedirectPath, fragments: boolean, parts: Disposable[]): Map<string, BuiltinProgram> {
  const kind = path.targets.kind === 'cpus' ? 'cpumap' : 'devmap';
  const loaded = new Map<string, BuiltinProgram>();
  for (const { program } of entriesOf(path)) {
    if (program?.kind !== 'own' || loaded.has(deed(program))) continue;
    const egress = loadEgress(kind, { config: encodeEgressConfig(program, kind), fragments });
    parts.push(egress.program, egress.counters, egress.config);
    loaded.set(deed(program), egress);
  }
  return loaded;
}

function deed({ action, dstMac, srcMac }: OwnProgram): string {
  return [action, dstMac, srcMac].join(' ');
}

/** Writes the targets and reads them back, because the kernel clears an entry whose device goes meanwhile. */
function fill(targets: BpfMap, path: RedirectPath, egress: ReadonlyMap<string, BuiltinProgram>): void {
  for (const entry of entriesOf(path)) {
    const { program } = entry;
    using existing = program?.kind === 'existing' ? openProgramAs(program) : undefined;
    const own = program?.kind === 'own' ? egress.get(deed(program))?.program : undefined;
    writeEntry(targets, entry, (existing ?? own)?.fd ?? 0);
  }
  for (const entry of entriesOf(path)) checkEntry(targets, entry);
}
