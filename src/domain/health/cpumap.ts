import { writeQueue } from '../ledger/fixes.ts';
import type { LiveSystem } from '../live-system.ts';
import { keysOf, mapLabel, type ObservedMap, type ObservedPath, programLabel } from '../observed-path.ts';
import { missText } from './miss.ts';
import { offlineCpu } from './offline-cpu.ts';
import type { PathProblem } from './problem.ts';

/** Frames that the queue of a CPU holds when `redirect attach` makes it. */
const USUAL_QSIZE = 2048;

/** What is wrong with a cpumap. */
export function cpumapProblems(path: ObservedPath, observed: ObservedMap, system: LiveSystem): PathProblem[] {
  const { map, entries } = observed;
  if (entries === undefined) return [];
  const problems = [...missing(path, observed), ...offline(observed, system)];
  return problems.map((problem) => ({ ...problem, mapId: map.id }));
}

function missing({ device }: ObservedPath, { map, user, entries = [] }: ObservedMap): PathProblem[] {
  const keys = keysOf(user, device);
  if (keys === undefined) {
    if (entries.length > 0) return [];
    const sentence = `${mapLabel(map)} has no entry: whatever ${programLabel(user)} looks up in it is not found`;
    return [{ code: 'map-miss', certainty: 'likely', sentence, fix: writeQueue(map, undefined, USUAL_QSIZE) }];
  }
  const there = new Set(entries.map(({ entry }) => entry.key));
  return keys
    .filter((key) => !there.has(key))
    .map((key) => ({
      code: 'map-miss',
      certainty: 'certain',
      key,
      sentence: `${mapLabel(map)} has no entry for CPU ${key}, over which ${programLabel(user)} spreads frames: ${missText(user)}`,
      fix: writeQueue(map, key, USUAL_QSIZE),
    }));
}

function offline({ map, entries = [] }: ObservedMap, { offlineCpus }: LiveSystem): PathProblem[] {
  return entries
    .filter(({ entry, reachable }) => reachable && offlineCpus.includes(entry.key))
    .map(({ entry }) => ({ code: 'cpu-offline', certainty: 'certain', key: entry.key, ...offlineCpu(map, entry) }));
}
