import { unlinkSync } from 'node:fs';

import { ToolError } from '../domain/errors.ts';
import type { PathMode } from '../domain/redirect-path.ts';
import { exists } from './access.ts';
import { removeDeclaredPins } from './declared-pins.ts';
import { interfaceName } from './interface-names.ts';
import { copyTargets } from './map-copy.ts';
import { type JournalEntry, PathJournal } from './path-journal.ts';
import { LINK_PIN, type PathStore, pinnedMap, programIn, removeTree, TARGETS_PIN } from './path-store.ts';
import { pinObject } from './pin.ts';
import type { BpfProgram } from './program.ts';
import { attachedPrograms, attachXdp, detachXdp } from './xdp-attachment.ts';
import { XdpLink } from './xdp-link.ts';

/** What became of a change that a killed command had left. */
export interface Settlement {
  /** The devices that it was about. */
  readonly ifindexes: readonly number[];
  readonly outcome: 'finished' | 'undone';
  /** What could not be taken back. */
  readonly refusals: readonly unknown[];
}

/**
 * Makes an end of a change that a killed command has left: finishes it when it was committed or all devices had been
 * switched over, else takes it back. Of devices that have gone since, nothing is left to end. Wants the store's lock held.
 *
 * @returns undefined when there was none
 * @throws KernelRefusal `link get`, `pin …`
 */
export function settle(store: PathStore): Settlement | undefined {
  const journal = PathJournal.left(store);
  if (journal === undefined) return undefined;
  for (const entry of journal.entries()) if (entry.isGone) removeTree(entry.path);
  const entries = journal.entries();
  const ifindexes = entries.map(({ ifindex }) => ifindex);
  const done =
    journal.state === 'committed' ||
    (journal.state === 'pending' &&
      entries.length > 0 &&
      entries.every((entry) => entry.isSwitched(attachedIds(entry.ifindex))));
  const refusals = done ? [] : undoChange(journal);
  if (done) journal.commit().finish();
  for (const ifindex of ifindexes) dropStale(store, ifindex);
  return { ifindexes, outcome: done ? 'finished' : 'undone', refusals };
}

/**
 * Takes a change back that is not committed, the last device first, and removes its journal. Never throws, because it
 * mostly runs on account of another error; what fails is tried once more.
 *
 * @returns what could not be taken back
 */
export function undoChange(journal: PathJournal): unknown[] {
  const failures: unknown[] = [];
  const entries = twice(() => journal.entries().toReversed(), failures);
  // Of a journal that cannot be read the next command makes an end.
  if (entries === undefined) return failures;
  for (const entry of entries) {
    twice(() => restore(journal.store, entry), failures);
    twice(() => removeDeclaredPins(entry.newDirectory), failures);
  }
  twice(() => journal.discard(), failures);
  return failures;
}

/** Does something that can be begun again; undefined when it failed both times. */
function twice<Result>(act: () => Result, failures: unknown[]): Result | undefined {
  try {
    return act();
  } catch {
    // What was in the way may be over: a signal, a moment without memory.
  }
  try {
    return act();
  } catch (error) {
    failures.push(error);
    return undefined;
  }
}

/** Removes a device's directory when its program is not attached: somebody has taken it off, or a detach was killed. */
export function dropStale(store: PathStore, ifindex: number): void {
  const directory = store.directory(ifindex);
  if (!exists(directory)) return;
  const id = programIn(directory);
  if (id === undefined || !attachedIds(ifindex).includes(id)) removeTree(directory);
}

function attachedIds(ifindex: number): number[] {
  return attachedPrograms(ifindex).map(({ progId }) => progId);
}

/** Puts a device back as it was, whatever of the change has been done. */
function restore(store: PathStore, entry: JournalEntry): void {
  const { ifindex } = entry;
  if (entry.isGone) return;
  restoreTargets(store, entry);
  using fresh = entry.newProgram();
  const old = entry.oldProgram();
  using _old = old?.program;
  const linkPin = `${store.directory(ifindex)}/${LINK_PIN}`;
  const wasLinked = exists(linkPin);
  const now = attachedPrograms(ifindex);
  const mode = now.find(({ progId }) => progId === fresh?.info.id)?.mode;
  if (fresh !== undefined && mode !== undefined) {
    using link = XdpLink.byPin(`${entry.newDirectory}/${LINK_PIN}`);
    using oldLink = XdpLink.byPin(linkPin);
    if (link !== undefined && link.info.id === oldLink?.info.id && old !== undefined) {
      link.update(old.program.fd, fresh.fd);
      return;
    }
    if (link !== undefined) link.detach();
    else if (old?.mode === mode && !wasLinked) {
      attachXdp(ifindex, old.program.fd, mode, fresh.fd);
      return;
    } else detachXdp(ifindex, mode, fresh.fd);
  } else if (now.length > 0) {
    // The old program is still there, or somebody has attached another meanwhile.
    return;
  } else if (entry.isAtOnce) {
    const name = interfaceName(ifindex) ?? `interface ${ifindex}`;
    throw new ToolError('refused', `somebody has taken the program of ${name} off meanwhile, and it stays off`);
  }
  if (old !== undefined) reattach(ifindex, old, wasLinked ? linkPin : undefined);
}

/** @param linkPin where the new link is to be pinned, undefined for an attachment without a link */
function reattach(
  ifindex: number,
  { program, mode }: { readonly program: BpfProgram; readonly mode: PathMode },
  linkPin: string | undefined,
): void {
  if (linkPin === undefined) {
    attachXdp(ifindex, program.fd, mode);
    return;
  }
  using link = XdpLink.create(ifindex, program.fd, mode);
  unlinkSync(linkPin);
  pinObject(link.fd, linkPin);
}

function restoreTargets(store: PathStore, entry: JournalEntry): void {
  using copy = pinnedMap(entry.oldTargetsPin);
  using targets = pinnedMap(`${store.directory(entry.ifindex)}/${TARGETS_PIN}`);
  if (copy !== undefined && targets !== undefined) copyTargets(copy, targets);
}
