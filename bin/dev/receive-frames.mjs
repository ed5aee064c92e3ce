/**
 * Counts the raw Ethernet frames that arrive at an interface. Used by the demo and the tests.
 *
 *     node bin/dev/receive-frames.mjs veth1 --count 100 --seconds 5
 *
 * Prints `ready:` on stderr once it counts, and the number on stdout when it ends: after `--count` frames, after
 * `--seconds`, or at SIGTERM or SIGINT, whichever is first.
 */
import { readWords, wholeNumber, fail } from './frame-options.mjs';
import { experimentalEthertype, openPacketSocket } from './packet-socket.mjs';

const words = readWords('receive-frames.mjs DEV [--count N] [--seconds N] [--ethertype N]', {
  count: { type: 'string', default: '100000000' },
  seconds: { type: 'string', default: '3600' },
  ethertype: { type: 'string', default: String(experimentalEthertype) },
});
const wanted = wholeNumber('count', words.count, 1, 100_000_000);
const seconds = wholeNumber('seconds', words.seconds, 1, 3600);
const ethertype = wholeNumber('ethertype', words.ethertype, 1, 0xffff);

let socket;
try {
  socket = openPacketSocket(words.device, ethertype);
} catch (error) {
  fail(`${words.device}: ${error.message}`);
}

let arrived = 0;
function count() {
  arrived += socket.takeArrived();
}
function finish() {
  count();
  console.log(arrived);
  process.exit(0);
}

setInterval(() => {
  count();
  if (arrived >= wanted) finish();
}, 5);
setTimeout(finish, seconds * 1000);
process.on('SIGTERM', finish);
process.on('SIGINT', finish);
console.error(`ready: counting frames at ${words.device}`);
