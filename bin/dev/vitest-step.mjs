/** Runs one of the Vitest projects and says how each of its tests ended, also those of a process that died. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

import { runToEnd } from './run-to-end.mjs';

const vitest = join(import.meta.dirname, '..', '..', 'node_modules', 'vitest', 'vitest.mjs');
const reporter = join(import.meta.dirname, 'test-reporter.mjs');

/**
 * @typedef {{ name: string, state: 'passed' | 'failed' | 'skipped', reason?: string }} Result
 */

/**
 * What `vitest list` prints as JSON.
 * @returns {{ file: string, name?: string }[] | undefined} undefined when a file cannot be loaded
 */
function list(root, words, scratch) {
  const file = join(scratch, 'list.json');
  const { status } = spawnSync(process.execPath, [vitest, 'list', `--json=${file}`, ...words], {
    cwd: root,
    env: { ...process.env, VITEST_LISTING: 'yes' },
    timeout: 120_000,
    killSignal: 'SIGKILL',
  });
  return status === 0 ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
}

/** The tests that a run must report; just the files when one of them cannot be loaded; undefined when nothing works. */
function listTests({ root, project, patterns }, scratch) {
  const words = ['--project', project, ...patterns];
  const tests = list(root, words, scratch);
  if (tests !== undefined) return tests.map((test) => label(root, test));
  return list(root, [...words, '--filesOnly'], scratch)?.map(({ file }) => relative(root, file));
}

function label(root, { file, name }) {
  return `${relative(root, file)} > ${name}`;
}

function readResults(root, file) {
  try {
    const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
    return lines.map((line) => JSON.parse(line)).map((result) => ({ ...result, name: label(root, result) }));
  } catch {
    return []; // The run ended before its first test did.
  }
}

/** The expected tests, or files, that no result speaks of; a name may occur more than once. */
function lostTests(expected, results) {
  const reported = results.map(({ name }) => name);
  return expected.filter((name) => {
    const isFile = name.endsWith('.test.ts');
    const index = reported.findIndex((other) => other === name || (isFile && other.startsWith(`${name} > `)));
    if (index !== -1) reported.splice(index, 1);
    return index === -1;
  });
}

/**
 * @param {object} step
 * @param {string} step.root the folder with vitest.config.ts
 * @param {string} step.project unit, kernel or e2e
 * @param {string[]} step.patterns parts of file names; all files when empty
 * @param {number} step.seconds after which the run is killed
 * @returns {Promise<Result[]>}
 */
export async function vitestStep(step) {
  const { root, project, patterns, seconds } = step;
  const scratch = mkdtempSync(join(tmpdir(), 'xdpctl-test-'));
  try {
    const expected = listTests(step, scratch);
    if (expected === undefined) return [failure(project, 'Vitest cannot list them')];
    if (expected.length === 0) return [];
    const file = join(scratch, 'results.jsonl');
    const reporters = ['--reporter=default', `--reporter=${reporter}`];
    const problem = await runToEnd([process.execPath, vitest, 'run', '--project', project, ...reporters, ...patterns], {
      cwd: root,
      seconds,
      env: { VITEST_RESULTS_FILE: file },
    });
    const results = readResults(root, file);
    for (const name of lostTests(expected, results)) {
      results.push({ name, state: 'failed', reason: 'no result: its process died or was killed' });
    }
    // Leftovers and errors outside of tests are told by the exit code alone.
    if (problem !== undefined && !results.some(({ state }) => state === 'failed')) {
      results.push(failure(project, `Vitest: ${problem}, see above`));
    }
    return results;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function failure(project, reason) {
  return { name: `${project} tests`, state: 'failed', reason };
}
