import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';

import { inTurn, median, xdpctl } from '../measure.mjs';

const root = join(import.meta.dirname, '..', '..', '..');
const [ingress, egress, sink] = ['benchf0', 'benchf1', 'benchf2'];
const pins = '/sys/fs/bpf/forward';

function run([program, ...args]) {
  const { status, error, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  if (error) throw error;
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
  return stdout;
}

/** A veth pair whose far end drops what comes, and two programs that redirect to it through a devmap, at key 0. */
function setUp() {
  run(['ip', 'link', 'add', ingress, 'type', 'veth', 'peer', 'name', 'benchf3']);
  run(['ip', 'link', 'add', egress, 'type', 'veth', 'peer', 'name', sink]);
  for (const end of [ingress, egress, sink]) run(['ip', 'link', 'set', end, 'up']);
  const object = join(root, 'test', 'fixtures', 'bpf', 'faulty.bpf.o');
  run(xdpctl('prog', 'loadall', object, pins, 'type', 'xdp', 'pinmaps', `${pins}_maps`));
  run(xdpctl('net', 'attach', 'xdpdrv', 'pinned', `${pins}/egress_drop`, 'dev', sink));
  run(xdpctl('map', 'update', 'pinned', `${pins}_maps/targets`, 'key', '0', 'value', 'dev', egress));
  run(xdpctl('map', 'create', `${pins}_map`, 'type', 'devmap', 'entries', '4'));
  run(xdpctl('map', 'update', 'pinned', `${pins}_map`, 'key', '0', 'value', 'dev', egress));
  const attach = ['redirect', 'attach', ingress, '--map', `${pins}_map`, '--key', '0'];
  const [map] = JSON.parse(run(xdpctl('-j', ...attach))).maps;
  return { bare: `${pins}/forward`, counting: join(dirname(map.pinned), 'prog') };
}

/** How many frames the far end has had. */
function arrived() {
  const [{ stats64: stats }] = JSON.parse(run(['ip', '-j', '-s', 'link', 'show', 'dev', sink]));
  return stats.rx.packets;
}

/** Our redirect program, which counts, beside the same redirect without counters. */
export function forwarding({ smoke }) {
  const { bare, counting } = setUp();
  const generator = join(root, 'test', 'support', 'live-frames.mjs');
  const count = smoke ? 10_000 : 4_000_000;
  const rate = (program) => () => {
    const before = arrived();
    const words = [ingress, '--prog', program, '--rate', '--count', String(count)];
    const perSecond = Number(run([process.execPath, generator, ...words]));
    // Frames that are not redirected would be faster.
    const received = arrived() - before;
    if (received < 0.9 * count) throw new Error(`${program}: only ${received} of ${count} frames arrived`);
    return perSecond;
  };
  const rounds = inTurn([rate(bare), rate(counting)], smoke ? 1 : 9);
  if (process.env.XDPCTL_BENCH_DETAILS) {
    for (const [theirs, mine] of rounds) {
      console.error(`  without / with counters: ${(theirs / 1e6).toFixed(2)} / ${(mine / 1e6).toFixed(2)} Mpps`);
    }
  }
  const measured = median(rounds.map(([theirs, mine]) => theirs / mine));
  return [{ what: 'frames/s redirected without counters / with', measured, atMost: 1.053, unit: '×' }];
}
