import { symlinkSync } from 'node:fs';

import { decodeDevmapValue } from '../domain/devmap.ts';
import { encodeInteger } from '../domain/integer.ts';
import type { EntryChange, Occupant, Step } from '../domain/path-plan.ts';
import type { RedirectPath } from '../domain/redirect-path.ts';
import { makeDeclaredPins } from './declared-pins.ts';
import { makeDirectory } from './directory.ts';
import { cloneTargets } from './map-copy.ts';
import type { BpfMap } from './map.ts';
import { openProgramAs } from './named-objects.ts';
import { osPath } from './os-path.ts';
import { checkEntry, writeEntry } from './path-entries.ts';
import { type JournalEntry, PathJournal } from './path-journal.ts';
import { type LoadedPath, loadPath } from './path-load.ts';
import {
  CONFIG_PIN,
  COUNTERS_PIN,
  DEVICE_PIN,
  deviceMarker,
  EGRESS_DIRECTORY,
  LINK_PIN,
  MAP_LINK,
  MAPS_DIRECTORY,
  OBJECT_LINK,
  type PathStore,
  pinnedMap,
  pinnedProgram,
  PROGRAM_LINK,
  PROGRAM_PIN,
  TARGETS_PIN,
} from './path-store.ts';
import { undoChange } from './path-undo.ts';
import { pinObject } from './pin.ts';
import { BpfProgram } from './program.ts';
import { attachXdp, detachXdp } from './xdp-attachment.ts';
import { XdpLink } from './xdp-link.ts';

/** A path that has been put in place. */
export interface PlacedPath {
  readonly path: RedirectPath;
  readonly program: { readonly id: number; readonly name: string; readonly tag: string };
  readonly linkId?: number;
  readonly maps: readonly PlacedMap[];
}

export interface PlacedMap {
  readonly id: number;
  readonly name: string;
  readonly type: string;
  readonly pinned: string;
}

/** A step with what it needs open. */
interface Part extends Disposable {
  readonly step: Step;
  readonly entry: JournalEntry;
  readonly loaded?: LoadedPath;
  /** The program that gives way. */
  readonly old?: BpfProgram;
  readonly targets?: BpfMap;
}

/**
 * A change of one path or several, all or nothing: `prepare` each step, `switchOver`, `commit`. Until `switchOver` nothing that
 * frames can see has changed; leaving the block without `commit` takes everything back. A kill at any moment leaves what
 * `settle` (path-undo.ts) can make an end of. Wants the store's lock held, and no other change left unsettled.
 */
export class PathChange implements Disposable {
  readonly #journal: PathJournal;
  readonly #parts: Part[] = [];
  #placed: PlacedPath[] = [];
  #finished = false;
  /** What could not be taken back; known once it is disposed of. */
  refusals: readonly unknown[] = [];
  /** What kept the directories of a change that is in effect from their places, for the next command to see to. */
  unfinished: unknown;

  /** @param trial whether the change is to be taken back when this process dies before `commit` */
  constructor(store: PathStore, { trial }: { readonly trial: boolean }) {
    this.#journal = new PathJournal(store, trial ? 'trial' : 'pending');
  }

  /**
   * Loads what a step needs and notes how to take it back.
   *
   * @throws KernelRefusal; ToolError not-found for a target that has gone
   */
  async prepare(step: Step): Promise<void> {
    const part = await this.#open(step);
    this.#parts.push(part);
    this.#note(part);
  }

  /** Does the steps that were prepared, one each time it is asked. @throws KernelRefusal of the step that failed */
  *switchOver(): Generator<Step> {
    for (const part of this.#parts) {
      this.#perform(part);
      yield part.step;
    }
  }

  /** Keeps the change. @throws Error when that cannot be decided; then it is taken back */
  commit(): readonly PlacedPath[] {
    const journal = this.#journal.commit();
    this.#finished = true;
    try {
      journal.finish();
    } catch {
      this.#finishAgain(journal);
    }
    return this.#placed;
  }

