import { readStatistics } from './ethtool-statistics.ts';
import { NETLINK_ROUTE, NetlinkSocket } from './netlink.ts';

/** Drivers count redirected frames that they could not transmit as `tx_queue_0_xdp_xmit_errors`, `tx_xdp_xmit_err`, … */
const refusal = /xdp_?(?:xmit|tx)_?(?:err|full|drop)/;

/**
 * How many redirected frames the drivers of devices could not transmit so far, by ifindex; without those that do not
 * count them.
 *
 * @param devices of the current network namespace
 */
export function refusedFrames(
  devices: readonly { readonly ifindex: number; readonly ifname: string }[],
): ReadonlyMap<number, number> {
  using socket = new NetlinkSocket(NETLINK_ROUTE);
  const refused = new Map<number, number>();
  for (const { ifindex, ifname } of devices) {
    const counters = [...readStatistics(socket.fd, ifname)].filter(([name]) => refusal.test(name));
    if (counters.length > 0)
      refused.set(
        ifindex,
        counters.reduce((sum, [, count]) => sum + count, 0),
      );
  }
  return refused;
}
