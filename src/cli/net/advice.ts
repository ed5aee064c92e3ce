import { attachGeneric, bindCopying } from '../../domain/ledger/fixes.ts';
import type { LiveDevice } from '../../domain/live-system.ts';
import { whyNoXmit } from '../../domain/no-xmit.ts';
import { ONE_BUFFER_MTU } from '../../domain/target-health.ts';
import type { XdpFeatures } from '../../kernel/netdev-features.ts';

/** Why a device cannot do something, and what mends it. */
export interface FeatureAdvice {
  /** As enum netdev_xdp_act has it. */
  readonly feature: 'basic' | 'ndo_xmit' | 'ndo_xmit_sg' | 'xsk_zerocopy';
  readonly reason: string;
  /** A command to type, quoted for the shell; absent where nothing mends it. */
  readonly fix?: string;
}

/** What to do about each "no" of a device. */
export function adviceFor(device: LiveDevice, features: XdpFeatures | undefined): FeatureAdvice[] {
  const { nativeXdp, ndoXmit, ndoXmitSg } = device;
  return [
    ...(nativeXdp === false ? [noNativeMode(device)] : []),
    ...(ndoXmit === 'no' ? [noXmit(device)] : []),
    ...(ndoXmit === 'yes' && ndoXmitSg === 'no' ? [noSegments()] : []),
    ...(features?.basic === true && !features.zeroCopy ? [noZeroCopy(device)] : []),
  ];
}

function noNativeMode(device: LiveDevice): FeatureAdvice {
  if (device.kind === 'veth') return { ...noXmit(device), feature: 'basic' };
  return {
    feature: 'basic',
    reason: 'its driver runs no XDP programs; generic mode does, more slowly',
    fix: attachGeneric(device),
  };
}

function noXmit(device: LiveDevice): FeatureAdvice {
  const { reason, fix } = whyNoXmit(device);
  return { feature: 'ndo_xmit', reason, ...(fix !== undefined && { fix }) };
}

function noSegments(): FeatureAdvice {
  return {
    feature: 'ndo_xmit_sg',
    reason: `frames of several buffers cannot be redirected to it: keep the MTU of where they arrive at ${ONE_BUFFER_MTU} or less`,
  };
}

function noZeroCopy(device: LiveDevice): FeatureAdvice {
  return {
    feature: 'xsk_zerocopy',
    reason: 'its driver has no zero-copy for AF_XDP sockets; copy mode works with every driver',
    fix: bindCopying(device),
  };
}
