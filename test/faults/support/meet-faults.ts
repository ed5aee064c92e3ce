import { afterAll, beforeAll, it } from 'vitest';

import { expectNothingNew, kernelState, type KernelState } from '../../support/leaks.ts';
import { FaultWorld } from './fault-world.ts';
import { FaultyCommands } from './faulty-command.ts';
import { needPreload } from './preload.ts';
import type { Change } from './rehearsed-change.ts';
import { extent, grouped, numberOf } from './sample.ts';
import { expectAllOrNothing } from './series.ts';

/** What a change is about is known only when the world is there. */
export type ChangeIn = (world: FaultWorld) => Change;

/** A test for each of the changes, or in a sample for some of each verb: all or nothing, whichever of its system calls fails. */
export function meetFaults(changes: Readonly<Record<string, ChangeIn>>): void {
  inFaultWorld(({ test }) => {
    for (const [name, change] of extent === 'sample' ? someOfEachVerb(changes) : Object.entries(changes)) {
      test(`${name} is all or nothing, whatever fails`, (world, commands) =>
        expectAllOrNothing(name, world, commands, change(world)));
    }
  });
}

/** The first change of each verb, and one of the others. */
function someOfEachVerb(changes: Readonly<Record<string, ChangeIn>>): readonly (readonly [string, ChangeIn])[] {
  const verbs = grouped(Object.entries(changes), ([name]) => name.split(' ', 2).join(' '));
  return [...verbs.values()].flatMap(([first, ...others]) => {
    const [second] = others.toSorted(([a], [b]) => numberOf(a) - numberOf(b));
    return [first, second].filter((each) => each !== undefined);
  });
}

type Expectation = (world: FaultWorld, commands: FaultyCommands) => Promise<number>;

/** Tests that share a world, which is to be as it was at the end; each says how often it tried. */
export function inFaultWorld(
  define: (tools: { readonly test: (name: string, expectTimes: Expectation) => void }) => void,
): void {
  let world: FaultWorld;
  let commands: FaultyCommands;
  let untouched: KernelState;

  beforeAll(() => {
    untouched = kernelState();
    world = new FaultWorld();
    commands = new FaultyCommands();
  });

  define({
    test(name, expectTimes) {
      const options = { timeout: extent === 'sample' ? 480_000 : 3_600_000 };
      it.for([name])('%s', options, async (_name, context) => {
        needPreload(context);
        const times = await expectTimes(world, commands);
        if (extent !== 'sample') process.stderr.write(`${name}: ${times} faults\n`);
      });
    },
  });

  afterAll(async () => {
    commands[Symbol.dispose]();
    world[Symbol.dispose]();
    await expectNothingNew(untouched);
  });
}
