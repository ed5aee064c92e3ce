import { causes } from './cause.ts';

/** Lost on the way back, in the generic path, or after the redirect has done its work. */
export const elsewhere = causes([
  {
    code: 'tx-hairpin-failed',
    summary: 'XDP_TX back out of the same interface failed',
    explanation:
      'XDP_TX sends the frame back through the device it came in by. Its driver would not take it: the other end of a ' +
      'veth is down or has neither GRO nor an XDP program, or the transmit ring is full.',
    signals: [
      { event: 'xdp_bulk_tx', field: 'drops', mode: 'native' },
      { event: 'xdp_exception', action: 'TX', mode: 'native' },
    ],
    functions: ['veth_xdp_flush_bq', 'veth_xdp_tx'],
    fix: 'veth: `ethtool -K PEER gro on`, `ip link set dev PEER up`; NIC: larger transmit ring, `ethtool -G DEV tx N`',
  },
  {
    code: 'tx-queue-stopped',
    summary: "generic mode: the target's queue was stopped",
    explanation:
      "In generic mode the frame goes to the target's transmit queue without a queueing discipline; a queue that the " +
      'driver has stopped loses it. The event names the target as device, and the program that redirected.',
    signals: [{ event: 'xdp_exception', action: 'TX', mode: 'generic' }],
    functions: ['generic_xdp_tx'],
    fix: 'native mode; or fewer frames, a longer ring: `ethtool -G DEV tx N`',
  },
  {
    code: 'delivered-bad-checksum',
    summary: "the redirect worked; the receiver's stack then dropped it (bad checksum)",
    explanation:
      'A sender with checksum offload leaves the checksum to the device (CHECKSUM_PARTIAL). Native redirect does not ' +
      'carry that promise along: the receiver sees a wrong checksum.',
    signals: [
      { event: 'kfree_skb', reason: 'UDP_CSUM' },
      { event: 'kfree_skb', reason: 'TCP_CSUM' },
    ],
    functions: ['udp_recvmsg', 'udp_queue_rcv_one_skb', 'tcp_v4_rcv'],
    fix: '`ethtool -K SENDER tx off` where the sender is',
    versions: ['drop reasons exist since 5.17'],
  },
  {
    code: 'delivered-other-host',
    summary: "the redirect worked; the receiver's stack then dropped it (not its MAC address)",
    explanation:
      'A redirect does not change the Ethernet header: the receiver takes the frame for one that is meant for ' +
      'somebody else.',
    signals: [{ event: 'kfree_skb', reason: 'OTHERHOST' }],
    functions: ['ip_rcv_core', 'ip6_rcv_core'],
    fix: 'rewrite the destination address: `xdpctl redirect attach DEV --to TARGET --dst-mac MAC`',
    versions: ['drop reasons exist since 5.17'],
  },
  {
    code: 'unknown',
    summary: 'seen, and not understood: the numbers are shown',
    explanation: 'The kernel reported a loss in a way that this catalogue does not know.',
    signals: [],
    functions: [],
    fix: "look at the event's numbers, and at the driver's own counters: `ethtool -S DEV`",
  },
]);