  /** The change is in effect, so this is no failure of it: what kept the directories from their places may be over by now. */
  #finishAgain(journal: PathJournal): void {
    try {
      journal.finish();
    } catch (error) {
      this.unfinished = error;
    }
  }

  [Symbol.dispose](): void {
    if (!this.#finished) this.refusals = undoChange(this.#journal);
    this.#finished = true;
    for (const part of this.#parts.splice(0)) part[Symbol.dispose]();
  }

  async #open(step: Step): Promise<Part> {
    const { store } = this.#journal;
    const { ifindex } = step.kind === 'detach' ? step.device : step.path.device;
    const directory = store.directory(ifindex);
    const open: Disposable[] = [];
    try {
      const loaded = step.kind === 'attach' || step.kind === 'replace' ? await loadPath(step.path) : undefined;
      if (loaded !== undefined) open.push(loaded);
      const old = step.kind === 'replace' || step.kind === 'detach' ? openOld(step.old, directory) : undefined;
      if (old !== undefined) open.push(old);
      const targets = step.kind === 'update' ? pinnedMap(`${directory}/${TARGETS_PIN}`) : undefined;
      if (targets !== undefined) open.push(targets);
      return {
        step,
        entry: this.#journal.begin(ifindex),
        ...(loaded !== undefined && { loaded }),
        ...(old !== undefined && { old }),
        ...(targets !== undefined && { targets }),
        [Symbol.dispose]() {
          for (const each of open) each[Symbol.dispose]();
        },
      };
    } catch (error) {
      for (const each of open) each[Symbol.dispose]();
      throw error;
    }
  }

  #note({ step, entry, loaded, old, targets }: Part): void {
    using marker = deviceMarker(entry.ifindex);
    pinObject(marker.fd, entry.devicePin);
    if (targets !== undefined) {
      using copy = cloneTargets(targets);
      pinObject(copy.fd, entry.oldTargetsPin);
    }
    if (old !== undefined && (step.kind === 'replace' || step.kind === 'detach')) {
      if (step.kind === 'replace' && !step.gap) entry.noteAtOnce();
      pinObject(old.fd, entry.oldProgramPin(step.old.mode));
    }
    if (loaded !== undefined && (step.kind === 'attach' || step.kind === 'replace')) {
      pinPath(entry.newDirectory, loaded, step.path, marker);
      makeDeclaredPins(entry.newDirectory, loaded);
    }
  }

  #perform({ step, entry, loaded, old, targets }: Part): void {
    const directory = this.#journal.store.directory(entry.ifindex);
    switch (step.kind) {
      case 'attach':
      case 'replace': {
        if (loaded === undefined) return;
        const linkId =
          step.kind === 'replace' && old !== undefined
            ? replace(step, { loaded, old, entry, directory })
            : put(step.path, loaded.program, entry);
        this.#placed.push(placed(step.path, loaded, directory, linkId));
        return;
      }
      case 'update':
        if (targets !== undefined) update(targets, step.changes);
        return;
      case 'detach':
        if (old !== undefined) takeOff(entry.ifindex, step.old, old, directory);
    }
  }
}

/** The program that is to give way: ours by its pin, others by their id. */
function openOld({ programId, own }: Occupant, directory: string): BpfProgram {
  const pinned = own === undefined ? undefined : pinnedProgram(`${directory}/${PROGRAM_PIN}`);
  if (pinned?.info.id === programId) return pinned;
  pinned?.[Symbol.dispose]();
  return BpfProgram.byId(programId);
}

function pinPath(directory: string, loaded: LoadedPath, path: RedirectPath, marker: BpfMap): void {
  makeDirectory(directory);
  pinObject(marker.fd, `${directory}/${DEVICE_PIN}`);
  if (loaded.targets !== undefined) pinObject(loaded.targets.fd, `${directory}/${TARGETS_PIN}`);
  if (loaded.counters !== undefined) pinObject(loaded.counters.fd, `${directory}/${COUNTERS_PIN}`);
  if (loaded.config !== undefined) pinObject(loaded.config.fd, `${directory}/${CONFIG_PIN}`);
  loaded.egress.forEach(({ program, counters, config }, index) => {
    const place = `${directory}/${EGRESS_DIRECTORY}/${index}`;
    makeDirectory(place);
    pinObject(program.fd, `${place}/${PROGRAM_PIN}`);
    pinObject(counters.fd, `${place}/${COUNTERS_PIN}`);
    pinObject(config.fd, `${place}/${CONFIG_PIN}`);
  });
  if (path.program.kind === 'object') {
    makeDirectory(`${directory}/${MAPS_DIRECTORY}`);
    for (const [name, map] of loaded.maps) pinObject(map.fd, `${directory}/${MAPS_DIRECTORY}/${name}`);
    symlinkSync(osPath(path.program.file), `${directory}/${OBJECT_LINK}`);
    symlinkSync(osPath(path.program.name), `${directory}/${PROGRAM_LINK}`);
  }
  if (path.targets.kind === 'map') symlinkSync(osPath(path.targets.handle), `${directory}/${MAP_LINK}`);
  // Last, because a directory counts as a path only with its program.
  pinObject(loaded.program.fd, `${directory}/${PROGRAM_PIN}`);
}

