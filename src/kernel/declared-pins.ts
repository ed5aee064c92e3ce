import { symlinkSync, unlinkSync } from 'node:fs';

import { exists } from './access.ts';
import { makeDirectory } from './directory.ts';
import type { LoadedPath } from './path-load.ts';
import { DECLARED_DIRECTORY, linkText, MAPS_DIRECTORY, namesIn, pinnedMap } from './path-store.ts';
import { pinObject } from './pin.ts';

/*
 * The pins that a file of the user's wants its maps to have, whoever loads it (LIBBPF_PIN_BY_NAME). They are there to
 * outlive programs, so they stay when a path is taken off; a change that fails takes those back that it has made.
 */

/**
 * Makes the pins, each after it has been noted where it will be.
 *
 * @param directory of the path, with the pins of its maps
 * @throws KernelRefusal `pin`
 */
export function makeDeclaredPins(directory: string, { maps, declaredPins }: LoadedPath): void {
  if (declaredPins.size === 0) return;
  makeDirectory(`${directory}/${DECLARED_DIRECTORY}`);
  for (const [name, path] of declaredPins) {
    const map = maps.get(name);
    if (map === undefined) continue;
    symlinkSync(path, `${directory}/${DECLARED_DIRECTORY}/${name}`);
    pinObject(map.fd, path);
  }
}

/** Those of the pins that were made for a path and are still there, with the same map. */
export function declaredPinsOf(directory: string): string[] {
  return namesIn(`${directory}/${DECLARED_DIRECTORY}`).flatMap((name) => {
    const path = linkText(`${directory}/${DECLARED_DIRECTORY}/${name}`);
    if (path === undefined || !exists(path)) return [];
    using made = pinnedMap(`${directory}/${MAPS_DIRECTORY}/${name}`);
    using there = pinnedMap(path);
    return made !== undefined && made.info.id === there?.info.id ? [path] : [];
  });
}

/** Takes them away. */
export function removeDeclaredPins(directory: string): void {
  for (const path of declaredPinsOf(directory)) unlinkSync(path);
}
