import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { FaultWorld } from '../faults/support/fault-world.ts';
import { random } from '../faults/support/sample.ts';
import { xdpctl } from '../support/command.ts';
import { expectNothingNew, kernelState, type KernelState } from '../support/leaks.ts';
import { extent, MAPPINGS, MEMORY_KIB } from './support/extent.ts';
import { type Line, mixedCommands, shortLived } from './support/mixed-commands.ts';
import { growing, type Sample, trendsOf, trendTable } from './support/trend.ts';
import { KernelUsage, processUsage } from './support/usage.ts';
import { WatchedProcess } from './support/watched-process.ts';

/** How long is waited for a command, or some lines: a long run has the time for it that the machine has left. */
const PATIENCE_MS = extent.long ? 600_000 : 60_000;
/** How often is measured. */
const SAMPLES = 40;
/** On a machine where others work too, it is not always plain for a moment whose an object is. */
const KERNEL_OBJECTS = 8;

let world: FaultWorld;
let untouched: KernelState;

beforeAll(() => {
  untouched = kernelState();
  world = new FaultWorld();
});

afterAll(async () => {
  await world.clear();
  world[Symbol.dispose]();
  await expectNothingNew(untouched);
});

function* endlessly(groups: readonly (readonly Line[])[]): Generator<readonly Line[], never> {
  for (;;) yield groups[Math.floor(random() * groups.length)] ?? [];
}

function tell(title: string, unit: string, samples: readonly Sample[]): void {
  if (extent.long) process.stdout.write(`\n${trendTable(title, unit, samples)}\n`);
}

/** What `prog loadall` of the mixed commands has pinned in; unpinning what is there leaves it, as bpftool does. */
function isFolder(line: string): boolean {
  return /^pin (all|maps): directory$/.test(line);
}

/** How far a long run has come. */
function told(how: string): void {
  if (extent.long) process.stderr.write(`${how}\n`);
}

const LIMIT = extent.long ? { timeout: 6 * 3_600_000 } : {};

describe('mixed commands', () => {
  it(`${extent.commands} of them leave nothing in the kernel`, LIMIT, async () => {
    const samples: Sample[] = [];
    const kernel = new KernelUsage();
    const groups = endlessly([...mixedCommands(world), ...shortLived(world)]);
    const empty = world.state();
    const wrong: string[] = [];
    for (let done = 0, next = 0; done < extent.commands;) {
      const { value: group } = groups.next();
      for (const { words, exit = 0 } of group) {
        const { status, stderr } = xdpctl(['-q', '--netns', world.router.netns, ...words], {
          milliseconds: PATIENCE_MS,
        });
        if (status !== exit) wrong.push(`${words.join(' ')}: exit ${status}: ${stderr}`);
        done += 1;
      }
      const left = world.state().filter((line) => !empty.includes(line) && !isFolder(line));
      if (left.length > 0) wrong.push(`${group.at(-1)?.words.join(' ')} left ${left.join(', ')}`);
      if (done < next) continue;
      samples.push({ at: done, values: await kernel.count() });
      told(`${done} commands`);
      next += extent.commands / SAMPLES;
    }
    tell('BPF objects of the kernel', 'commands', samples);
    expect(wrong).toEqual([]);
    const allowed = { maps: KERNEL_OBJECTS, programs: KERNEL_OBJECTS, links: KERNEL_OBJECTS };
    expect(growing(trendsOf(samples), allowed)).toEqual([]);
  });

  it(`${extent.lines} of them in one batch take no descriptor and no memory`, LIMIT, async () => {
    const samples: Sample[] = [];
    const kernel = new KernelUsage();
    const groups = endlessly(mixedCommands(world));
    const args = ['-j', 'batch', 'file', '-', '--keep-going'];
    await using batch = new WatchedProcess(args, world.router.netns, '{"command":[');
    let [done, failing] = [0, 0];
    for (let next = 0; done < extent.lines;) {
      const { value: group } = groups.next();
      batch.child.stdin?.write(group.map(({ words }) => `${words.join(' ')}\n`).join(''));
      done += group.length;
      failing += group.filter(({ exit = 0 }) => exit !== 0).length;
      if (done < next) continue;
      // A batch tells of what it has done before it waits for more.
      await expect.poll(() => batch.count, { timeout: PATIENCE_MS }).toBe(done - failing);
      samples.push({ at: done, values: { ...processUsage(batch.pid), ...(await kernel.count(batch.pid)) } });
      told(`${done} lines`);
      next += extent.lines / SAMPLES;
    }
    batch.child.stdin?.end();
    const { stderr } = await batch.end();
    tell('a batch', 'lines', samples);
    // One more for the batch itself.
    expect(stderr.split('"error"')).toHaveLength(1 + (failing === 0 ? 0 : failing + 1));
    expect(batch.count).toBe(done - failing);
    const allowed = {
      memory_kib: MEMORY_KIB,
      mappings: MAPPINGS,
      maps: KERNEL_OBJECTS,
      programs: KERNEL_OBJECTS,
      links: KERNEL_OBJECTS,
    };
    expect(growing(trendsOf(samples), allowed)).toEqual([]);
  });
});
