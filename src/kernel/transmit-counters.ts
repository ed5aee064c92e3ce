import { littleEndian } from '../domain/byte-order.ts';
import { KernelRefusal } from '../domain/errors.ts';
import type { LiveDevice, LiveNetns } from '../domain/live-system.ts';
import { decodeAttributes } from '../domain/netlink-message.ts';
import type { TransmitCounters } from '../domain/transmit-tally.ts';
import { driverStatistics } from './ethtool.ts';
import { NamespaceSet } from './namespaces.ts';
import { NETLINK_ROUTE, NetlinkSocket } from './netlink.ts';
import { enterNetns } from './netns.ts';

/**
 * What devices have counted of frames that leave through them; of those that are gone, or whose namespace cannot be
 * entered, nothing.
 */
export function readTransmitCounters(devices: readonly LiveDevice[]): ReadonlyMap<LiveDevice, TransmitCounters> {
  const found = new Map<LiveDevice, TransmitCounters>();
  const namespaces = new Map(devices.map(({ netns }): [number, LiveNetns] => [netns.inode, netns]));
  using held = new NamespaceSet([...namespaces.values()]);
  for (const { netns, path } of held.list) {
    const there = devices.filter((device) => device.netns.inode === netns.inode);
    tolerating(() => {
      using _inside = netns.current ? undefined : enterNetns(path);
      using socket = new NetlinkSocket(NETLINK_ROUTE);
      for (const device of there) tolerating(() => found.set(device, readCounters(device, socket)));
    });
  }
  return found;
}

const RTM_NEWSTATS = 92;
const RTM_GETSTATS = 94;
/** struct if_stats_msg: family and padding, u32 ifindex, u32 filter_mask (linux/if_link.h). */
const IF_STATS_MSG = 12;
const IFLA_STATS_LINK_64 = 1;
/** Offsets in struct rtnl_link_stats64. */
const TX_PACKETS = 8;
const TX_DROPPED = 56;

function readCounters({ ifindex, ifname }: LiveDevice, socket: NetlinkSocket): TransmitCounters {
  const body = new Uint8Array(IF_STATS_MSG);
  const view = new DataView(body.buffer);
  view.setUint32(4, ifindex, littleEndian);
  view.setUint32(8, 1 << (IFLA_STATS_LINK_64 - 1), littleEndian);
  const messages = socket.get(RTM_GETSTATS, body, { operation: 'link statistics', facts: { ifindex } });
  const message = messages.find(({ type }) => type === RTM_NEWSTATS);
  const stats = message && decodeAttributes(message.body.subarray(IF_STATS_MSG)).get(IFLA_STATS_LINK_64);
  const read = (offset: number): number =>
    stats === undefined
      ? 0
      : Number(new DataView(stats.buffer, stats.byteOffset, stats.length).getBigUint64(offset, littleEndian));
  return {
    sent: read(TX_PACKETS),
    sendDropped: read(TX_DROPPED),
    driver: driverStatistics(socket.fd, ifname),
  };
}

/** Devices and namespaces come and go. */
function tolerating(read: () => void): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof KernelRefusal)) throw error;
  }
}
