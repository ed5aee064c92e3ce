import { setTimeout as sleep } from 'node:timers/promises';

import { expect } from 'vitest';

import { type CommandResult, xdpctl } from '../../support/command.ts';
import { runWith } from '../../support/run-here.ts';
import { type FaultWorld, processesWith, type State } from './fault-world.ts';
import type { Call, Fault, FaultyCommands, FaultyRun } from './faulty-command.ts';

/** A command that changes something, and how to get to the state that it begins with. */
export interface Change {
  /** Its words, after the options of the tool. */
  readonly words: readonly string[];
  readonly input?: string;
  /** The words of the run after a fault, where they are others: it gets no terminal. */
  readonly next?: readonly string[];
  /** Makes what the command finds, from nothing. */
  readonly prepare?: () => void | Promise<void>;
  /** The state that it leaves is the one that it finds: what it makes goes with it. */
  readonly passing?: true;
  /** The commands that it consists of: a failure leaves what those before the one that fails have made. */
  readonly steps?: readonly (readonly string[])[];
}

/** How long the kernel may take to free what a dead process held. */
const PATIENCE_MS = 5000;

/** A change that was done once without a fault, so that its calls and the states before and after it are known. */
export class RehearsedChange {
  readonly change: Change;
  readonly calls: readonly Call[];
  readonly old: State;
  readonly fresh: State;
  /** The states between the two that a failure may leave. */
  readonly between: readonly State[];
  readonly #world: FaultWorld;
  readonly #commands: FaultyCommands;
  readonly #args: readonly string[];

  constructor(
    world: FaultWorld,
    commands: FaultyCommands,
    change: Change,
    states: readonly State[],
    calls: readonly Call[],
  ) {
    const [old = [], ...rest] = states;
    this.change = change;
    this.calls = calls;
    this.old = old;
    this.fresh = rest.at(-1) ?? old;
    this.between = rest.slice(0, -1);
    this.#world = world;
    this.#commands = commands;
    this.#args = argsOf(world, change.words);
  }

  /** Makes the old state from any state, where it has not stayed, and runs the command with a fault. */
  async meet(fault: Fault): Promise<FaultyRun> {
    const stays = this.change.passing === true && same(this.#world.state(), this.old);
    if (!stays) await begin(this.#world, this.change);
    return this.#commands.run(this.#args, fault, inputOf(this.change));
  }

  /** The same without a fault, in what a limit leaves to the command: `['--nofile=20']` (prlimit(1)). */
  async runWithin(limits: readonly string[]): Promise<CommandResult> {
    await begin(this.#world, this.change);
    return xdpctl(this.#args, { ...inputOf(this.change), wrapper: ['prlimit', ...limits] });
  }

  /** The state once it is one of these, or when it is none of them after a while. */
  async stateAmong(states: readonly State[]): Promise<State> {
    let state = this.#world.state();
    for (const end = Date.now() + PATIENCE_MS; Date.now() < end && !states.some((each) => same(each, state));) {
      await sleep(20);
      state = this.#world.state();
    }
    return state;
  }

  /** Runs the command again (or `next`), without a fault: it must get to the new state from wherever the first left it. @returns what is wrong */
  async again(): Promise<string[]> {
    const before = this.#world.state();
    const { input, words, next = words } = this.change;
    const { status, stderr } = await runWith(argsOf(this.#world, next), async function* stdin() {
      if (input !== undefined) yield Buffer.from(input);
    });
    const wrong: string[] = [];
    const after = this.#world.state();
    if (!same(after, this.fresh)) wrong.push(`the next run does not get there: ${difference(after, this.fresh)}`);
    if (status !== 0 && !same(before, this.fresh)) wrong.push(`the next run fails: ${stderr}`);
    return wrong;
  }
}

/** Does a change without a fault. */
export async function rehearse(world: FaultWorld, commands: FaultyCommands, change: Change): Promise<RehearsedChange> {
  await begin(world, change);
  const states = [world.state()];
  for (const step of change.steps ?? []) {
    await world.done(...step);
    states.push(world.state());
  }
  await begin(world, change);
  const { result, calls, left } = commands.run(argsOf(world, change.words), undefined, inputOf(change));
  expect(result).toMatchObject({ status: 0, signal: null, stderr: expect.not.stringContaining('error') });
  expect(calls).not.toEqual([]);
  expect(left).toEqual([]);
  states.push(world.state());
  if (change.passing === true) expect(states.at(-1)).toEqual(states[0]);
  else expect(states.at(-1)).not.toEqual(states[0]);
  return new RehearsedChange(world, commands, change, states, calls);
}

/** What still runs of a command and the programs that it started, after they had time to end. */
export async function survivors({ mark }: FaultyRun): Promise<readonly string[]> {
  let running = processesWith(mark);
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end && running.length > 0;) {
    await sleep(20);
    running = processesWith(mark);
  }
  return running.map((words) => `still runs: ${words}`);
}

export function same(a: State, b: State): boolean {
  return a.length === b.length && a.every((line, index) => line === b[index]);
}

export function difference(state: State, other: State): string {
  const [more, less] = [state.filter((line) => !other.includes(line)), other.filter((line) => !state.includes(line))];
  return [...more.map((line) => `+${line}`), ...less.map((line) => `-${line}`)].join(', ') || 'another order';
}

async function begin(world: FaultWorld, change: Change): Promise<void> {
  await world.clear();
  await change.prepare?.();
}

function argsOf({ router }: FaultWorld, words: readonly string[]): readonly string[] {
  return ['-j', '-q', '--netns', router.netns, ...words];
}

function inputOf({ input }: Change): { input?: string } {
  return input === undefined ? {} : { input };
}
