import type { DropCounter } from '../drop-counter.ts';
import type { Evidence } from '../evidence.ts';
import type { LiveSystem } from '../live-system.ts';
import { type Hop, hopsOf } from './hop.ts';

/*
 * The kernel throws away many frames that have become an skb; few of them were redirected. Those are known by where it
 * happened: at the receiving end of a target, or, in generic mode, in the functions through which a redirect goes.
 */

/** Reasons that the stack of the receiver gives. */
const receiverReasons: ReadonlySet<string> = new Set(['UDP_CSUM', 'TCP_CSUM', 'OTHERHOST']);

/** Frees what an egress program did not pass, in generic mode; the frame is still at the device it came in by. */
const egressFunctions: ReadonlySet<string> = new Set(['dev_map_generic_redirect', 'dev_map_redirect_clone']);

/** Frees what the peer of a veth does not take. */
const forwardFunctions: ReadonlySet<string> = new Set(['__dev_forward_skb', '__dev_forward_skb2', 'veth_xmit']);

/** Frees what the ring of a veth has no room for, when the frame is at its peer already. */
const ringFunctions: ReadonlySet<string> = new Set(['veth_xmit', 'dev_kfree_skb_any_reason']);

/** What befell a redirected frame that had become an skb. */
export type SkbFate = 'bad-checksum' | 'other-host' | 'egress-program' | 'not-forwarded' | 'ring-full';

/** A counter of `kfree_skb` with the way that its frames had taken. */
export interface FreedSkbs {
  readonly counter: DropCounter;
  readonly fate: SkbFate;
  readonly hop: Hop;
}

/** What a counter of `kfree_skb` has to do with a redirect; undefined: nothing that the snapshot shows. */
export function freedSkbs(counter: DropCounter, system: LiveSystem, evidence: Evidence): FreedSkbs | undefined {
  const { reason = '', where } = counter;
  if (receiverReasons.has(reason)) {
    const hops = hopsOf(system).filter(({ to }) => isPeerOf(to.peer, counter));
    return placed(counter, reason === 'OTHERHOST' ? 'other-host' : 'bad-checksum', hops);
  }
  const generic = hopsOf(system).filter((hop) => hop.generic);
  const egress = generic.filter(({ from, entry }) => isAt(from, counter) && entry.progId !== undefined);
  const forwarding = generic.filter(({ to }) => to.kind === 'veth' && isAt(to, counter));
  const arriving = generic.filter(({ to }) => to.kind === 'veth' && isPeerOf(to.peer, counter));
  // Only now, because looking the function up takes time.
  if (where === undefined || egress.length + forwarding.length + arriving.length === 0) return undefined;
  const name = evidence.functionAt?.(where) ?? '';
  if (egressFunctions.has(name)) return placed(counter, 'egress-program', egress);
  if (forwardFunctions.has(name) && forwarding.length > 0) return placed(counter, 'not-forwarded', forwarding);
  return ringFunctions.has(name) ? placed(counter, 'ring-full', arriving) : undefined;
}

/** The counter with what is the same of all ways that its frames can have taken. */
function placed(counter: DropCounter, fate: SkbFate, hops: readonly Hop[]): FreedSkbs | undefined {
  const [hop] = hops;
  if (hop === undefined) return undefined;
  const { fromIfindex: _from, netns: _netns, ...rest } = counter;
  const one = (read: (hop: Hop) => object): boolean => new Set(hops.map(read)).size === 1;
  const origin = one(({ from }) => from) ? { fromIfindex: hop.from.ifindex, netns: hop.from.netns.inode } : {};
  return {
    fate,
    hop,
    counter: {
      ...rest,
      ...origin,
      ...(one(({ to }) => to) && { toIfindex: hop.to.ifindex, toNetns: hop.to.netns.inode }),
      ...(one(({ map }) => map) && { mapId: hop.map.id }),
      ...(one(({ program }) => program) && { progId: hop.program.id }),
    },
  };
}

function isAt(
  { ifindex, netns }: { readonly ifindex: number; readonly netns: { readonly inode: number } },
  counter: DropCounter,
): boolean {
  return ifindex === counter.fromIfindex && (counter.netns === undefined || netns.inode === counter.netns);
}

function isPeerOf(peer: Hop['to']['peer'], counter: DropCounter): boolean {
  if (peer === undefined || peer.ifindex !== counter.fromIfindex) return false;
  return counter.netns === undefined || peer.netns === undefined || peer.netns.inode === counter.netns;
}
