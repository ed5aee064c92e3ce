import type { DropCode } from './drop-catalogue.ts';
import type { Certainty } from './finding.ts';
import { inOrder, setMtu, setUp } from './ledger/fixes.ts';
import { nameOf } from './ledger/scene.ts';
import type { LiveDevice } from './live-system.ts';
import { whyNoXmit } from './no-xmit.ts';

/** Something about a target because of which frames redirected to it are lost. */
export interface TargetProblem {
  readonly code: DropCode;
  /** `certain` where every frame is lost, or every frame that is too long; `likely` where it depends on the driver. */
  readonly certainty: Certainty;
  readonly sentence: string;
  /** A command to type, quoted for the shell; absent where nothing mends it, or it cannot be typed from here. */
  readonly fix?: string;
}

/** How frames come to the target, as far as that is known. */
export interface Approach {
  /** The mode in which the redirecting program is attached; native when absent. */
  readonly mode?: 'native' | 'generic';
  /** MTU of the device the frames come in by: they may be as long as that. */
  readonly ingressMtu?: number;
}

/**
 * Larger frames do not fit the page that most drivers receive into, less headroom and tailroom, and come in several
 * buffers (veth_xdp_rcv_one: PAGE_SIZE - XDP_PACKET_HEADROOM - sizeof(struct skb_shared_info)).
 */
export const ONE_BUFFER_MTU = 3498;

/** Why frames that are redirected to a device would be lost now; nothing for a device that can receive. */
export function targetProblems(target: LiveDevice, approach: Approach = {}): TargetProblem[] {
  const native = (approach.mode ?? 'native') === 'native';
  return [
    ...(native ? transmission(target, approach) : []),
    ...(target.up ? carrier(target) : [down(target)]),
    ...lengths(target, approach),
  ].map(({ fix, ...rest }) => ({ ...rest, ...(fix !== undefined && { fix }) }));
}

interface Problem extends Omit<TargetProblem, 'fix'> {
  readonly fix?: string | undefined;
}

function transmission(target: LiveDevice, { ingressMtu = 0 }: Approach): Problem[] {
  const name = nameOf(target, target.ifindex);
  if (target.ndoXmit === 'no') {
    const { reason, fix } = whyNoXmit(target);
    const sentence = `${name} cannot transmit redirected frames: ${reason}`;
    return [{ code: 'target-no-xmit', certainty: 'certain', sentence, fix }];
  }
  if (target.ndoXmitSg === 'no' && target.ndoXmit === 'yes' && ingressMtu > ONE_BUFFER_MTU) {
    const sentence = `${name} transmits redirected frames, but not those of several buffers, as frames of an MTU of ${ingressMtu} may be`;
    return [{ code: 'target-no-sg', certainty: 'likely', sentence }];
  }
  return [];
}

function down(target: LiveDevice): Problem {
  const sentence = `${nameOf(target, target.ifindex)} is administratively down`;
  return { code: 'target-down', certainty: 'certain', sentence, fix: setUp(target) };
}

function carrier(target: LiveDevice): Problem[] {
  const { kind, peer } = target;
  if (target.carrier !== false) return [];
  const name = nameOf(target, target.ifindex);
  if (kind === 'veth' && peer?.up === false) {
    const sentence = `${name} is a veth, and its peer ${nameOf(peer, peer.ifindex)} is down`;
    return [{ code: 'target-no-carrier', certainty: 'certain', sentence, fix: setUp(peer) }];
  }
  if (kind === 'tun') {
    return [
      { code: 'target-no-carrier', certainty: 'certain', sentence: `no program has ${name} open and reads its queue` },
    ];
  }
  return [{ code: 'target-no-carrier', certainty: 'likely', sentence: `${name} has no carrier` }];
}

/** Frames as long as the ingress device lets in; when that is unknown, as long as the target takes. */
function lengths(target: LiveDevice, { ingressMtu }: Approach): Problem[] {
  const { mtu, peer } = target;
  const name = nameOf(target, target.ifindex);
  const longest = ingressMtu ?? mtu;
  const peerIsShort = target.kind === 'veth' && peer?.mtu !== undefined && peer.mtu < longest;
  const fixPeer = peerIsShort ? setMtu(peer, longest) : undefined;
  if (longest > mtu) {
    const sentence = `${name} has an MTU of ${mtu}, and frames of up to ${longest} may come`;
    return [
      { code: 'frame-exceeds-mtu', certainty: 'certain', sentence, fix: inOrder(setMtu(target, longest), fixPeer) },
    ];
  }
  if (!peerIsShort) return [];
  const sentence = `${name} is a veth with an MTU of ${mtu}, and its peer ${nameOf(peer, peer.ifindex)} has only ${peer.mtu}`;
  return [{ code: 'peer-mtu', certainty: 'certain', sentence, fix: fixPeer }];
}
