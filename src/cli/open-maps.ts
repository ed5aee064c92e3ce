import { KernelRefusal, ToolError, usageError } from '../domain/errors.ts';
import { ENOENT } from '../kernel/check.ts';
import { allMaps } from '../kernel/map-list.ts';
import { BpfMap } from '../kernel/map.ts';
import { openPin } from '../kernel/pin.ts';
import { BpfProgram } from '../kernel/program.ts';
import type { Rehearsal } from './rehearsal.ts';
import type { Handle } from './words/handle.ts';

/**
 * The maps a command has open, by the handle they were named with. A single command opens one or two; a batch names
 * the same map on every line, and must not open it a hundred thousand times.
 */
export class OpenMaps implements Disposable {
  readonly #byPath = new Map<string, BpfMap>();
  readonly #byName = new Map<string, BpfMap>();
  readonly #byId = new Map<number, BpfMap>();
  /** Set while the lines of a batch are only checked. */
  rehearsal: Rehearsal | undefined;

  /**
   * The map that the handle names; it stays open and is closed with this object.
   *
   * @throws ToolError not-found, or usage when the name matches several maps or the pin is no map
   */
  open(handle: Handle): BpfMap {
    switch (handle.by) {
      case 'id':
        return remembered(this.#byId, handle.id, () => BpfMap.byId(handle.id));
      case 'name':
        return remembered(this.#byName, handle.name, () => openByName(handle.name));
      case 'pinned':
        return this.#rehearsed(handle.path) ?? remembered(this.#byPath, handle.path, () => openByPin(handle.path));
    }
  }

  /** Forgets what was open, because a pin or a name may mean another map now. */
  forget(): void {
    // In a rehearsal nothing changes, and planned pins keep maps of ours.
    if (this.rehearsal === undefined) this.#closeAll();
  }

  [Symbol.dispose](): void {
    this.#closeAll();
  }

  /** The map that a rehearsed line would have pinned there. */
  #rehearsed(path: string): BpfMap | undefined {
    const planned = this.rehearsal?.pinned(path);
    if (planned === null) throw new KernelRefusal('pin get', ENOENT, { path });
    if (planned instanceof BpfProgram) throw noMap(path, 'prog');
    return planned;
  }

  #closeAll(): void {
    for (const maps of [this.#byPath, this.#byName, this.#byId]) {
      for (const map of maps.values()) map[Symbol.dispose]();
      maps.clear();
    }
  }
}

/** So many maps stay open by one kind of handle: a process may have 1024 descriptors. */
const MOST = 128;

function remembered<Key>(maps: Map<Key, BpfMap>, key: Key, open: () => BpfMap): BpfMap {
  let map = maps.get(key);
  if (map === undefined) {
    map = open();
    if (maps.size >= MOST) closeOldest(maps);
    maps.set(key, map);
  }
  return map;
}

function closeOldest<Key>(maps: Map<Key, BpfMap>): void {
  for (const [key, map] of maps) {
    map[Symbol.dispose]();
    maps.delete(key);
    return;
  }
}

function openByPin(path: string): BpfMap {
  const { kind, fd } = openPin(path);
  if (kind === 'map') return new BpfMap(fd);
  fd[Symbol.dispose]();
  throw noMap(path, kind);
}

function noMap(path: string, kind: 'prog' | 'link'): ToolError {
  const what = kind === 'prog' ? 'program' : 'link';
  return usageError(
    `${path} is a pinned ${what}, not a map`,
    ({ own }) => `see: ${own([kind, 'show', 'pinned', path])}`,
  );
}

function openByName(name: string): BpfMap {
  const ids: number[] = [];
  for (const map of allMaps()) if (map.info.name === name) ids.push(map.info.id);
  const [id] = ids;
  if (id === undefined) {
    throw new ToolError('not-found', `there is no map named '${name}'`, {
      hint: ({ own }) => `see: ${own(['map', 'show'])}; a pin is named by 'pinned PATH', or by its whole path`,
    });
  }
  if (ids.length > 1) {
    throw usageError(
      `${ids.length} maps are named '${name}': ids ${ids.join(', ')}`,
      `name one by its id: id ${id}, as an option's value id:${id}`,
    );
  }
  return BpfMap.byId(id);
}