/** Attaches a program to a device that has none. @returns the id of the link, where there is one */
function put({ device, mode, link }: RedirectPath, program: BpfProgram, entry: JournalEntry): number | undefined {
  if (!link) {
    attachXdp(device.ifindex, program.fd, mode);
    return undefined;
  }
  using made = XdpLink.create(device.ifindex, program.fd, mode);
  pinObject(made.fd, `${entry.newDirectory}/${LINK_PIN}`);
  return made.info.id;
}

interface Replacement {
  readonly loaded: LoadedPath;
  readonly old: BpfProgram;
  readonly entry: JournalEntry;
  readonly directory: string;
}

/** @returns the id of the link, where there is one */
function replace(
  { path, old: occupant, gap }: Step & { readonly kind: 'replace' },
  { loaded, old, entry, directory }: Replacement,
): number | undefined {
  const { ifindex } = path.device;
  if (gap) {
    takeOff(ifindex, occupant, old, directory);
    return put(path, loaded.program, entry);
  }
  if (!path.link) {
    attachXdp(ifindex, loaded.program.fd, path.mode, old.fd);
    return undefined;
  }
  using link = XdpLink.byPin(`${directory}/${LINK_PIN}`);
  if (link === undefined) return put(path, loaded.program, entry);
  // Pinned first: a kill between the two must not leave the link in the old directory alone.
  pinObject(link.fd, `${entry.newDirectory}/${LINK_PIN}`);
  link.update(loaded.program.fd, old.fd);
  return link.info.id;
}

function takeOff(ifindex: number, occupant: Occupant, program: BpfProgram, directory: string): void {
  if (occupant.own?.path.link === true) {
    using link = XdpLink.byPin(`${directory}/${LINK_PIN}`);
    link?.detach();
  } else if (occupant.linkId === undefined) {
    detachXdp(ifindex, occupant.mode, program.fd);
  } else {
    using link = XdpLink.byId(occupant.linkId);
    link.detach();
  }
}

/** Changes entries one by one, each in one step, and reads them back. */
function update(targets: BpfMap, changes: readonly EntryChange[]): void {
  for (const { key, to } of changes) {
    if (to === undefined) {
      targets.delete(encodeInteger(key, targets.info.keySize));
      continue;
    }
    // A program of ours is changed by a new path only, so it is the one that is there.
    using program =
      to.program?.kind === 'existing'
        ? openProgramAs(to.program)
        : to.program?.kind === 'own'
          ? programAt(targets, key)
          : undefined;
    writeEntry(targets, to, program?.fd ?? 0);
    checkEntry(targets, to);
  }
}

function programAt(targets: BpfMap, key: number): BpfProgram | undefined {
  const value = new Uint8Array(targets.valueLength);
  if (!targets.lookup(encodeInteger(key, targets.info.keySize), value)) return undefined;
  const { prog } = decodeDevmapValue(value);
  return prog === 0 ? undefined : BpfProgram.byId(prog);
}

function placed(path: RedirectPath, loaded: LoadedPath, directory: string, linkId: number | undefined): PlacedPath {
  const { id, name, tag } = loaded.program.info;
  const pins =
    path.program.kind === 'object'
      ? [...loaded.maps].map(([map, opened]) => [`${MAPS_DIRECTORY}/${map}`, opened] as const)
      : [[TARGETS_PIN, loaded.targets] as const];
  return {
    path,
    program: { id, name, tag },
    ...(linkId !== undefined && { linkId }),
    maps: pins.flatMap(([pin, map]) => (map === undefined ? [] : [describe(map, `${directory}/${pin}`)])),
  };
}

function describe({ info }: BpfMap, pinned: string): PlacedMap {
  return { id: info.id, name: info.name, type: info.typeName ?? `type ${info.type}`, pinned };
}
