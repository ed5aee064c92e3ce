import { setTimeout as sleep } from 'node:timers/promises';

import { afterAll, beforeAll, expect, it } from 'vitest';

import { FaultWorld } from '../faults/support/fault-world.ts';
import { sendFrames } from '../support/frames.ts';
import { expectNothingNew, kernelState, type KernelState } from '../support/leaks.ts';
import { setGro } from '../support/world.ts';
import { extent, MAPPINGS, MEMORY_KIB } from './support/extent.ts';
import { growing, type Sample, trendsOf, trendTable } from './support/trend.ts';
import { processUsage } from './support/usage.ts';
import { WatchedProcess } from './support/watched-process.ts';

/** Frames to each of the two interfaces, as fast as they can be sent, each time the processes are looked at. */
const BURST = 2000;
/** Tracepoints tell of the frames of others too: however many they lose, counting goes on. */
const MAX_RATE = 1_000_000_000;
/** After how long it is done again, so that there are some thousand samples of an hour. */
const PERIOD_MS = Math.max(400, extent.seconds / 4);

let world: FaultWorld;
let untouched: KernelState;

beforeAll(async () => {
  untouched = kernelState();
  world = new FaultWorld();
  // Without NAPI at its peer, B cannot take redirected frames: each is lost.
  setGro(world.router.right, false);
  await world.done(...world.words('redirect attach A --to B'));
});

afterAll(async () => {
  await world.clear();
  world[Symbol.dispose]();
  await expectNothingNew(untouched);
});

it(
  `debug drops --follow and xsk bind under load hold no more after ${extent.seconds} seconds`,
  { timeout: extent.seconds * 1000 * 3 + 120_000 },
  async () => {
    const { netns, left, other } = world.router;
    const start = (text: string, counted: string): WatchedProcess =>
      new WatchedProcess(['-j', ...world.words(text)], netns, counted);
    const follow = (via: string): WatchedProcess =>
      start(`debug drops A --follow --interval 1s --via ${via} --max-rate ${MAX_RATE}`, '"interval":');
    await using builtin = follow('builtin');
    await using perf = follow('perf');
    await using bpftrace = follow('bpftrace');
    await using xsk = start('xsk bind C --queue 0 --attach --interval 1s', '"time_s":');
    const processes = { builtin, perf, bpftrace, xsk };
    await expect.poll(() => Object.values(processes).every(({ ready }) => ready), { timeout: 60_000 }).toBe(true);

    const samples = new Map<string, Sample[]>(Object.keys(processes).map((name) => [name, []]));
    const began = performance.now();
    const wrong: string[] = [];
    let sent = 0;
    for (let at = 0; at < extent.seconds && wrong.length === 0; at = (performance.now() - began) / 1000) {
      sendFrames(left, { count: BURST });
      sendFrames(other, { count: BURST });
      sent += BURST;
      for (const [name, each] of Object.entries(processes)) {
        if (each.ended) wrong.push(`${name} ended by itself after ${Math.round(at)} seconds`);
        else samples.get(name)?.push({ at, values: await leastUsage(each.pid) });
      }
      await sleep(PERIOD_MS);
    }

    const ends = await Promise.all(Object.values(processes).map((each) => each.end('SIGINT')));
    for (const [index, [name, list]] of [...samples].entries()) {
      if (extent.long) process.stdout.write(`\n${trendTable(name, 'seconds', list)}\n`);
      const allowed = { memory_kib: MEMORY_KIB, mappings: MAPPINGS };
      wrong.push(...growing(trendsOf(list), allowed).map((text) => `${name}: ${text}`));
      const { status, signal, lastLine, stderr } = ends[index] ?? {};
      if (status !== 0) wrong.push(`${name}: exit ${status ?? signal}: ${stderr}`);
      const counted = numberIn(
        lastLine ?? '',
        name === 'xsk' ? ['frames', 'rx_ring_full', 'rx_fill_ring_empty_descs'] : ['dropped'],
      );
      // On a machine that has no time for it, a tracer loses events, and says so.
      const told = lastLine?.includes('"undercount":') === true && counted < sent;
      if (counted !== sent && !told) wrong.push(`${name}: counted ${counted} of ${sent} frames: ${lastLine}`);
    }
    expect(wrong).toEqual([]);
  },
);

/** What a process holds when it is not just looking at all network namespaces, of which it opens each. */
async function leastUsage(pid: number): Promise<Readonly<Record<string, number>>> {
  let least = processUsage(pid);
  for (let look = 0; look < 4; look += 1) {
    await sleep(30);
    const now = processUsage(pid);
    least = Object.fromEntries(
      Object.entries(least).map(([what, value]) => [what, Math.min(value, now[what] ?? value)]),
    );
  }
  return least;
}

/** The sum of the numbers of these names in a JSON document. */
function numberIn(text: string, names: readonly string[]): number {
  return names.reduce((sum, name) => sum + Number(new RegExp(`"${name}":(\\d+)`).exec(text)?.[1] ?? 0), 0);
}
