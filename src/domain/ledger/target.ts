import { errnoName } from '../errno.ts';
import { kernelAtLeast } from '../kernel-version.ts';
import type { LiveDevice, LivePeer } from '../live-system.ts';
import { whyNoXmit } from '../no-xmit.ts';
import { runsEgressEarly } from './early-egress.ts';
import { egressEntry } from './egress-entry.ts';
import { inOrder, makePoll, setMtu, setQueues, setTxQueueLength, setTxRing, setUp } from './fixes.ts';
import { nameOf, type Scene } from './scene.ts';
import { certain, likely, type Verdict } from './verdict.ts';

/** Link header and one VLAN tag, which xdp_ok_fwd_dev() allows beyond the MTU. */
export const beyondMtu = 18;

/** EOPNOTSUPP from the redirect itself (or ENXIO from old drivers): the target cannot transmit redirected frames. */
export function cannotTransmit(scene: Scene): Verdict {
  const { counter, to } = scene;
  const name = nameOf(to, counter.toIfindex);
  if (counter.event !== 'xdp_devmap_xmit' && to?.ndoXmit === 'yes' && to.ndoXmitSg === 'no') {
    const explanation = `${name} transmits redirected frames, but not those of several buffers, as jumbo frames are`;
    return likely('target-no-sg', explanation);
  }
  const state = to?.ndoXmit === 'yes' ? '; it can now' : '';
  const { reason, fix: mending } = whyNoXmit(to);
  const explanation = `${name} could not transmit redirected frames${state}: ${reason}`;
  const fix = to?.ndoXmit === 'yes' ? undefined : mending;
  return to?.ndoXmit === 'no'
    ? certain('target-no-xmit', explanation, { fix })
    : likely('target-no-xmit', explanation, { fix });
}

/** ENETDOWN. */
export function isDown(scene: Scene): Verdict {
  const name = nameOf(scene.to, scene.counter.toIfindex);
  if (scene.to?.up === true) return certain('target-down', `${name} was administratively down; it is up now`);
  return certain('target-down', `${name} is administratively down`, { fix: setUp(scene.to) });
}

/** EMSGSIZE. */
export function exceedsMtu({ counter, from, to }: Scene): Verdict {
  const name = nameOf(to, counter.toIfindex);
  if (to === undefined) return certain('frame-exceeds-mtu', `frames are longer than the MTU of ${name} allows`);
  const needed = Math.max(from?.mtu ?? 0, from?.peer?.mtu ?? 0);
  const explanation =
    `${name} has an MTU of ${to.mtu}, so it takes frames of at most ${to.mtu + beyondMtu} bytes` +
    (needed > to.mtu ? `; ${nameOf(from, counter.fromIfindex)} receives longer ones` : '');
  if (needed <= to.mtu) return certain('frame-exceeds-mtu', explanation);
  const peer = to.peer?.mtu !== undefined && to.peer.mtu < needed ? setMtu(to.peer, needed) : undefined;
  return certain('frame-exceeds-mtu', explanation, { fix: inOrder(setMtu(to, needed), peer) });
}

/** The driver refused the whole bundle: ENXIO, or what others say instead. */
export function notTaken(scene: Scene): Verdict {
  const { counter, to, system } = scene;
  if (errnoName(counter.errno ?? 0) === 'ENXIO' && !kernelAtLeast(system.kernel, '6.3') && lacksXdp(to))
    return cannotTransmit(scene);
  const name = nameOf(to, counter.toIfindex);
  const { peer } = to ?? {};
  if (to?.kind === 'veth') {
    const who = peer === undefined ? 'its peer' : `its peer ${nameOf(peer, peer.ifindex)}`;
    if (peer?.up === false)
      return certain('target-no-carrier', `${name} is a veth, and ${who} is down`, { fix: setUp(peer) });
    return likely('target-no-carrier', `${name} is a veth, and ${who} was down, or had neither GRO nor an XDP program`);
  }
  if (to?.kind === 'tun') {
    const explanation = `no program has ${name} open and reads its queue`;
    return to.carrier === false ? certain('target-no-carrier', explanation) : likely('target-no-carrier', explanation);
  }
  const cpu = counter.cpu === undefined ? {} : { cpu: counter.cpu };
  if (to?.txQueues !== undefined && to.txQueues < system.cpus) {
    const explanation = `${name} has ${to.txQueues} transmit queues for ${system.cpus} CPUs: some have no ring to transmit on`;
    return likely('target-no-carrier', explanation, { fix: setQueues(to, system.cpus), ...cpu });
  }
  return likely(
    'target-no-carrier',
    `the driver of ${name} would not take the frames: no ring, or it is being reset`,
    cpu,
  );
}

