import { readdirSync } from 'node:fs';

import { textOfBytes } from '../domain/byte-text.ts';
import { KernelRefusal } from '../domain/errors.ts';
import { bpffsMounts } from './bpffs-path.ts';
import { readLinkInfo } from './link-info.ts';
import { readMapInfo } from './map-info.ts';
import { osPath } from './os-path.ts';
import { type BpfObjectKind, openPin, type PinnedObject, removePinOf } from './pin.ts';
import { readProgramInfo } from './program.ts';

/** The paths at which objects of one kind are pinned, by the object's id. */
export type PinsById = ReadonlyMap<number, readonly string[]>;

/** Looks through every mounted bpffs. Pins that vanish or may not be opened are left out. */
export function pinsOf(kind: BpfObjectKind): PinsById {
  const pins = new Map<number, string[]>();
  for (const mount of bpffsMounts()) {
    for (const path of files(mount)) {
      const id = pinnedId(path, kind);
      if (id !== undefined) pins.set(id, [...(pins.get(id) ?? []), path]);
    }
  }
  return pins;
}

/** The same for all kinds, in one walk. */
export function allPins(): Readonly<Record<BpfObjectKind, PinsById>> {
  const pins: Record<BpfObjectKind, Map<number, string[]>> = { map: new Map(), prog: new Map(), link: new Map() };
  for (const mount of bpffsMounts()) {
    for (const path of files(mount)) {
      const pinned = idAt(path);
      if (pinned === undefined) continue;
      const list = pins[pinned.kind].get(pinned.id);
      if (list === undefined) pins[pinned.kind].set(pinned.id, [path]);
      else list.push(path);
    }
  }
  return pins;
}

/**
 * Takes back a pin that was made a moment ago; another object that is pinned there by now stays.
 *
 * @throws as removePinOf
 */
export function takeBackPin(path: string, kind: BpfObjectKind, id: number): void {
  removePinOf(path, (pinned) => pinned.kind === kind && idOf(kind, pinned.fd.number) === id);
}

function* files(directory: string): Generator<string> {
  let entries;
  try {
    entries = readdirSync(osPath(directory), { withFileTypes: true, encoding: 'buffer' });
  } catch {
    return;
  }
  for (const entry of entries.toSorted((a, b) => Buffer.compare(a.name, b.name))) {
    const name = textOfBytes(entry.name);
    const path = `${directory}/${name}`;
    if (entry.isDirectory()) yield* files(path);
    // Iterators (maps.debug, progs.debug) cannot be opened as objects; pins' names have no dot.
    else if (entry.isFile() && !name.includes('.')) yield path;
  }
}

function idAt(path: string): { readonly kind: BpfObjectKind; readonly id: number } | undefined {
  return whenOpen(path, ({ kind, fd }) => ({ kind, id: idOf(kind, fd.number) }));
}

function pinnedId(path: string, wanted: BpfObjectKind): number | undefined {
  return whenOpen(path, ({ kind, fd }) => (kind === wanted ? idOf(kind, fd.number) : undefined));
}

function whenOpen<Result>(path: string, act: (pinned: PinnedObject) => Result): Result | undefined {
  try {
    const pinned = openPin(path);
    using _open = pinned.fd;
    return act(pinned);
  } catch (error) {
    if (error instanceof KernelRefusal) return undefined;
    throw error;
  }
}

function idOf(kind: BpfObjectKind, fd: number): number {
  switch (kind) {
    case 'map':
      return readMapInfo(fd).id;
    case 'prog':
      return readProgramInfo(fd).id;
    case 'link':
      return readLinkInfo(fd).id;
  }
}
