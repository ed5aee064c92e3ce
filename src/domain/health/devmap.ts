import { setMtu, setQueues, setRxQueues, writeDevice } from '../ledger/fixes.ts';
import { nameOf } from '../ledger/scene.ts';
import type { LiveDevice, LiveMap, LiveProgram, LiveSystem } from '../live-system.ts';
import {
  keysOf,
  mapLabel,
  type ObservedEntry,
  type ObservedMap,
  type ObservedPath,
  programLabel,
} from '../observed-path.ts';
import { ONE_BUFFER_MTU, targetProblems } from '../target-health.ts';
import { missText } from './miss.ts';
import type { PathProblem } from './problem.ts';

/** What is wrong with a devmap or devmap_hash, and with the devices in it. */
export function devmapProblems(path: ObservedPath, observed: ObservedMap, system: LiveSystem): PathProblem[] {
  const { user, entries, map } = observed;
  if (entries === undefined) return [];
  const reachable = entries.filter((entry) => entry.reachable);
  const problems = reachable.map((entry) => ({ entry, problems: entryProblems(path, observed, entry, system) }));
  const found =
    user.broadcast === undefined
      ? [...missing(path, observed), ...problems.flatMap((each) => each.problems)]
      : broadcastProblems(path, observed, problems);
  return found.map((problem) => ({ ...problem, mapId: map.id }));
}

/** Keys that frames are looked up by and that have no entry. */
export function missing(
  { device }: Pick<ObservedPath, 'device'>,
  { map, user, entries = [] }: ObservedMap,
): PathProblem[] {
  const keys = keysOf(user, device);
  if (keys === undefined) {
    if (entries.length > 0) return [];
    const sentence = `${mapLabel(map)} has no entry: whatever ${programLabel(user)} looks up in it is not found`;
    return [{ code: 'map-miss', certainty: 'likely', sentence, fix: writeDevice(map, undefined, device) }];
  }
  const there = new Set(entries.map(({ entry }) => entry.key));
  return keys
    .filter((key) => !there.has(key))
    .map((key) => {
      // A DEVMAP_HASH takes any key.
      const outside = map.type === 'devmap' && key >= map.maxEntries;
      const size = outside ? ` (its keys end at ${map.maxEntries - 1})` : '';
      return {
        code: 'map-miss',
        certainty: 'certain',
        key,
        sentence: `${mapLabel(map)} has no entry at key ${key}, ${keyOrigin(user.keySource, device)}${size}: ${missText(user)}`,
        fix: outside ? fewerQueues(user, device, map) : writeDevice(map, key, device),
      };
    });
}

/** What brings the keys back into a map that is too small for them. */
function fewerQueues({ keySource }: LiveProgram, device: LiveDevice, { maxEntries }: LiveMap): string | undefined {
  return keySource === 'queue' ? setRxQueues(device, maxEntries) : undefined;
}

function keyOrigin(source: ObservedMap['user']['keySource'], { ifname }: LiveDevice): string {
  if (source === 'ingress') return `the ifindex of ${ifname}`;
  return source === 'queue' ? `a receive queue of ${ifname}` : 'where all frames are looked up';
}

function entryProblems(
  path: ObservedPath,
  observed: ObservedMap,
  { entry, target }: ObservedEntry,
  system: LiveSystem,
): PathProblem[] {
  const { device, mode } = path;
  const at = { key: entry.key, ...(target !== undefined && { to: target }) };
  const approach = { mode: mode === 'generic' ? ('generic' as const) : ('native' as const), ingressMtu: device.mtu };
  const problems: PathProblem[] = [
    ...elsewhere(path, observed, { entry, target }),
    ...(target === undefined ? [] : targetProblems(target, approach).map((problem) => withFix(problem, device))),
    ...(target === undefined || mode === 'generic' ? [] : fewRings(target, system)),
    ...fragments(path, observed, { entry, target }, system),
  ];
  return problems.map((problem) => ({ ...problem, ...at }));
}

/** Frames of several buffers stay away where the device that they come by lets none in. */
function withFix(problem: PathProblem, device: LiveDevice): PathProblem {
  return problem.code === 'target-no-sg' ? { ...problem, fix: setMtu(device, ONE_BUFFER_MTU) } : problem;
}

type Place = Pick<ObservedEntry, 'entry'> & { readonly target: LiveDevice | undefined };

/** The entry holds the device, and tells an ifindex that the namespace of the ingress device does not have. */
function elsewhere({ device }: ObservedPath, { map }: ObservedMap, { entry, target }: Place): PathProblem[] {
  if (target !== undefined && target.netns.inode === device.netns.inode) return [];
  const where =
    target === undefined
      ? 'a device of a network namespace that cannot be looked into, or of several'
      : nameOf(target, target.ifindex);
  const sentence = `key ${entry.key} of ${mapLabel(map)} leads to ifindex ${entry.ifindex}, which the network namespace of ${device.ifname} does not have: ${where}`;
  const fix = writeDevice(map, entry.key, device);
  return [{ code: 'target-in-other-netns', certainty: 'likely', sentence, fix }];
}

