import { inNetns } from '../../../../src/kernel/netns.ts';
import { PacketSocket } from '../../../support/packet-socket.ts';
import { tool } from '../../../support/tool.ts';
import { forward, type LossCase, withoutReasons } from '../loss-case.ts';
import type { LossyPath } from '../lossy-path.ts';

const SINK_ADDRESS = [192, 0, 2, 1];

/** An Ethernet frame with a UDP datagram to the sink whose checksum is wrong. */
function datagram(mac: string): Uint8Array {
  const frame = new Uint8Array(60);
  frame.set(mac.split(':').map((byte) => Number.parseInt(byte, 16)));
  frame.set([2, 0, 0, 0, 0, 1, 0x08, 0x00], 6);
  const header = [0x45, 0, 0, 46, 0, 1, 0, 0, 64, 17, 0, 0, 192, 0, 2, 2, ...SINK_ADDRESS];
  const sum = header.reduce((total, byte, index) => total + (index % 2 === 0 ? byte << 8 : byte), 0);
  const checksum = ~((sum & 0xffff) + (sum >> 16)) & 0xffff;
  frame.set(header, 14);
  frame.set([checksum >> 8, checksum & 0xff], 24);
  // Ports 4000 and 4001, length 26, and a checksum that fits nothing.
  frame.set([0x0f, 0xa0, 0x0f, 0xa1, 0, 26, 0xba, 0xad], 34);
  return frame;
}

function send({ source }: LossyPath, frame: Uint8Array, count: number): void {
  inNetns(source.namespace ?? '', () => {
    using socket = new PacketSocket(source.name);
    for (let sent = 0; sent < count; sent += 1) socket.send(frame);
  });
}

function prepare(path: LossyPath): void {
  forward(path);
  const { namespace = '', name } = path.sink;
  tool('ip', ['-n', namespace, 'address', 'add', `${SINK_ADDRESS.join('.')}/24`, 'dev', name]);
}

/** Frames that arrive, and that the receiver's stack drops. */
export const receiver: readonly LossCase[] = [
  {
    code: 'delivered-bad-checksum',
    how: 'datagrams with a wrong checksum',
    count: 29,
    program: 'forward',
    breakIt: prepare,
    send: (path) => send(path, datagram(path.sink.mac), 29),
    finding: (path) => ({
      certainty: 'certain',
      event: 'kfree_skb',
      fix: `ip netns exec ${path.source.namespace} ethtool -K ${path.source.name} tx off`,
    }),
    blind: withoutReasons,
  },
  {
    code: 'delivered-other-host',
    how: 'another MAC address as destination',
    count: 30,
    program: 'forward',
    breakIt: prepare,
    send: (path) => send(path, datagram('02:00:00:00:00:99'), 30),
    finding: () => ({ certainty: 'certain', event: 'kfree_skb' }),
    blind: withoutReasons,
  },
];
