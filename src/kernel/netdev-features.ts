import { littleEndian } from '../domain/byte-order.ts';
import { KernelRefusal } from '../domain/errors.ts';
import { decodeU32, encodeU32 } from '../domain/netlink-message.ts';
import { ENODEV } from './check.ts';
import { GenericNetlink } from './generic-netlink.ts';

/** What a driver can do for XDP now (enum netdev_xdp_act, linux/netdev.h). */
export interface XdpFeatures {
  /** XDP_ABORTED, DROP, PASS and TX. */
  readonly basic: boolean;
  readonly redirect: boolean;
  /** Transmits frames that others redirect to it. */
  readonly ndoXmit: boolean;
  readonly zeroCopy: boolean;
  readonly offload: boolean;
  /** Receives, and transmits, frames of several buffers. */
  readonly rxSg: boolean;
  readonly ndoXmitSg: boolean;
  /** Most fragments of a frame in zero-copy mode. */
  readonly zeroCopySegments?: number;
}

const NETDEV_CMD_DEV_GET = 1;
const NETDEV_A_DEV_IFINDEX = 1;
const NETDEV_A_DEV_XDP_FEATURES = 3;
const NETDEV_A_DEV_XDP_ZC_MAX_SEGS = 4;

/**
 * The XDP features of all devices of the current network namespace, by ifindex; undefined before Linux 6.3, which does
 * not tell.
 *
 * @throws KernelRefusal `genl netdev`
 */
export function readXdpFeatures(): ReadonlyMap<number, XdpFeatures> | undefined {
  using netdev = GenericNetlink.open('netdev');
  return netdev && new Map(netdev.dump(NETDEV_CMD_DEV_GET).flatMap(decodeFeatures));
}

/** Those of one device; undefined when there is no such device, or the kernel does not tell. */
export function readXdpFeaturesOf(ifindex: number): XdpFeatures | undefined {
  using netdev = GenericNetlink.open('netdev');
  try {
    const devices = netdev?.get(NETDEV_CMD_DEV_GET, [{ type: NETDEV_A_DEV_IFINDEX, payload: encodeU32(ifindex) }]);
    return devices?.flatMap(decodeFeatures)[0]?.[1];
  } catch (error) {
    if (error instanceof KernelRefusal && error.errno === ENODEV) return undefined;
    throw error;
  }
}

/** The features that a message tells of a device; empty when it does not. */
export function decodeFeatures(attributes: ReadonlyMap<number, Uint8Array>): [number, XdpFeatures][] {
  const ifindex = decodeU32(attributes.get(NETDEV_A_DEV_IFINDEX));
  const bits = attributes.get(NETDEV_A_DEV_XDP_FEATURES);
  if (ifindex === undefined || bits === undefined || bits.length < 8) return [];
  // The high half of the 64 bits is not in use.
  const mask = new DataView(bits.buffer, bits.byteOffset).getUint32(littleEndian ? 0 : 4, littleEndian);
  const segments = decodeU32(attributes.get(NETDEV_A_DEV_XDP_ZC_MAX_SEGS));
  const features: XdpFeatures = {
    basic: (mask & 1) !== 0,
    redirect: (mask & 2) !== 0,
    ndoXmit: (mask & 4) !== 0,
    zeroCopy: (mask & 8) !== 0,
    offload: (mask & 16) !== 0,
    rxSg: (mask & 32) !== 0,
    ndoXmitSg: (mask & 64) !== 0,
    ...(segments !== undefined && { zeroCopySegments: segments }),
  };
  return [[ifindex, features]];
}
