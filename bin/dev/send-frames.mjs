/**
 * Sends raw Ethernet frames out of an interface, as a neighbour on the wire would. Used by the demo and the tests, in
 * throw-away network namespaces.
 *
 *     node bin/dev/send-frames.mjs veth0 --count 100 --size 60 --dst 02:00:00:00:00:01
 *
 * `--size` counts the 14 bytes of Ethernet header, and not the 4 of the checksum. Prints how many were sent.
 */
import { setTimeout as sleep } from 'node:timers/promises';

import { fail, readWords, wholeNumber } from './frame-options.mjs';
import { experimentalEthertype, openPacketSocket, parseMac } from './packet-socket.mjs';

const words = readWords(
  'send-frames.mjs DEV [--count N] [--size BYTES] [--dst MAC] [--ethertype N] [--interval MILLISECONDS]',
  {
    count: { type: 'string', default: '1' },
    size: { type: 'string', default: '60' },
    dst: { type: 'string', default: 'ff:ff:ff:ff:ff:ff' },
    ethertype: { type: 'string', default: String(experimentalEthertype) },
    interval: { type: 'string', default: '0' },
  },
);
const count = wholeNumber('count', words.count, 1, 100_000_000);
const size = wholeNumber('size', words.size, 18, 65_535);
const ethertype = wholeNumber('ethertype', words.ethertype, 0, 0xffff);
const interval = wholeNumber('interval', words.interval, 0, 60_000);

let sent = 0;
try {
  const socket = openPacketSocket(words.device, 0);
  const frame = Buffer.alloc(size);
  parseMac(words.dst).copy(frame, 0);
  socket.mac.copy(frame, 6);
  frame.writeUInt16BE(ethertype, 12);
  while (sent < count) {
    frame.writeUInt32BE(sent, 14);
    socket.send(frame);
    sent += 1;
    if (interval > 0 && sent < count) await sleep(interval);
  }
} catch (error) {
  fail(`${words.device}: ${error.message} (${sent} of ${count} frames sent)`);
}
console.log(sent);
