import { littleEndian } from './byte-order.ts';
import type { DropCode } from './drop-catalogue.ts';

/** What the kernel counts at an AF_XDP socket since it was opened (struct xdp_statistics, linux/if_xdp.h). */
export interface XskStatistics {
  /** Lost for another reason than a full RX ring: no buffer in the fill ring, or a frame too large for one. */
  readonly rx_dropped: number;
  readonly rx_invalid_descs: number;
  readonly tx_invalid_descs: number;
  /** Lost because the RX ring was full; before Linux 5.9 part of rx_dropped. */
  readonly rx_ring_full: number;
  /** How often a buffer was wanted and the fill ring was empty. */
  readonly rx_fill_ring_empty_descs: number;
  readonly tx_ring_empty_descs: number;
}

/** sizeof(struct xdp_statistics); 24 before Linux 5.9. */
export const XSK_STATISTICS_SIZE = 48;

/** Decodes what getsockopt gave; fields that an older kernel does not have are 0. */
export function decodeXskStatistics(bytes: Uint8Array): XskStatistics {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const field = (index: number): number =>
    (index + 1) * 8 <= bytes.length ? Number(view.getBigUint64(index * 8, littleEndian)) : 0;
  return {
    rx_dropped: field(0),
    rx_invalid_descs: field(1),
    tx_invalid_descs: field(2),
    rx_ring_full: field(3),
    rx_fill_ring_empty_descs: field(4),
    tx_ring_empty_descs: field(5),
  };
}

/** What a socket has counted when it is opened. */
export const noXskStatistics: XskStatistics = decodeXskStatistics(new Uint8Array());

/** What was counted between two readings. */
export function xskStatisticsSince(earlier: XskStatistics, later: XskStatistics): XskStatistics {
  return Object.fromEntries(
    Object.entries(later).map(([name, count]) => [name, (count as number) - earlier[name as keyof XskStatistics]]),
  ) as unknown as XskStatistics;
}

/** Frames lost at a socket for one reason. */
export interface XskLoss {
  readonly code: Extract<DropCode, `xsk-${string}`>;
  readonly count: number;
}

/**
 * Why frames were lost at the socket. In copy mode rx_dropped counts both missing buffers and frames that are too large;
 * the empty fill ring is counted once more by itself, which tells them apart (xsk_rcv, __xsk_rcv). With zero-copy a
 * driver that finds the fill ring empty leaves the frame to the NIC, whose own counters count it.
 */
export function xskLosses(statistics: XskStatistics, zeroCopy: boolean): XskLoss[] {
  const { rx_dropped: dropped, rx_ring_full: ringFull, rx_fill_ring_empty_descs: empty } = statistics;
  const fillEmpty = zeroCopy ? 0 : Math.min(empty, dropped);
  const losses: XskLoss[] = [
    { code: 'xsk-rx-ring-full', count: ringFull },
    { code: 'xsk-fill-ring-empty', count: fillEmpty },
    { code: 'xsk-frame-too-large', count: dropped - fillEmpty },
  ];
  return losses.filter(({ count }) => count > 0).sort((a, b) => b.count - a.count);
}

/** How many frames the kernel had for the socket and could not give it. */
export function xskLost({ rx_dropped: dropped, rx_ring_full: ringFull }: XskStatistics): number {
  return dropped + ringFull;
}
