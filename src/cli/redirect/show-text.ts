import type { PathProblem } from '../../domain/health.ts';
import { nameOf } from '../../domain/ledger/scene.ts';
import type { LiveProgram, LiveSystem } from '../../domain/live-system.ts';
import type { ObservedEntry, ObservedMap } from '../../domain/observed-path.ts';
import type { Typed } from '../../domain/typed-command.ts';
import { codesOf, type ExaminedPath, problemsAt, problemsBesides } from './examine.ts';

/** One arrow of a path: a key of one of its maps, and where it leads. */
export interface Arrow {
  /** Absent where the map itself, or the whole path, is meant. */
  readonly key?: number;
  /** `eth1`, `CPU 2`, a socket; empty where there is no entry. */
  readonly target: string;
  readonly codes: readonly string[];
}

/** The arrows of a map: its entries, and the keys that have none and should. */
export function arrowsOf(examined: ExaminedPath, observed: ObservedMap, system: LiveSystem): Arrow[] {
  const { map, entries = [] } = observed;
  const rest = problemsBesides(examined).filter(({ mapId }) => mapId === map.id);
  const missing = new Map<number | undefined, PathProblem[]>();
  for (const problem of rest) {
    const list = missing.get(problem.key);
    if (list === undefined) missing.set(problem.key, [problem]);
    else list.push(problem);
  }
  return [
    ...entries.map((entry) => ({
      key: entry.entry.key,
      target: targetText(entry, system),
      codes: codesOf(problemsAt(examined, observed, entry.entry)),
    })),
    ...[...missing].map(([key, problems]) => ({
      ...(key !== undefined && { key }),
      target: '',
      codes: codesOf(problems),
    })),
  ];
}

/** Codes of what is wrong with the path as a whole. */
export function ownCodes(examined: ExaminedPath): readonly string[] {
  return codesOf(problemsBesides(examined).filter(({ mapId }) => mapId === undefined));
}

function targetText({ entry, target }: ObservedEntry, { programs, devices }: LiveSystem): string {
  const { key, ifindex, qsize, progId, socket } = entry;
  const inEntry = progId === undefined ? '' : ` [${programText(programs.get(progId) ?? { id: progId })}]`;
  if (qsize !== undefined) return `CPU ${key}, queue of ${qsize}${inEntry}`;
  if (socket === undefined) return `${nameOf(target, ifindex)}${inEntry}`;
  const owner = socket.pid === undefined ? '' : ` of ${socket.comm ?? 'process'} (${socket.pid})`;
  if (socket.state === 'unbound' || socket.state === 'device-gone') return `socket${owner}, ${socket.state}`;
  const device = devices.find((one) => one.ifindex === socket.ifindex && one.netns.inode === socket.netns);
  const at = socket.ifindex === undefined ? '' : ` at ${nameOf(device, socket.ifindex)}`;
  return `socket${owner}${at} queue ${socket.queue}`;
}

/** `redirect (60)`. */
export function programText({ id, name }: Pick<LiveProgram, 'id' | 'name'>): string {
  return name === undefined ? `program ${id}` : `${name} (${id})`;
}

/** A map with its type and how full it is. */
export function mapText({ map, entries }: ObservedMap): string {
  const used = entries === undefined ? 'its entries cannot be read' : `${entries.length} of ${map.maxEntries} used`;
  return `${map.name ?? 'map'} (${map.id}), ${map.type}, ${used}`;
}

/** `1 path, 2 problems`, and where to read on. */
export function summary(examined: readonly ExaminedPath[], { own }: Typed): string {
  if (examined.length === 0) return 'nothing is redirected';
  const problems = examined.reduce((sum, each) => sum + each.problems.length, 0);
  const paths = examined.length === 1 ? '1 path' : `${examined.length} paths`;
  if (problems === 0) return paths;
  return `${paths}, ${problems === 1 ? '1 problem' : `${problems} problems`}: ${own(['redirect', 'check'])} says what to do`;
}