/** Drivers that have one ring for each CPU that transmits redirected frames, and no lock to share one. */
const ringForEachCpu: ReadonlySet<string> = new Set(['i40e', 'ice', 'mlx5_core', 'funeth']);

function fewRings(target: LiveDevice, { cpus }: LiveSystem): PathProblem[] {
  const { driver, txQueues, ndoXmit } = target;
  if (driver === undefined || !ringForEachCpu.has(driver) || txQueues === undefined || ndoXmit === 'no') return [];
  if (txQueues >= cpus) return [];
  const sentence = `${nameOf(target, target.ifindex)} has ${txQueues} transmit queues for ${cpus} CPUs, and its driver ${driver} needs one for each: on the others there is no ring`;
  return [{ code: 'target-no-carrier', certainty: 'likely', sentence, fix: setQueues(target, cpus) }];
}

/** Only a DEVMAP_HASH lets both kinds of programs in: one that takes fragments on the device, one that does not in the entry. */
function fragments(
  { device, mode }: ObservedPath,
  { map, user }: ObservedMap,
  { entry }: Place,
  { programs }: LiveSystem,
): PathProblem[] {
  const inEntry = entry.progId === undefined ? undefined : programs.get(entry.progId);
  const clash = user.fragments === true && inEntry?.fragments === false && device.mtu > ONE_BUFFER_MTU;
  if (!clash || mode === 'generic') return [];
  const sentence = `${programLabel(inEntry)}, at key ${entry.key} of ${mapLabel(map)}, was not loaded for frames of several buffers, as frames of ${device.ifname} (MTU ${device.mtu}) may be`;
  const fix = setMtu(device, ONE_BUFFER_MTU);
  return [{ code: 'frags-clash', certainty: 'certain', sentence, fix, progId: inEntry.id }];
}

interface Member {
  readonly entry: ObservedEntry;
  readonly problems: readonly PathProblem[];
}

/** Members that a broadcast leaves out before it sends to anybody (is_valid_dst, kernel/bpf/devmap.c). */
function isLeftOut({ problems }: Member): boolean {
  return problems.some(({ code }) => code === 'target-no-xmit' || code === 'target-down');
}

function broadcastProblems(
  path: ObservedPath,
  { map, entries = [] }: ObservedMap,
  members: readonly Member[],
): PathProblem[] {
  const { device, mode } = path;
  const own = entries.length > members.length ? `besides ${device.ifname} itself ` : '';
  if (members.length === 0) {
    const sentence = `${mapLabel(map)} has no member ${own}that a broadcast could go to`;
    const fix = writeDevice(map, undefined, device);
    return [{ code: 'broadcast-no-target', certainty: 'certain', sentence, fix }];
  }
  const problems = members.flatMap((member) => member.problems.map((problem) => skipped(problem, mode)));
  if (mode === 'generic') return [...problems, ...starved(members)];
  if (!members.every(isLeftOut)) return problems;
  const sentence = `no member of ${mapLabel(map)} ${own}can receive now: every frame is lost without any event`;
  const fix = members[0]?.problems.find((problem) => problem.fix !== undefined)?.fix;
  return [{ code: 'broadcast-no-target', certainty: 'certain', sentence, fix }, ...problems];
}

function skipped(problem: PathProblem, mode: ObservedPath['mode']): PathProblem {
  const leaves = ['target-no-xmit', 'target-down', 'frame-exceeds-mtu'].includes(problem.code);
  if (!leaves || mode === 'generic') return problem;
  return { ...problem, sentence: `${problem.sentence}; the broadcast leaves it out without a word` };
}

function ends({ code }: PathProblem): boolean {
  return code === 'target-down' || code === 'frame-exceeds-mtu';
}

/** In generic mode the first member that refuses a frame ends the broadcast (dev_map_redirect_multi). */
function starved(members: readonly Member[]): PathProblem[] {
  const first = members.findIndex(({ problems }) => problems.some(ends));
  const bad = members[first];
  const reason = bad?.problems.find(ends);
  if (bad === undefined || reason === undefined) return [];
  const name = nameOf(bad.entry.target, bad.entry.entry.ifindex);
  return members.slice(first + 1).map(({ entry: { entry, target } }) => ({
    code: 'broadcast-starved',
    certainty: reason.code === 'target-down' ? 'certain' : 'likely',
    sentence: `${nameOf(target, entry.ifindex)} gets nothing${reason.code === 'target-down' ? '' : ' that is too long for it'}: in generic mode the broadcast ends at ${name}, before it`,
    fix: reason.fix,
    key: entry.key,
    ...(target !== undefined && { to: target }),
  }));
}
