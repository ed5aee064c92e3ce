import { expect } from 'vitest';

import { type CommandResult, xdpctl } from '../support/command.ts';
import { type FaultWorld, objectFile } from './support/fault-world.ts';
import type { FaultyCommands } from './support/faulty-command.ts';
import { type ChangeIn, inFaultWorld } from './support/meet-faults.ts';
import { apply, confirmed, redirect } from './support/redirect-change.ts';
import { type Change, difference, rehearse, same } from './support/rehearsed-change.ts';
import { extent } from './support/sample.ts';

/** Node.js itself takes some twenty descriptors before it runs a line of ours. */
const FEWEST = 17;
/** No command of ours needs as many. */
const ENOUGH = 80;
/** How many more at each try. */
const STEP = extent === 'sample' ? 4 : 1;

const changes: Readonly<Record<string, ChangeIn>> = {
  'map create': ({ words }) => ({ words: words('map create @n type devmap entries 4 name n') }),
  'prog loadall': ({ words }) => ({
    words: words(`prog loadall ${objectFile('redirect_devmap')} @all pinmaps @maps`),
  }),
  'redirect attach': redirect('attach A --to B --dst-mac 02:00:00:00:00:01'),
  'redirect attach both ways by links': redirect('attach A --to B --both --link'),
  'redirect attach --replace': redirect('attach A --to C --replace', ['attach A --to B']),
  'redirect attach --confirm': confirmed(redirect('attach A --to B')),
  'redirect apply': apply([{ dev: 'A', to: ['C'], on_miss: 'drop' }], {
    before: ['attach A --to B', 'attach C --to B'],
    options: ['--prune'],
  }),
  'xsk bind --attach': ({ words }) => ({
    words: words('xsk bind A --queue 0 --frames 64 --rx-size 64 --attach --duration 20ms'),
    passing: true,
  }),
};

/** What is wrong with the words of a command that had not enough descriptors. */
function wrongWords({ status, stderr }: CommandResult): string[] {
  // Before our first line it is Node.js that has none left.
  if (stderr === '' || /open '\S+\/(?:bin\/xdpctl|dist\/xdpctl\.cjs)'/.test(stderr)) return [];
  const wrong = status === 1 ? [] : [`exit ${status}`];
  if (!/too many open files|ulimit -n|EMFILE/i.test(stderr)) wrong.push(`no reason: ${stderr}`);
  if (!stderr.startsWith('{"error":')) wrong.push(`no error of ours: ${stderr}`);
  return wrong;
}

/** Runs a change with more descriptors each time, until it succeeds. @returns how often it failed */
async function expectAllOrNothingWithFew(world: FaultWorld, commands: FaultyCommands, change: Change): Promise<number> {
  const rehearsed = await rehearse(world, commands, change);
  const { old, fresh } = rehearsed;
  const wrong: string[] = [];
  let limit = FEWEST;
  for (let status: number | null = 1; status !== 0 && limit < ENOUGH; limit += STEP) {
    const result = await rehearsed.runWithin([`--nofile=${limit}`]);
    status = result.status;
    const state = world.state();
    const problems = status === 0 ? [] : wrongWords(result);
    if (!same(state, fresh) && (status === 0 || !same(state, old))) problems.push(difference(state, fresh));
    if (problems.length > 0) wrong.push(`${limit} descriptors: ${problems.join('; ')}`);
  }
  await world.clear();
  expect(wrong).toEqual([]);
  expect(limit).toBeLessThan(ENOUGH);
  return (limit - FEWEST) / STEP;
}

/** Bytes of address space: V8 reserves some hundred MiB, and ends the process where it gets no more. */
const MIB = 1 << 20;
const LEAST_MEMORY = 640 * MIB;
const MOST_MEMORY = 8192 * MIB;

/** Runs a change with more memory each time, until it succeeds, first in great steps, then in small ones. @returns how often it failed */
async function expectRepairedWithLittleMemory(
  world: FaultWorld,
  commands: FaultyCommands,
  change: Change,
): Promise<number> {
  const rehearsed = await rehearse(world, commands, change);
  const wrong: string[] = [];
  let failed = 0;
  const succeeds = async (limit: number): Promise<boolean> => {
    const { status } = await rehearsed.runWithin([`--as=${limit}`]);
    const problems = status === 0 ? [] : await rehearsed.again();
    if (status === 0 && !same(world.state(), rehearsed.fresh)) problems.push('success without the work');
    if (problems.length > 0) wrong.push(`${limit / MIB} MiB: ${problems.join('; ')}`);
    if (status !== 0) failed += 1;
    return status === 0;
  };
  let limit = LEAST_MEMORY;
  while (limit < MOST_MEMORY && !(await succeeds(limit))) limit += 64 * MIB;
  for (let less = 8; less < 64; less += extent === 'sample' ? 24 : 4) await succeeds(limit - less * MIB);
  await world.clear();
  expect(wrong).toEqual([]);
  expect(limit).toBeLessThan(MOST_MEMORY);
  return failed;
}

/** A GiB for frames, in an address space that has not as much left. */
function expectToldWithoutMemory({ router, words }: FaultWorld): Promise<number> {
  const frames = words('xsk bind A --queue 0 --attach --frames 262144 --frame-size 4096 --duration 20ms');
  const { status, stderr } = xdpctl(['--netns', router.netns, ...frames], {
    wrapper: ['prlimit', `--as=${1536 * MIB}`],
  });
  expect(stderr).toMatch(/^error: [^\n]*memory[^\n]*ENOMEM/);
  expect(status).toBe(1);
  return Promise.resolve(1);
}

inFaultWorld(({ test }) => {
  for (const [name, change] of Object.entries(changes)) {
    test(`${name} with ever more descriptors is all or nothing`, (world, commands) =>
      expectAllOrNothingWithFew(world, commands, change(world)));
  }

  test('redirect attach --replace that runs out of memory is repaired by the next', (world, commands) => {
    const change = redirect('attach A --to C --replace', ['attach A --to B']);
    return expectRepairedWithLittleMemory(world, commands, change(world));
  });

  test('xsk bind without memory for its frames says so', expectToldWithoutMemory);
});
