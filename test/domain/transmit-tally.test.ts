import { describe, expect, it } from 'vitest';

import { type TransmitCounters, transmitTally } from '../../src/domain/transmit-tally.ts';

function counters(sent: number, sendDropped: number, driver: Readonly<Record<string, number>>): TransmitCounters {
  return { sent, sendDropped, driver: new Map(Object.entries(driver)) };
}

describe('what a device counted of redirected frames', () => {
  it('is exact of a veth, over all its queues', () => {
    const before = counters(10, 0, { tx_queue_0_xdp_xmit: 5, tx_queue_0_xdp_xmit_errors: 1, rx_queue_0_xdp_drops: 2 });
    const after = counters(40, 9, {
      tx_queue_0_xdp_xmit: 20,
      tx_queue_0_xdp_xmit_errors: 4,
      tx_queue_1_xdp_xmit: 15,
      tx_queue_1_xdp_xmit_errors: 6,
      rx_queue_0_xdp_drops: 50,
    });
    expect(transmitTally(before, after)).toEqual({ refused: 9, exact: true, taken: 30, sent: 30 });
  });

  it('is what a tap says by its dropped frames', () => {
    expect(transmitTally(counters(0, 3, {}), counters(0, 7, {}))).toEqual({ refused: 4, exact: false });
  });

  it('is what other drivers call it, and not what they dropped on reception', () => {
    const names = {
      tx_xdp_tx_drops: 1,
      tx_xdp_full: 1,
      xdp_tx_err: 1,
      rx_xdp_drops: 1,
      rx_xdp_tx_full: 1,
      tx_errors: 1,
    };
    expect(transmitTally(counters(0, 0, {}), counters(0, 0, names))).toEqual({ refused: 3, exact: false });
  });
});
