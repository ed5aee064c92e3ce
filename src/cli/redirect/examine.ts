import { type PathProblem, pathProblems } from '../../domain/health.ts';
import type { LiveEntry, LiveSystem } from '../../domain/live-system.ts';
import { type ObservedMap, type ObservedPath, observedPaths } from '../../domain/observed-path.ts';
import { readLiveSystem } from '../../kernel/inventory.ts';
import { objectIds } from '../../kernel/object-ids.ts';
import { deviceIndex } from './store.ts';

/** A path with everything that is wrong with it. */
export interface ExaminedPath {
  readonly path: ObservedPath;
  readonly problems: readonly PathProblem[];
}

export interface Examination {
  readonly system: LiveSystem;
  readonly examined: readonly ExaminedPath[];
}

/**
 * The redirect paths of this network namespace, with what is wrong with them, from one snapshot of the system.
 *
 * @param ifname only those that begin at this device
 * @throws ToolError not-found for a device that is not there; KernelRefusal `prog next id` without the right to look
 */
export function examinePaths(ifname: string | undefined): Examination {
  const ifindex = ifname === undefined ? undefined : deviceIndex(ifname);
  // The snapshot puts up with missing rights; here it would seem that nothing redirects.
  objectIds('prog').next();
  const system = readLiveSystem();
  const paths = observedPaths(system);
  const wanted = ifindex === undefined ? paths : paths.filter(({ device }) => device.ifindex === ifindex);
  return { system, examined: wanted.map((path) => ({ path, problems: pathProblems(path, system, paths) })) };
}

/** The problems of a path by the entry that they are about; found once, because maps may have many entries. */
const byEntry = new WeakMap<ExaminedPath['problems'], ReadonlyMap<string, readonly PathProblem[]>>();

function problemsByEntry({ problems }: ExaminedPath): ReadonlyMap<string, readonly PathProblem[]> {
  const known = byEntry.get(problems);
  if (known !== undefined) return known;
  const index = new Map<string, PathProblem[]>();
  for (const problem of problems) {
    const place = placeOf(problem.mapId, problem.key);
    const list = index.get(place);
    if (list === undefined) index.set(place, [problem]);
    else list.push(problem);
  }
  byEntry.set(problems, index);
  return index;
}

function placeOf(mapId: number | undefined, key: number | undefined): string {
  return `${mapId} ${key}`;
}

/** What is wrong with an entry of a path's map. */
export function problemsAt(
  examined: ExaminedPath,
  { map }: ObservedMap,
  { key }: Pick<LiveEntry, 'key'>,
): readonly PathProblem[] {
  return problemsByEntry(examined).get(placeOf(map.id, key)) ?? [];
}

/** What is wrong with a path and is not about an entry that is there. */
export function problemsBesides({ path, problems }: ExaminedPath): readonly PathProblem[] {
  const entries = new Set(
    path.maps.flatMap(({ map, entries: list = [] }) => list.map(({ entry }) => placeOf(map.id, entry.key))),
  );
  return problems.filter(({ mapId, key }) => !entries.has(placeOf(mapId, key)));
}

/** The codes of problems, each once. */
export function codesOf(problems: readonly PathProblem[]): PathProblem['code'][] {
  return [...new Set(problems.map(({ code }) => code))];
}
