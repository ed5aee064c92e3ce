/** What a device counted so far, as far as it tells of redirected frames. */
export interface TransmitCounters {
  /** IFLA_STATS_LINK_64. */
  readonly sent: number;
  readonly sendDropped: number;
  /** The driver's own counters (ethtool -S). */
  readonly driver: ReadonlyMap<string, number>;
}

/** What a device counted of redirected frames: see DeviceTally. */
export interface TransmitTally {
  readonly refused: number;
  readonly exact: boolean;
  readonly taken?: number;
  readonly sent?: number;
}

/** veth counts for each queue what others redirect to it (veth_xdp_xmit(), drivers/net/veth.c; from Linux 5.8). */
const vethTaken = /^tx_queue_\d+_xdp_xmit$/;
const vethRefused = /^tx_queue_\d+_xdp_xmit_errors$/;

/** How drivers of hardware call frames that they could not redirect: `tx_xdp_full`, `xdp_tx_err`, `xdp_xmit_drops`, … */
const likelyRefused = /^(?!rx).*(?:xdp_?(?:tx|xmit)|tx.*xdp).*(?:err|drop|full|fail)/i;

/** What a device counted between two readings. */
export function transmitTally(before: TransmitCounters, after: TransmitCounters): TransmitTally {
  const grown = (pattern: RegExp): number => sumOf(after.driver, pattern) - sumOf(before.driver, pattern);
  if ([...after.driver.keys()].some((name) => vethRefused.test(name))) {
    return { refused: grown(vethRefused), exact: true, taken: grown(vethTaken), sent: after.sent - before.sent };
  }
  // tun counts one frame of each bundle that it could not take whole (tun_xdp_xmit(), drivers/net/tun.c).
  return { refused: after.sendDropped - before.sendDropped + grown(likelyRefused), exact: false };
}

function sumOf(counters: ReadonlyMap<string, number>, pattern: RegExp): number {
  let sum = 0;
  for (const [name, value] of counters) if (pattern.test(name)) sum += value;
  return sum;
}
