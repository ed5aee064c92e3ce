import { expect } from 'vitest';

import { errnoWord } from './errnos.ts';
import type { FaultWorld, State } from './fault-world.ts';
import { type Call, callText, type FaultyCommands, type FaultyRun } from './faulty-command.ts';
import { type Change, difference, rehearse, same, survivors } from './rehearsed-change.ts';
import { extent } from './sample.ts';
import { triedFaults, triedKills } from './tried.ts';

/**
 * Runs a change once for each of its system calls and each errno that the call can give (or some of them, see tried.ts), with
 * that call failing. Whatever happens, nothing is left behind, the state is the old one or the new one, success means
 * the new one, the error says what failed, and the next run of the command gets there.
 *
 * @param title of the change, by which a sample is drawn
 * @returns how many faults it met
 */
export async function expectAllOrNothing(
  title: string,
  world: FaultWorld,
  commands: FaultyCommands,
  change: Change,
): Promise<number> {
  const rehearsed = await rehearse(world, commands, change);
  const bad: string[] = [];
  let met = 0;
  for (const { call, errno } of triedFaults(title, rehearsed.calls.slice(commands.knownUntil(rehearsed.calls)))) {
    const run = await rehearsed.meet({ only: callText(call), at: call.nth, errno });
    if (!run.met) continue;
    met += 1;
    const allowed = [rehearsed.old, rehearsed.fresh, ...rehearsed.between];
    const state = await rehearsed.stateAmong(allowed);
    const wrong = [
      ...wrongState(run, state, rehearsed.fresh, allowed),
      ...wrongRest(run, call),
      ...(await survivors(run)),
      ...wrongWords(run, errnoWord(errno), call),
      ...(change.passing === true ? [] : await rehearsed.again()),
    ];
    if (wrong.length > 0) bad.push(report(`${callText(call)} (${call.nth}) ${errnoWord(errno)}`, wrong));
  }
  await world.clear();
  expect(bad).toEqual([]);
  return met;
}

/**
 * Kills a change (SIGKILL) before each of its system calls (or some of them). What it has made goes with it, or is a whole
 * part of the new state, and the next run of the command completes it.
 *
 * @param title of the change, by which a sample is drawn
 * @param remains takes away what the command would find in its way; without it the next run takes it as it is
 * @returns how many kills it died of
 */
export async function expectKillable(
  title: string,
  world: FaultWorld,
  commands: FaultyCommands,
  change: Change,
  remains?: () => void,
): Promise<number> {
  const rehearsed = await rehearse(world, commands, change);
  const { old, fresh, between } = rehearsed;
  const bad: string[] = [];
  const kills = triedKills(title, rehearsed.calls.slice(commands.knownUntil(rehearsed.calls)));
  for (const call of kills) {
    const run = await rehearsed.meet({ only: callText(call), at: call.nth, signal: SIGKILL });
    const state = await rehearsed.stateAmong([old, fresh, ...between]);
    const wrong = run.met && run.result.signal !== 'SIGKILL' ? [`ended with exit ${run.result.status}`] : [];
    if (change.passing === true) {
      if (!same(state, old)) wrong.push(`left: ${difference(state, old)}`);
    } else {
      const known = new Set([old, fresh, ...between].flat());
      wrong.push(...state.filter((line) => !known.has(line)).map((line) => `neither old nor new: ${line}`));
      if (!same(state, fresh)) remains?.();
      wrong.push(...(await rehearsed.again()));
    }
    wrong.push(...(await survivors(run)));
    if (wrong.length > 0) bad.push(report(`killed before ${callText(call)} (${call.nth})`, wrong));
  }
  await world.clear();
  expect(bad).toEqual([]);
  return kills.length;
}

const SIGKILL = 9;

function report(what: string, wrong: readonly string[]): string {
  const text = `${what}: ${wrong.join('; ')}`;
  if (extent !== 'sample') process.stderr.write(`${text}\n`);
  return text;
}

/** @param allowed the old state first */
function wrongState({ result }: FaultyRun, state: State, fresh: State, allowed: readonly State[]): string[] {
  const { status, signal } = result;
  const wrong: string[] = [];
  if (signal !== null) wrong.push(`died of ${signal}`);
  if (status === 0 && !same(state, fresh)) wrong.push(`success without the work: ${difference(state, fresh)}`);
  if (!allowed.some((each) => same(state, each))) {
    wrong.push(`neither old nor new: ${difference(state, allowed[0] ?? [])}`);
  }
  return wrong;
}

/** Descriptors and mappings that a long-lived process, as a batch is, would have lost. */
function wrongRest({ left }: FaultyRun, { name }: Call): string[] {
  const excused = leftByOthers[name];
  const ours = excused === undefined ? left : left.filter((line) => !excused.test(line));
  return ours.map((line) => `left ${line}`);
}

/** What others leave when a call fails, by its name. */
const leftByOthers: Readonly<Record<string, RegExp>> = {
  // libbpf, when it cannot copy a descriptor (bpf_map__reuse_fd, tools/lib/bpf/libbpf.c).
  dup3: /^open \d+ open \/$/,
  // Node.js 20, in readFileSync() of bytes (tryStatSync, lib/fs.js).
  fstat: /^open \d+ open \/sys\/kernel\/btf\/vmlinux$/,
};

interface Told {
  readonly error?: { readonly exit?: number; readonly message?: string };
}

/** What is wrong with the words and the exit code. */
function wrongWords({ result }: FaultyRun, errno: string, call: Call): string[] {
  const { status, stderr } = result;
  const lines = stderr.split('\n').filter((line) => line !== '' && !line.startsWith('ready:'));
  let told: Told[];
  try {
    told = lines.map((line) => JSON.parse(line) as Told);
  } catch {
    return [`stderr is not JSON: ${stderr}`];
  }
  if (status === 0 || status === null) return [];
  const { error } = told.findLast((each) => each.error !== undefined) ?? {};
  if (error?.message === undefined) return [`exit ${status} without an error: ${stderr}`];
  if (error.exit !== status) return [`exit ${status}, but says ${error.exit}`];
  if (!exitCodes(errno, call, error.message).includes(status)) return [`exit ${status} for ${errno}: ${error.message}`];
  return [];
}

/**
 * Commands of bpf(2) by which libbpf tries what the kernel can do, and tells nobody why it failed: what then does not work
 * seems to be missing (bpf_object__sanitize_maps, tools/lib/bpf/libbpf.c).
 */
const TRIED_BY_LIBBPF = ['0', '5', '18'];

function isTried({ name, detail }: Call): boolean {
  return name === 'bpf' && TRIED_BY_LIBBPF.includes(detail);
}

/** What `debug` looks for in PATH. */
const TRACERS = /\/(?:bpftrace|perf|cat|setpriv)$/;

/** The exit codes that a failed call may lead to. */
function exitCodes(errno: string, call: Call, message: string): readonly number[] {
  const lacking = isTried(call) && /^(?:cannot trace with |no tracer works here \()builtin: /.test(message) ? [5] : [];
  return [...usualExitCodes(errno, call), ...lacking];
}

function usualExitCodes(errno: string, call: Call): readonly number[] {
  const { name, detail } = call;
  switch (errno) {
    case 'EACCES':
      // A folder of PATH that may not be searched does not have the program, as for the shell.
      if (name === 'access' && TRACERS.test(detail)) return [4, 5];
      return [4];
    case 'EPERM':
      return isTried(call) ? [4, 1] : [4];
    case 'EBUSY':
      return [1, 6];
    case 'ENOENT':
      return [3, 1];
    default:
      return [1];
  }
}
