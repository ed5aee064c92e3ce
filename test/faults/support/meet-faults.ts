import { afterAll, beforeAll, it } from 'vitest';

import { expectNothingNew, kernelState, type KernelState } from '../../support/leaks.ts';
import { FaultWorld } from './fault-world.ts';
import { FaultyCommands } from './faulty-command.ts';
import { needPreload } from './preload.ts';
import type { Change } from './rehearsed-change.ts';
import { extent } from './sample.ts';
import { expectAllOrNothing } from './series.ts';

/** What a change is about is known only when the world is there. */
export type ChangeIn = (world: FaultWorld) => Change;

/** A test for each of the changes: all or nothing, whichever of its system calls fails. */
export function meetFaults(changes: Readonly<Record<string, ChangeIn>>): void {
  inFaultWorld(({ test }) => {
    for (const [name, change] of Object.entries(changes)) {
      test(`${name} is all or nothing, whatever fails`, (world, commands) =>
        expectAllOrNothing(world, commands, change(world)));
    }
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
      const options = extent === 'sample' ? {} : { timeout: 3_600_000 };
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
