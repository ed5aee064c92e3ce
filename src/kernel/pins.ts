import { readdirSync } from 'node:fs';

import { KernelRefusal } from '../domain/errors.ts';
import { bpffsMounts } from './bpffs-path.ts';
import { readMapInfo } from './map-info.ts';
import { openPin, type BpfObjectKind } from './pin.ts';
import { readProgramInfo } from './program.ts';

/** The paths at which objects of one kind are pinned, by the object's id. */
export type PinsById = ReadonlyMap<number, readonly string[]>;

/** Looks through every mounted bpffs. Pins that vanish or may not be opened are left out. */
export function pinsOf(kind: 'map' | 'prog'): PinsById {
  const pins = new Map<number, string[]>();
  for (const mount of bpffsMounts()) {
    for (const path of files(mount)) {
      const id = pinnedId(path, kind);
      if (id !== undefined) pins.set(id, [...(pins.get(id) ?? []), path]);
    }
  }
  return pins;
}

function* files(directory: string): Generator<string> {
  let entries;
  try {
    entries = readdirSync(directory, { withFileTypes: true });
  } catch {
    return;
  }
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = `${directory}/${entry.name}`;
    if (entry.isDirectory()) yield* files(path);
    // Iterators (maps.debug, progs.debug) cannot be opened as objects; pins' names have no dot.
    else if (entry.isFile() && !entry.name.includes('.')) yield path;
  }
}

function pinnedId(path: string, wanted: BpfObjectKind): number | undefined {
  try {
    const { kind, fd } = openPin(path);
    using open = fd;
    if (kind !== wanted) return undefined;
    return kind === 'map' ? readMapInfo(open.number).id : readProgramInfo(open.number).id;
  } catch (error) {
    if (error instanceof KernelRefusal) return undefined;
    throw error;
  }
}
