import { noMapId, type DropCounter } from '../drop-counter.ts';
import { errnoNumber } from '../errno.ts';
import type { LiveMap, LiveSystem } from '../live-system.ts';
import { onwardFrom } from '../onward.ts';
import { xdpAction } from '../xdp-action.ts';
import type { Loss, Proof } from './loss.ts';
import { cpumapsWith, egressMaps, sceneOf } from './scene.ts';

/**
 * Takes out frames that the kernel reports twice, leaving them where more is known about them:
 *
 * - many drivers (i40e, ice, ixgbe, mlx5, …) fire xdp_exception with XDP_REDIRECT for a redirect that xdp_redirect_err
 *   has already reported;
 * - a frame that an egress program gives an illegal action is in xdp_exception and in the drops of xdp_devmap_xmit, or,
 *   in generic mode, in kfree_skb;
 * - a full cpumap queue in generic mode is in xdp_cpumap_enqueue and, as ENOSPC, in xdp_redirect_err;
 * - a frame whose redirect by a cpumap program fails is in xdp_redirect_err and in xdp_drop of xdp_cpumap_kthread, and
 *   so is one for which that program fires xdp_exception.
 *
 * What is left is divided by the reports that were taken out: each tells of the frames what the other does not.
 */
export function withoutDoubles(losses: readonly Loss[], system: LiveSystem): Loss[] {
  const pools = losses.map((loss): Pool => ({ loss, counter: loss.counter, left: loss.counter.count, parts: [] }));
  const doubles = pools.filter(({ counter }) => canBeDouble(counter));
  for (const { counter, parts } of pools) {
    const double = doubleOf(counter, system);
    if (double === undefined) continue;
    let rest = counter.count;
    for (const pool of doubles) {
      if (rest === 0) break;
      if (!double(pool.loss)) continue;
      const count = Math.min(rest, pool.left);
      if (count === 0) continue;
      pool.left -= count;
      rest -= count;
      parts.push({ count, double: pool.counter });
    }
  }
  return pools.flatMap(partsOf);
}

interface Pool {
  readonly loss: Loss;
  readonly counter: DropCounter;
  /** Frames that no other report has taken. */
  left: number;
  readonly parts: { readonly count: number; readonly double: DropCounter }[];
}

function partsOf({ loss, counter, left, parts }: Pool): Loss[] {
  const losses: Loss[] = [];
  let rest = left;
  for (const { count: most, double } of parts) {
    const count = Math.min(rest, most);
    if (count === 0) continue;
    losses.push({ ...loss, counter: { ...counter, count }, double });
    rest -= count;
  }
  return rest === 0 ? losses : [...losses, { ...loss, counter: { ...counter, count: rest } }];
}

function canBeDouble({ event, action, errno, field }: DropCounter): boolean {
  return (
    event === 'xdp_cpumap_enqueue' ||
    event === 'kfree_skb' ||
    field === 'xdp_drop' ||
    (event === 'xdp_devmap_xmit' && errno === 0) ||
    (event === 'xdp_exception' && action === xdpAction.redirect)
  );
}

/** Which other losses hold the frames of this one once more. */
function doubleOf(counter: DropCounter, system: LiveSystem): ((other: Loss) => boolean) | undefined {
  const { progId, mapId, mapIndex, fromIfindex, netns } = counter;
  const isRedirectError = counter.event === 'xdp_redirect_err' || counter.event === 'xdp_redirect_map_err';
  const cpumaps = new Set(cpumapsWith(progId, system).map(({ id }) => id));
  if ((isRedirectError || counter.event === 'xdp_exception') && cpumaps.size > 0) {
    return ({ counter: other }) => other.field === 'xdp_drop' && cpumaps.has(other.mapId ?? noMapId);
  }
  if (isRedirectError) {
    if (counter.errno === errnoNumber('ENOSPC') && system.maps.get(mapId ?? noMapId)?.type === 'cpumap') {
      return ({ counter: other }) =>
        other.event === 'xdp_cpumap_enqueue' && other.mapId === mapId && other.toCpu === mapIndex;
    }
    return ({ counter: other }) =>
      other.event === 'xdp_exception' &&
      other.action === xdpAction.redirect &&
      other.fromIfindex === fromIfindex &&
      isSame(other.netns, netns) &&
      other.progId === progId;
  }
  const devmaps = egressMaps(progId, system);
  if (counter.event === 'xdp_exception' && devmaps.length > 0) {
    return ({ counter: other, proof }) =>
      other.toIfindex === fromIfindex &&
      isSame(other.toNetns, netns) &&
      (isFreedByEgress(proof) || (other.event === 'xdp_devmap_xmit' && other.errno === 0)) &&
      canLeadTo(other, devmaps, system);
  }
  return undefined;
}

/** Whether frames can have come through one of the maps; unless the snapshot shows that they cannot, they can. */
function canLeadTo(counter: DropCounter, maps: readonly LiveMap[], system: LiveSystem): boolean {
  const progIds = sceneOf(counter, system).from?.progIds ?? [];
  const onward = onwardFrom(progIds, system);
  const isKnown = progIds.length > 0 && [...onward.progIds].every((id) => system.programs.has(id));
  return !isKnown || onward.maps.some(({ id }) => maps.some((map) => map.id === id));
}

function isFreedByEgress(proof: Proof | undefined): boolean {
  return proof?.kind === 'skb' && proof.fate === 'egress-program';
}

/** Network namespaces, which not every tracer knows. */
function isSame(one: number | undefined, other: number | undefined): boolean {
  return one === undefined || other === undefined || one === other;
}
