/**
 * `npm test`: sets the machine up, then runs everything, two things at a time, going on after failures.
 *
 *     npm test                  all checks and tests
 *     npm test -- PATTERN …     only the tests in files whose path contains one of the patterns
 *
 * Files with tests that failed beside others are run once more alone (second-look.mjs). The last line is
 * `N passed, N failed, N skipped`; every check that is not a test file counts as one test.
 */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

import { runToEnd } from './run-to-end.mjs';
import { secondLook } from './second-look.mjs';
import { setup } from './setup.mjs';
import { vitestStep } from './vitest-step.mjs';

const root = join(import.meta.dirname, '..', '..');
const patterns = process.argv.slice(2);
const inCi = Boolean(process.env.CI);
const isRoot = process.getuid() === 0;
const bin = (name) => join(root, 'node_modules', '.bin', name);
const node = process.execPath;

/** @type {import('./second-look.mjs').ProjectResult[]} */
let results = [];

/** How a check ends that cannot be made here. */
const SKIPPED = 'exit 77';

/** Does a thing that goes by a name, and says when it begins and how long it took. */
async function timed(name, action) {
  console.log(`\n== ${name} ==`);
  const begin = performance.now();
  results.push(...(await action()));
  console.log(`\n== ${name}: ${Math.round((performance.now() - begin) / 1000)} s ==`);
}

/** A check that is one program: what it is, and its words. */
function check(name, command, { seconds = 180, asRoot = false } = {}) {
  return timed(name, async () => {
    if (asRoot && !isRoot) return [needsRoot(name)];
    const problem = await runToEnd(command, { cwd: root, seconds });
    if (problem === SKIPPED) return [{ name, state: 'skipped', reason: 'what it needs cannot be had, see above' }];
    return [{ name, state: problem === undefined ? 'passed' : 'failed', reason: problem }];
  });
}

function tests(project, seconds, { asRoot = false } = {}) {
  const name = `${project} tests`;
  return timed(name, async () => {
    if (asRoot && !isRoot) return [needsRoot(name)];
    const ended = await vitestStep({ root, project, patterns, seconds });
    return ended.map((result) => ({ ...result, project }));
  });
}

/** Once more, with nothing beside it. */
function alone(project, files) {
  console.log(`\n== once more, alone: ${files.join(', ')} ==`);
  return vitestStep({ root, project, patterns: files, seconds: 600 });
}

function needsRoot(name) {
  return { name, state: 'skipped', reason: 'they need root' };
}

function otherKernels() {
  return timed('other kernels', async () => {
    // Only now, because it takes npm packages.
    const { kernelSmoke } = await import('../../test/vm/smoke.mjs');
    return kernelSmoke();
  });
}

/** Does these jobs, each of which waits more than it computes, in their order and two at a time. */
async function inTwoLanes(jobs) {
  const waiting = [...jobs];
  const lane = async () => {
    for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) await job();
  };
  await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, lane));
}

/**
 * Skipping is for machines that lack something. CI has everything but what test/allowed-skips.json lists, as
 * `{ "missing": part of the reason for the skip, "because": why CI cannot have it }`.
 */
function failUnexpectedSkips() {
  const allowed = JSON.parse(readFileSync(join(root, 'test', 'allowed-skips.json'), 'utf8'));
  for (const result of results) {
    if (result.state !== 'skipped' || allowed.some(({ missing }) => result.reason?.includes(missing))) continue;
    result.state = 'failed';
    result.reason = `skipped, which test/allowed-skips.json does not allow: ${result.reason ?? 'no reason given'}`;
  }
}

function report(state) {
  const those = results.filter((result) => result.state === state);
  if (state !== 'passed') list(state, those);
  return `${those.length} ${state}`;
}

function list(title, those) {
  if (those.length > 0) console.log(`\n== ${title} ==`);
  for (const { name, reason } of those) console.log(`${name}: ${reason ?? 'no reason given'}`);
}

setup({ for: 'test' });
await check('build', [node, 'bin/dev/build.mjs']);
process.env.XDPCTL_TEST_BUILT = 'yes'; // For test/support/setup/built.ts.
if (patterns.length === 0) {
  await check('format', [bin('oxfmt'), '--check']);
  await check('lint', [bin('oxlint'), '-c', '.oxlintrc.mjs']);
  await check('types', [bin('tsc')]);
  await check('BPF objects', [node, 'bin/dev/bpf.mjs', '--check']);
  await check('manual pages', [node, 'bin/dev/man.mjs', '--check']);
}
// Each test takes what others on the machine do for theirs; the longest goes first.
const jobs = [
  () => tests('e2e', 2400, { asRoot: true }),
  () => tests('unit', 600),
  () => tests('kernel', 2400, { asRoot: true }),
  () => tests('faults', 900, { asRoot: true }),
  () => tests('soak', 600, { asRoot: true }),
];
if (patterns.length === 0) {
  const longer = { seconds: 300, asRoot: true };
  jobs.push(otherKernels);
  jobs.push(() => check('libraries', [node, 'test/libraries/run.mjs', '--smoke'], longer));
  jobs.push(() => check('benchmarks', [node, 'test/bench/run.mjs', '--smoke'], longer));
}
await inTwoLanes(jobs);
const look = await secondLook(results, alone);
results = look.results;
if (inCi) failUnexpectedSkips();
list('failed beside other tests, and passed alone', look.disturbed);
const counts = ['passed', 'failed', 'skipped'];
const lines = ['skipped', 'failed', 'passed'].map(report);
console.log(`\n${counts.map((state) => lines.find((line) => line.endsWith(state))).join(', ')}`);
process.exitCode = results.some(({ state }) => state === 'failed') ? 1 : 0;