/** Before 6.3 nobody asks the device's features first: the driver answers ENXIO while it is not set up for XDP. */
function lacksXdp(to: LiveDevice | undefined): boolean {
  if (to?.kind === 'veth') return to.peer?.up !== false && to.peer?.hasXdp !== true;
  return to !== undefined && to.kind === undefined && to.progIds.length === 0;
}

/** Frames lost without an error: the driver's ring was full, a veth peer's MTU too small, or an egress program dropped. */
export function lostQuietly(scene: Scene): Verdict {
  const { counter, to, system, proof } = scene;
  const name = nameOf(to, counter.toIfindex);
  const byDriver = proof?.kind === 'driver' || runsEgressEarly(system);
  const egress = byDriver ? undefined : egressEntry(scene);
  const smaller = shorterPeer(scene);
  if (egress !== undefined) {
    const program = system.programs.get(egress.progId)?.name ?? `program ${egress.progId}`;
    const explanation = `${program}, in the entry that leads to ${name}, dropped the frames`;
    if (proof?.kind === 'not-driver') return certain('egress-program-drop', explanation, egress);
    const others = smaller ? ', or the peer has a smaller MTU' : ', or the transmit ring was full';
    return likely('egress-program-drop', `${explanation}${others}`, egress);
  }
  if (!byDriver && proof?.kind === 'not-driver') {
    const explanation = `the driver of ${name} did not refuse them, so a program in a devmap entry did, which is gone now`;
    return likely('egress-program-drop', explanation);
  }
  if (smaller !== undefined) {
    const peer = nameOf(smaller.peer, smaller.peer.ifindex);
    const explanation = `${name} is a veth, and its peer ${peer} has an MTU of only ${smaller.peer.mtu}`;
    const verdict = fitsRing(proof) ? certain : likely;
    return verdict('peer-mtu', explanation, { fix: setMtu(smaller.peer, smaller.needed) });
  }
  return ringFull(scene);
}

/** VETH_RING_SIZE (drivers/net/veth.c): as long as fewer frames came in all, the ring of a veth was not full. */
const vethRing = 256;

function fitsRing(proof: Scene['proof']): boolean {
  return proof?.kind === 'driver' && proof.taken !== undefined && proof.taken < vethRing;
}

/** The peer of a veth when frames can come that are too long for it. */
function shorterPeer({ to, from }: Scene): { readonly peer: LivePeer; readonly needed: number } | undefined {
  if (to?.kind !== 'veth' || to.peer?.mtu === undefined) return undefined;
  const needed = Math.max(to.mtu, from?.mtu ?? 0);
  return to.peer.mtu < needed ? { peer: to.peer, needed } : undefined;
}

/** The driver's own word for it, or the likeliest reason where it has none. */
export function ringFull({ counter, to, proof }: Scene): Verdict {
  const explanation = `the transmit ring of ${nameOf(to, counter.toIfindex)} was full${whyFull(to)}`;
  // Its driver says so with an errno of its own, or counts what it did not take for no other reason.
  const proven = (counter.errno ?? 0) !== 0 || (proof?.kind === 'driver' && isVirtual(to));
  return (proven ? certain : likely)('tx-ring-full', explanation, { fix: mendRing(to) });
}

/** Of these drivers it is known that they give frames back when their ring is full, and else only too long ones. */
function isVirtual(to: LiveDevice | undefined): boolean {
  return to?.kind === 'veth' || to?.kind === 'tun';
}

function whyFull(to: LiveDevice | undefined): string {
  if (to?.kind !== 'veth') return '';
  const peer = to.peer === undefined ? 'its peer' : nameOf(to.peer, to.peer.ifindex);
  return `: a veth holds 256 frames, and ${peer} did not take them in time`;
}

function mendRing(to: LiveDevice | undefined): string | undefined {
  if (to?.kind === 'tun') return setTxQueueLength(to, 10_000);
  return to?.kind === undefined && to?.ifname !== 'lo' ? setTxRing(to, 4096) : undefined;
}

/** xdp_bulk_tx: XDP_TX back out of the device that the frame came in by. */
export function hairpin({ counter, from }: Scene): Verdict {
  const name = nameOf(from, counter.fromIfindex);
  const { peer } = from ?? {};
  if (from?.kind !== 'veth') return certain('tx-hairpin-failed', `XDP_TX: ${name} could not send the frames back`);
  const who = peer === undefined ? 'its peer' : `its peer ${nameOf(peer, peer.ifindex)}`;
  const explanation = `XDP_TX: ${name} is a veth, and ${who} was down, had neither GRO nor an XDP program, or was too slow`;
  const up = peer?.up === false ? setUp(peer) : undefined;
  const idle = peer?.hasXdp !== true && (peer?.gro === false || peer?.groPolls === false);
  return certain('tx-hairpin-failed', explanation, { fix: inOrder(up, idle ? makePoll(peer) : undefined) });
}
