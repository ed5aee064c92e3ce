import { errnoName } from '../errno.ts';
import type { LiveDevice } from '../live-system.ts';
import { inOrder } from './fixes.ts';
import { type Member, membersOf } from './member.ts';
import { namesMap, type Scene } from './scene.ts';
import { exceedsMtu, isDown } from './target.ts';
import { likely, type Verdict } from './verdict.ts';

/*
 * In generic mode a broadcast ends at the first member that cannot take the frame (dev_map_redirect_multi(),
 * kernel/bpf/devmap.c), and the errno is that member's. The event has the key that the program gave, and what it leads to,
 * mostly nothing (__bpf_xdp_redirect_map(), include/linux/filter.h): neither has to do with a broadcast.
 */

/** Whether the event tells of a broadcast, or may do: no other redirect through a devmap fails without a target. */
export function isBroadcastError(scene: Scene): boolean {
  const { counter, map, to, from } = scene;
  if (counter.event !== 'xdp_redirect_err' || !namesMap(counter)) return false;
  // Of a map that is gone, or may not be looked at, the errno tells: devices alone give these.
  if (map === undefined) return isNamelessTarget(scene) && unfitness(scene) !== undefined;
  if (map.type !== 'devmap' && map.type !== 'devmap_hash') return false;
  if (isSurelyBroadcast(scene)) return true;
  // What a program of others does is not known: the errno is not that of the target, but that of another member.
  const isUnfit = unfitness(scene);
  if (isUnfit === undefined || to === undefined || from?.xdpMode !== 'generic' || isUnfit(to)) return false;
  return membersOf(map, from, scene.system).some(({ device }) => device !== undefined && isUnfit(device));
}

function isSurelyBroadcast(scene: Scene): boolean {
  return isNamelessTarget(scene) || scene.program?.broadcast !== undefined;
}

function isNamelessTarget({ counter }: Scene): boolean {
  return (counter.toIfindex ?? 0) === 0;
}

/** Which devices the errno fits (xdp_ok_fwd_dev(), include/linux/filter.h); undefined for errnos that say nothing of one. */
function unfitness({ counter, from }: Scene): ((device: LiveDevice) => boolean) | undefined {
  const longest = Math.max(from?.mtu ?? 0, from?.peer?.mtu ?? 0);
  switch (errnoName(counter.errno ?? 0)) {
    case 'ENETDOWN':
      return ({ up }) => !up;
    case 'EMSGSIZE':
      return ({ mtu }) => mtu < longest;
    default:
      return undefined;
  }
}

/** ENETDOWN of a broadcast. */
export function memberDown(scene: Scene): Verdict {
  const explanation = `a member of ${mapName(scene)} was administratively down${endsThere}`;
  return verdictOn(scene, isDown) ?? likely('target-down', explanation);
}

/** EMSGSIZE of a broadcast. */
export function memberTooSmall(scene: Scene): Verdict {
  const explanation = `frames are longer than the MTU of a member of ${mapName(scene)} allows${endsThere}`;
  return verdictOn(scene, exceedsMtu) ?? likely('frame-exceeds-mtu', explanation);
}

const endsThere = ': in generic mode a broadcast ends at the first member that cannot take the frame';

/**
 * @param verdictAt what is said of a target, here of one member
 * @returns undefined where no member is known to be the one
 */
function verdictOn(scene: Scene, verdictAt: (scene: Scene) => Verdict): Verdict | undefined {
  const members = eligible(scene);
  const isUnfit = unfitness(scene);
  const fitting = members.filter(({ device }) => device !== undefined && isUnfit?.(device) === true);
  // A map of one member leaves no choice, whatever has become of it since.
  const suspects = fitting.length === 0 && members.length === 1 ? members : fitting;
  const verdicts = suspects.map((member) => verdictOf(member, scene, verdictAt));
  const [verdict, ...others] = verdicts;
  if (verdict === undefined) return undefined;
  if (others.length > 0) return oneOf(verdicts, verdict);
  const isSure = isSurelyBroadcast(scene) && members.every(({ device }) => device !== undefined);
  return isSure ? verdict : { ...verdict, certainty: 'likely' };
}

function verdictOf({ entry, device }: Member, scene: Scene, verdictAt: (scene: Scene) => Verdict): Verdict {
  const toIfindex = entry.ifindex ?? 0;
  const verdict = verdictAt({ ...scene, to: device, counter: { ...scene.counter, toIfindex } });
  return { ...verdict, key: entry.key, toIfindex, to: device };
}

/** Several fit: which comes first is not known of a hash, nor what they were like then. */
function oneOf(verdicts: readonly Verdict[], { code }: Verdict): Verdict {
  const explanation = `${verdicts.map((verdict) => verdict.explanation).join('; ')}${endsThere}`;
  return likely(code, explanation, { fix: inOrder(...verdicts.map(({ fix }) => fix)) });
}

/** The members that a broadcast is for. */
function eligible({ map, from, program, system }: Scene): Member[] {
  if (map === undefined) return [];
  const exclude = program?.broadcast?.excludeIngress === true;
  return membersOf(map, from, system).filter(({ device }) => !exclude || device === undefined || device !== from);
}

function mapName({ map, counter }: Scene): string {
  return map === undefined ? `map ${counter.mapId}` : `the ${map.type} ${map.name ?? map.id}`;
}
