import type { Ability, LivePeer } from './live-system.ts';

/** What is known of a device without asking for its XDP features. */
export interface XmitSigns {
  readonly ifname: string;
  /** rtnetlink's IFLA_INFO_KIND. */
  readonly kind?: string;
  /** Whether its driver runs an XDP program. */
  readonly nativeProgram: boolean;
  /** The other end of a veth pair. */
  readonly peer?: Pick<LivePeer, 'gro' | 'groPolls' | 'hasXdp'>;
}

/** Virtual devices whose drivers implement ndo_xdp_xmit; all others of a known kind never have. */
const transmittingKinds: ReadonlySet<string> = new Set(['veth', 'tun', 'bond']);

/**
 * Whether a device transmits redirected frames now, as far as its kind and driver tell: for kernels before 6.3, which
 * have no features to ask for. Of multi-buffer frames nothing is said: those kernels never redirect them to a device.
 */
export function guessNdoXmit({ ifname, kind, nativeProgram, peer }: XmitSigns): Ability {
  if (ifname === 'lo') return 'no';
  if (kind === 'tun') return 'yes';
  if (kind === 'veth') {
    const gro = peer?.groPolls === false ? false : peer?.gro;
    if (gro === true || peer?.hasXdp === true) return 'yes';
    return gro === false && peer?.hasXdp === false ? 'no' : 'unknown';
  }
  if (kind !== undefined && !transmittingKinds.has(kind)) return 'no';
  // Drivers of hardware set the rings up together with a program of their own; some have them always.
  return nativeProgram ? 'yes' : 'unknown';
}
