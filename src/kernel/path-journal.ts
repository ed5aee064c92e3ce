import { renameSync, symlinkSync } from 'node:fs';

import type { PathMode } from '../domain/redirect-path.ts';
import { exists } from './access.ts';
import { makeDirectory } from './directory.ts';
import {
  DEVICE_PIN,
  deviceGone,
  isStoreDirectory,
  linkText,
  namesIn,
  type PathStore,
  pinnedProgram,
  PROGRAM_PIN,
  programIn,
  removeTree,
} from './path-store.ts';
import type { BpfProgram } from './program.ts';

/*
 * A change of paths that is under way, of one device or several of a network namespace:
 *
 *     <bpffs>/xdpctl/<inode of the namespace>_pending/<ifindex>/
 *         new/                     what the device's directory will be; absent where the device is only detached
 *         was_native, was_generic  the program that gives way
 *         was_targets              a copy of the map of targets, before entries of it are changed in place
 *         at_once                  a symbolic link: one program follows the other in one step, with none in between
 *         device                   as in the device's directory; first of all, so that a device that has gone is known
 *
 * Everything is here before the first device is switched over. With the last one switched, the whole is renamed to
 * …_committed, which is the moment that decides, and the directories go to their places. Whoever is killed leaves one of
 * these states, and the next command makes an end of it: what is committed is finished, what is pending is taken back, or
 * finished where all devices had been switched. …_trial is as …_pending, but never finished: nobody has confirmed it.
 */

export type JournalState = 'pending' | 'trial' | 'committed';

const states: readonly JournalState[] = ['committed', 'trial', 'pending'];

/** Names within a device's part of a journal. */
const NEW_DIRECTORY = 'new';
const OLD_TARGETS_PIN = 'was_targets';
const AT_ONCE_LINK = 'at_once';
const modes: readonly PathMode[] = ['native', 'generic'];

/** One device's part of a change. */
export class JournalEntry {
  readonly ifindex: number;
  readonly path: string;

  constructor(journal: string, ifindex: number) {
    this.ifindex = ifindex;
    this.path = `${journal}/${ifindex}`;
  }

  /** What the device's directory will be. */
  get newDirectory(): string {
    return `${this.path}/${NEW_DIRECTORY}`;
  }

  get oldTargetsPin(): string {
    return `${this.path}/${OLD_TARGETS_PIN}`;
  }

  get devicePin(): string {
    return `${this.path}/${DEVICE_PIN}`;
  }

  /** Notes that there is no moment without a program on the device. */
  noteAtOnce(): void {
    symlinkSync(AT_ONCE_LINK, `${this.path}/${AT_ONCE_LINK}`);
  }

  /** Whether the change never leaves the device without a program: when it has none, somebody else has taken it off. */
  get isAtOnce(): boolean {
    return linkText(`${this.path}/${AT_ONCE_LINK}`) !== undefined;
  }

  /** Whether the device is gone; another may have its ifindex, in another namespace with the same inode. */
  get isGone(): boolean {
    return deviceGone(this.path);
  }

  oldProgramPin(mode: PathMode): string {
    return `${this.path}/was_${mode}`;
  }

  /** The program that is to be attached, undefined when the device is only detached or updated. The caller closes it. */
  newProgram(): BpfProgram | undefined {
    return pinnedProgram(`${this.newDirectory}/${PROGRAM_PIN}`);
  }

  /** The program that gives way, and its mode. The caller closes it. */
  oldProgram(): { readonly program: BpfProgram; readonly mode: PathMode } | undefined {
    for (const mode of modes) {
      const program = pinnedProgram(this.oldProgramPin(mode));
      if (program !== undefined) return { program, mode };
    }
    return undefined;
  }

  /**
   * Whether the device has been switched over. Of entries that are changed in place that cannot be told.
   *
   * @param attached ids of the programs attached to the device now
   */
  isSwitched(attached: readonly number[]): boolean {
    if (exists(this.oldTargetsPin)) return false;
    using fresh = this.newProgram();
    if (fresh !== undefined) return attached.includes(fresh.info.id);
    using old = this.oldProgram()?.program;
    return old !== undefined && !attached.includes(old.info.id);
  }

  /** Whether the path in the device's directory is the one that was only taken off, or what a kill has left of it. */
  tookAway(directory: string): boolean {
    using old = this.oldProgram()?.program;
    const id = programIn(directory);
    return old !== undefined && (id === undefined || id === old.info.id);
  }
}

/** The change of a network namespace that is under way; there is at most one. */
export class PathJournal {
  readonly store: PathStore;
  readonly state: JournalState;
  readonly path: string;

  constructor(store: PathStore, state: JournalState) {
    this.store = store;
    this.state = state;
    this.path = journalPath(store, state);
  }

  /** The one that a killed command has left, or undefined. @throws ToolError refused for what nobody of us has left */
  static left(store: PathStore): PathJournal | undefined {
    const state = states.find((each) => isStoreDirectory(journalPath(store, each)));
    return state === undefined ? undefined : new PathJournal(store, state);
  }

  entry(ifindex: number): JournalEntry {
    return new JournalEntry(this.path, ifindex);
  }

  /** In ascending order of ifindexes. */
  entries(): JournalEntry[] {
    return namesIn(this.path)
      .filter((name) => /^[1-9][0-9]{0,9}$/.test(name))
      .map(Number)
      .toSorted((a, b) => a - b)
      .map((ifindex) => this.entry(ifindex));
  }

  /** Makes the part of a device, with the directory that will be its own. */
  begin(ifindex: number): JournalEntry {
    const entry = this.entry(ifindex);
    makeDirectory(entry.path);
    return entry;
  }

  /** Decides that the change stays. @returns the journal of the change, which is to be finished */
  commit(): PathJournal {
    const committed = new PathJournal(this.store, 'committed');
    if (this.state !== 'committed') renameSync(this.path, committed.path);
    return committed;
  }

  /** Puts the directories of a change that stays in their places; however far that came before. */
  finish(): void {
    for (const entry of this.entries()) {
      const directory = this.store.directory(entry.ifindex);
      if (exists(entry.newDirectory)) {
        removeTree(directory);
        renameSync(entry.newDirectory, directory);
      } else if (entry.tookAway(directory)) removeTree(directory);
      removeTree(entry.path);
    }
    removeTree(this.path);
  }

  discard(): void {
    removeTree(this.path);
  }
}

function journalPath(store: PathStore, state: JournalState): string {
  return `${store.root}/${store.netns}_${state}`;
}

/**
 * The directory of the path of ours that is attached to a device: also while a change is under way or was killed, before
 * anybody has made an end of it. Undefined when what is attached is not ours.
 *
 * @param attached ids of the programs attached to the device now
 */
export function directoryInEffect(store: PathStore, ifindex: number, attached: readonly number[]): string | undefined {
  const journal = PathJournal.left(store);
  const candidates = [journal?.entry(ifindex).newDirectory, store.directory(ifindex)];
  return candidates.find((directory) => {
    const id = directory === undefined ? undefined : programIn(directory);
    return id !== undefined && attached.includes(id);
  });
}

/** Removes what is left of devices that are gone, in any network namespace. */
export function sweepGoneDevices(root: string): void {
  for (const name of namesIn(root)) {
    const path = `${root}/${name}`;
    if (/^[0-9]+_[0-9]+$/.test(name)) {
      if (deviceGone(path)) removeTree(path);
    } else if (states.some((state) => name.endsWith(`_${state}`))) {
      const parts = namesIn(path);
      if (parts.length > 0 && parts.every((part) => deviceGone(`${path}/${part}`))) removeTree(path);
    }
  }
}
