/**
 * `npm test`: sets the machine up, then runs everything, going on after failures.
 *
 *     npm test                  all checks and tests
 *     npm test -- PATTERN …     only the tests in files whose path contains one of the patterns
 *
 * The last line is `N passed, N failed, N skipped`; every check that is not a test file counts as one test.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { runToEnd } from './run-to-end.mjs';
import { setup } from './setup.mjs';
import { vitestStep } from './vitest-step.mjs';

const root = join(import.meta.dirname, '..', '..');
const patterns = process.argv.slice(2);
const inCi = Boolean(process.env.CI);
const isRoot = process.getuid() === 0;

/** @type {import('./vitest-step.mjs').Result[]} */
const results = [];

/** How a check ends that cannot be made here. */
const SKIPPED = 'exit 77';

/** A check that is one program: what it is, its words, and the file without which there is none. */
async function check(name, command, { file, seconds = 180 } = {}) {
  if (file !== undefined && !existsSync(join(root, file))) return;
  console.log(`\n== ${name} ==`);
  const problem = await runToEnd(command, { cwd: root, seconds });
  if (problem === SKIPPED) results.push({ name, state: 'skipped', reason: 'what it needs cannot be had, see above' });
  else results.push({ name, state: problem === undefined ? 'passed' : 'failed', reason: problem });
}

async function tests(project, seconds, { asRoot = false } = {}) {
  console.log(`\n== ${project} tests ==`);
  if (asRoot && !isRoot) {
    results.push({ name: `${project} tests`, state: 'skipped', reason: 'they need root' });
    return;
  }
  results.push(...(await vitestStep({ root, project, patterns, seconds })));
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
  if (those.length > 0 && state !== 'passed') {
    console.log(`\n== ${state} ==`);
    for (const { name, reason } of those) console.log(`${name}: ${reason ?? 'no reason given'}`);
  }
  return `${those.length} ${state}`;
}

const bin = (name) => join(root, 'node_modules', '.bin', name);
const node = process.execPath;

setup({ for: 'test' });
await check('build', [node, 'bin/dev/build.mjs']);
if (patterns.length === 0) {
  await check('format', [bin('oxfmt'), '--check']);
  await check('lint', [bin('oxlint'), '-c', '.oxlintrc.mjs']);
  await check('types', [bin('tsc')]);
}
await tests('unit', 600);
await tests('kernel', 1200, { asRoot: true });
await tests('e2e', 1200, { asRoot: true });
await tests('soak', 300, { asRoot: true });
await tests('faults', 900, { asRoot: true });
if (patterns.length === 0) {
  console.log('\n== other kernels ==');
  // Only now, because it takes npm packages.
  const { kernelSmoke } = await import('../../test/vm/smoke.mjs');
  results.push(...(await kernelSmoke()));
}
if (patterns.length === 0) {
  await check('BPF objects', [node, 'bin/dev/bpf.mjs', '--check'], { file: 'bin/dev/bpf.mjs' });
  await check('manual pages', [node, 'bin/dev/man.mjs', '--check'], { file: 'bin/dev/man.mjs' });
  if (isRoot) await check('libraries', [node, 'test/libraries/run.mjs', '--smoke'], { seconds: 300 });
  await check('benchmarks', [node, 'test/bench/run.mjs', '--smoke'], { file: 'test/bench/run.mjs' });
}
if (inCi) failUnexpectedSkips();
const counts = ['passed', 'failed', 'skipped'];
const lines = ['skipped', 'failed', 'passed'].map(report);
console.log(`\n${counts.map((state) => lines.find((line) => line.endsWith(state))).join(', ')}`);
process.exitCode = results.some(({ state }) => state === 'failed') ? 1 : 0;
