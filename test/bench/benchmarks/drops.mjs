import { join } from 'node:path';

import { ingress, map, program, run, setUp } from '../drops/world.mjs';
import { inTurn, median, seconds, xdpctl } from '../measure.mjs';

const trace = join(import.meta.dirname, '..', 'drops', 'trace.mjs');

/** Without a limit, which a storm is beyond. */
const dropsVia = (via, ...words) => xdpctl('-j', 'debug', 'drops', '--via', via, '--max-rate', '1000000000', ...words);
const drops = (...words) => dropsVia('builtin', ...words);

/** What does nothing in the place of a tracer. */
const nobody = ['sh', '-c', 'echo ready: >&2; exec sleep 1000'];

function traced(count, tracer, ...options) {
  return JSON.parse(run([process.execPath, trace, ingress, program, String(count), ...options, ...tracer]));
}

/** How many times as fast frames go without a tracer. */
function slowdown(what, { smoke, atMost, tracer, count: frames = 4_000_000 }) {
  const count = smoke ? 10_000 : frames;
  const rounds = inTurn([() => traced(count, nobody).rate, () => traced(count, tracer).rate], smoke ? 1 : 9);
  if (process.env.XDPCTL_BENCH_DETAILS) {
    for (const [without, with_] of rounds) {
      console.error(`  without / with: ${(without / 1e6).toFixed(2)} / ${(with_ / 1e6).toFixed(2)} Mpps`);
    }
  }
  return { what, measured: median(rounds.map(([without, with_]) => without / with_)), atMost, unit: '×' };
}

/** What the built-in programs of debug drops cost where every frame is lost, and where none is. */
export function dropsCost({ smoke }) {
  setUp({ lost: true });
  const all = slowdown('frames/s without / with debug drops, all lost', { smoke, atMost: 1.82, tracer: drops() });
  setUp({ lost: false });
  const none = slowdown('frames/s without / with debug drops, none lost', { smoke, atMost: 1.042, tracer: drops() });
  const conserving = slowdown('frames/s without / with debug drops --conserve, none lost', {
    smoke,
    atMost: 1.5,
    tracer: drops('--conserve'),
  });
  return [all, none, conserving];
}

/** The same of the other backends, which `debug drops` takes only where the built-in programs cannot count. */
export function dropsOthers({ smoke }) {
  const of = (via, atMost, ...words) => {
    const what = `frames/s without / with debug drops ${['--via', via, ...words].join(' ')}`;
    return slowdown(what, { smoke, atMost, tracer: dropsVia(via, ...words), count: 1_000_000 });
  };
  setUp({ lost: true });
  const lost = [of('bpftrace', 8), of('perf', 16)];
  setUp({ lost: false });
  return [...lost, of('bpftrace', 6, '--conserve'), of('perf', 8, '--conserve')];
}

/** How long it takes until frames are counted, beyond the start of a command. */
export function dropsReady({ smoke }) {
  const script = join(import.meta.dirname, '..', 'drops', 'until-ready.mjs');
  const untilReady = () => Number(run([process.execPath, script, ...drops()]));
  const rounds = inTurn([untilReady, () => seconds(xdpctl('--version')) * 1000], smoke ? 1 : 15);
  const measured = median(rounds.map(([ready, startUp]) => ready - startUp));
  return [{ what: 'debug drops until it counts, beyond --version', measured, atMost: 150, unit: 'ms' }];
}

/** A storm of lost frames while another process reads BPF maps on the same CPU: whether each is counted. */
export function dropsExact({ smoke }) {
  setUp({ lost: true });
  const count = smoke ? 100_000 : 6_000_000;
  const { report, growth_kib: growth, rate } = traced(count, drops(), '--read-maps', map);
  const { findings, undercount = [] } = JSON.parse(report);
  const counted = findings.reduce((sum, finding) => sum + (finding.code === 'target-no-xmit' ? finding.count : 0), 0);
  if (process.env.XDPCTL_BENCH_DETAILS) console.error(`  ${(rate / 1e6).toFixed(2)} Mpps ${undercount.join()}`);
  const what = `of ${count.toLocaleString('en')} lost frames, not counted by debug drops`;
  return [
    { what, measured: Math.abs(count - counted), atMost: 0, unit: 'frames' },
    { what: 'memory that debug drops takes more meanwhile', measured: growth / 1024, atMost: 8, unit: 'MiB' },
  ];
}

/** What the picture on a terminal costs under a storm, ten times a second. */
export function dropsFollow({ smoke }) {
  setUp({ lost: true });
  const count = smoke ? 1_000_000 : 20_000_000;
  const words = ['debug', 'drops', '--via', 'builtin', '--max-rate', '1000000000', '--follow', '--interval', '100ms'];
  const rounds = Array.from({ length: smoke ? 1 : 3 }, () => traced(count, xdpctl(...words), '--terminal').cpu);
  return [{ what: 'CPU of debug drops --follow at 10 Hz', measured: 100 * median(rounds), atMost: 15, unit: '%' }];
}
