import type { Finding } from './finding.ts';
import { setMtu } from './ledger/fixes.ts';
import { nameOf } from './ledger/scene.ts';
import { beyondMtu } from './ledger/target.ts';
import type { LiveDevice, LiveSystem } from './live-system.ts';

/** What a test knows of its frames, and `debug drops` does not. */
export interface TrialFacts {
  readonly system: LiveSystem;
  /** Bytes of a frame. */
  readonly size: number;
  /** By how much the counters of refused frames of the targets rose, by ifindex; absent where a driver has none. */
  readonly refused: ReadonlyMap<number, number>;
}

/**
 * Tells frames apart that were lost without an error between the redirect and the wire: a program in the entry, a veth
 * peer's MTU, a full ring. The size of the frames is known, and whether the driver counted any as refused.
 */
export function refineQuietLoss(finding: Finding, { system, size, refused }: TrialFacts): Finding {
  const { event, errno, to } = finding;
  if (event !== 'xdp_devmap_xmit' || errno !== undefined || to === undefined) return finding;
  const device = system.devices.find(({ ifindex, ifname }) => ifindex === to.ifindex && ifname === to.ifname);
  const byDriver = refused.get(to.ifindex);
  if (finding.code === 'egress-program-drop' && byDriver === 0) {
    const { explanation } = finding;
    // The driver has refused none, which leaves the program.
    return {
      ...finding,
      certainty: 'certain',
      explanation: explanation.replace(/ dropped the frames,.*/, ' dropped the frames'),
    };
  }
  if (isTooLong(device, size) && device?.peer !== undefined && (byDriver ?? 1) > 0) {
    const peer = nameOf(device.peer, device.peer.ifindex);
    const fix = setMtu(device.peer, Math.max(device.mtu, size - beyondMtu));
    return {
      ...finding,
      code: 'peer-mtu',
      certainty: 'certain',
      explanation: `${nameOf(device, to.ifindex)} is a veth, and its peer ${peer} has an MTU of only ${device.peer.mtu}, too little for frames of ${size} bytes`,
      ...(fix !== undefined && { fix }),
    };
  }
  if (byDriver !== undefined && byDriver >= finding.count && finding.code !== 'tx-ring-full') {
    const { fix: _, ...rest } = finding;
    const explanation = `the transmit ring of ${nameOf(device, to.ifindex)} was full`;
    return { ...rest, code: 'tx-ring-full', certainty: 'certain', explanation };
  }
  return finding;
}

function isTooLong(device: LiveDevice | undefined, size: number): boolean {
  return device?.kind === 'veth' && device.peer?.mtu !== undefined && size > device.peer.mtu + beyondMtu;
}
