/** The story of `npm run demo`. Runs in a mount namespace of its own, which demo.mjs makes. */
import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, join } from 'node:path';

import { endAll, say, start, type, Untrue } from './demo-shell.mjs';

const FRAMES = 100;

const root = join(import.meta.dirname, '..', '..');
process.chdir(root);
// A folder of its own before all others, so that `xdpctl` is the one that was just built.
process.env.PATH = [join(root, 'bin'), process.env.PATH].join(delimiter);
delete process.env.NODE_EXTRA_CA_CERTS;

function mount(filesystem, folder) {
  mkdirSync(folder, { recursive: true });
  const { status, stderr } = spawnSync('mount', ['-t', filesystem, filesystem, folder], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr.trim());
}

/** What only this process and those it starts will see. */
function mountOwn() {
  mount('tmpfs', '/run/netns');
  mount('bpf', '/sys/fs/bpf');
  if (!existsSync('/sys/kernel/tracing/events')) mount('tracefs', '/sys/kernel/tracing');
}

function expect(fact, otherwise) {
  if (!fact) throw new Untrue(otherwise);
}

/** The text that a pattern captures in what a command printed. */
function found(pattern, printed, otherwise) {
  const [, text] = pattern.exec(printed) ?? [];
  expect(text !== undefined, otherwise);
  return text;
}

const send = `ip netns exec sender node bin/dev/send-frames.mjs eth0 --count ${FRAMES}`;
const receive = `ip netns exec receiver node bin/dev/receive-frames.mjs eth0 --count ${FRAMES} --seconds 2`;

/** Sends the frames, and returns how many of them arrived. */
async function sendAndCount() {
  const counting = start(receive);
  await counting.ready;
  await type(send);
  return Number(found(/^(\d+)$/m, await counting.ended, 'the receiver did not count'));
}

async function layCables() {
  say('Two cables: a sender and a receiver, and a router between them that both plug into.');
  await type('for name in sender router receiver; do ip netns add $name; done');
  // The events of XDP name no namespace: with an ifindex that nobody else has, nobody else's frames are counted.
  const index = randomInt(1000, 60_000);
  await type(`ip -n router link add eth0 index ${index} type veth peer name eth0 netns sender`);
  await type(`ip -n router link add eth1 index ${index + 1} type veth peer name eth0 netns receiver`);
  // Without IPv6 addresses nothing but our frames is on the cables.
  const silent = existsSync('/proc/sys/net/ipv6') ? 'addrgenmode none ' : '';
  await type(`for name in sender router receiver; do ip -n $name link set eth0 ${silent}up; done`);
  await type(`ip -n router link set eth1 ${silent}up`);
  await type('ip netns exec receiver ethtool -K eth0 gro on');
}

async function tell() {
  await layCables();

  say('What arrives at eth0 of the router shall leave through its eth1.');
  const attached = await type('xdpctl --netns router redirect attach eth0 --to eth1');
  const map = found(/^map +(\/\S+)$/m, attached, 'redirect attach did not say where its map is pinned');
  const first = await sendAndCount();
  expect(first === FRAMES, `only ${first} of ${FRAMES} frames arrived through the new redirect`);

  say(`${first} of ${FRAMES} arrived. One day somebody tunes the receiver, in good faith.`);
  await type('ip netns exec receiver ethtool -K eth0 gro off');
  const second = await sendAndCount();
  expect(second === 0, `${second} frames arrived although the receiver cannot take redirected ones`);

  say(`${FRAMES} sent, none arrived, and nothing said a word. Ask, and send once more.`);
  const asking = start('xdpctl --netns router debug drops eth0 --duration 3s');
  await asking.ready;
  await type(send);
  const answer = await asking.ended;
  expect(new RegExp(`^ *${FRAMES} +target-no-xmit`, 'm').test(answer), 'debug drops did not find the reason');
  const fix = found(/^ *fix: (.*)$/m, answer, 'debug drops named no fix');

  say('That is how many, where, and why. Type what it says.');
  await type(fix);
  const third = await sendAndCount();
  expect(third === FRAMES, `only ${third} of ${FRAMES} frames arrived after the fix`);

  say(`${third} of ${FRAMES} arrived. The entries of the map, by name:`);
  expect(/\beth1\b/.test(await type(`xdpctl --netns router map dump ${map}`)), 'the map does not lead to eth1');

  say('And away with it.');
  await type('xdpctl --netns router redirect detach eth0');
  expect(!existsSync(map), `${map} is still there`);
  expect(!/xdp/.test(await type('ip -n router link show dev eth0')), 'a program is still attached');
  await type('for name in sender router receiver; do ip netns del $name; done');
}

let leaving = false;

/** Ends all commands, then this process. The namespaces, the pins and the mounts go with it. */
async function leave(code) {
  if (leaving) return;
  leaving = true;
  await endAll();
  process.exit(code);
}

for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => void leave(128 + constants.signals[name]));
// The reader has gone; like other programs, without a word.
process.stdout.on('error', () => void leave(128 + constants.signals.SIGPIPE));

try {
  mountOwn();
  await tell();
  say('All of it came true, and nothing of it is left.');
  await leave(0);
} catch (error) {
  // Commands that are ended on the way out are no part of the story.
  if (!leaving) {
    console.error(`\nerror: ${error instanceof Untrue ? 'the story did not come true: ' : ''}${error.message}`);
    await leave(1);
  }
}
