import { attachPass, inOrder, makePoll, setTxQueues, setUp, switchGroOff, switchGroOn } from './ledger/fixes.ts';
import { nameOf } from './ledger/scene.ts';
import type { LiveDevice, LivePeer } from './live-system.ts';
import { lacksXdpQueues } from './xdp-queues.ts';

/** Why a device does not transmit redirected frames, and what mends it. */
export interface NoXmit {
  /** A sentence about the device, without its name. */
  readonly reason: string;
  /** Absent where nothing does, or it cannot be typed from here. */
  readonly fix?: string | undefined;
}

/** For a device without NDO_XMIT; undefined: nothing is known of the device. */
export function whyNoXmit(device: LiveDevice | undefined): NoXmit {
  if (device === undefined) return { reason: 'why cannot be told, because it is gone or may not be looked at' };
  if (device.kind === 'veth') return vethNoXmit(device);
  if (isVirtual(device)) {
    const kind = device.kind === undefined ? '' : ` (${device.kind})`;
    return { reason: `a device of this kind${kind} never does, only generic mode reaches it` };
  }
  return {
    reason: 'several drivers do so only while an XDP program is attached to the device itself',
    fix: attachPass(device),
  };
}

/**
 * A veth transmits to a peer that polls with NAPI: one with an XDP program, or since Linux 5.13 with GRO. Each time the peer is opened or its
 * GRO is switched while it is up, the kernel looks at that anew (veth_set_xdp_features, drivers/net/veth.c).
 */
function vethNoXmit(device: LiveDevice): NoXmit {
  const { peer, rxQueues, nativeXdp } = device;
  if (peer === undefined) return { reason: 'it is a veth, and its peer needs GRO or an XDP program for that' };
  const who = `its peer ${nameOf(peer, peer.ifindex)}`;
  const gro = peer.groPolls === false ? false : peer.gro;
  const polls = gro === true || peer.hasXdp === true;
  if (nativeXdp === false && rxQueues !== undefined && lacksXdpQueues(device)) {
    return {
      reason: `it is a veth with ${rxQueues} receive queue${rxQueues === 1 ? '' : 's'}, fewer than ${who} has transmit queues (${peer.txQueues}), and so has no XDP`,
      fix: inOrder(setTxQueues(peer, rxQueues), polls ? undefined : pollAgain(peer)),
    };
  }
  if (gro === true) {
    const when = peer.up === false ? 'is down' : 'had it switched on while it was down';
    return {
      reason: `it is a veth, and ${who} has GRO on, but ${when}, which the kernel does not notice`,
      fix: inOrder(peer.up === false ? setUp(peer) : undefined, switchGroOff(peer), switchGroOn(peer)),
    };
  }
  if (peer.groPolls === false) {
    const lacks = peer.hasXdp === false ? 'has no XDP program' : 'may have no XDP program';
    const reason = `it is a veth, and ${who} ${lacks}; before Linux 5.13 GRO is not enough`;
    return { reason, fix: pollAgain(peer) };
  }
  const known = peer.gro === false && peer.hasXdp === false;
  const reason = known
    ? `it is a veth, and ${who} has neither GRO on nor an XDP program`
    : `it is a veth, and ${who} needs GRO or an XDP program for that`;
  return { reason, fix: pollAgain(peer) };
}

/** GRO on, or a program where that is not enough; only a peer that is up is looked at when it is switched. */
function pollAgain(peer: LivePeer): string | undefined {
  return inOrder(peer.up === false ? setUp(peer) : undefined, makePoll(peer));
}

/** Hardware has no kind; lo has none either. tun, tap and virtio do transmit redirected frames. */
function isVirtual(device: LiveDevice): boolean {
  return device.ifname === 'lo' || (device.kind !== undefined && !['veth', 'tun'].includes(device.kind));
}
