/** Runs one of the Vitest projects and says how each of its tests ended, also those of a process that died. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

import { runToEnd } from './run-to-end.mjs';

const vitest = join(import.meta.dirname, '..', '..', 'node_modules', 'vitest', 'vitest.mjs');
const reporter = join(import.meta.dirname, 'test-reporter.mjs');

/**
 * @typedef {{ name: string, file?: string, state: 'passed' | 'failed' | 'skipped', reason?: string }} Result
 * `file`: that of a test which told its end itself
 * @typedef {{ file: string, name?: string, state: 'expected' | Result['state'], reason?: string }} Line of test-reporter.mjs
 */

/** @returns {Line[]} */
function readLines(file) {
  try {
    // What follows the last line feed is a line that was cut off, or nothing.
    return readFileSync(file, 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line));
  } catch (error) {
    if (error.code === 'ENOENT') return []; // The run ended before it knew what to run.
    throw error;
  }
}

/** The expected tests, and the files whose tests nobody got to know, that no result speaks of; a name may occur more than once. */
function lostTests(expected, results) {
  const known = new Set([...expected.filter(({ name }) => name !== undefined), ...results].map(({ file }) => file));
  const reported = results.map(label);
  return expected
    .filter((line) => line.name !== undefined || !known.has(line.file))
    .filter((line) => {
      const index = reported.indexOf(label(line));
      if (index !== -1) reported.splice(index, 1);
      return index === -1;
    });
}

function label({ file, name }) {
  return name === undefined ? file : `${file} > ${name}`;
}

/**
 * @param {object} step
 * @param {string} step.root the folder with vitest.config.ts
 * @param {string} step.project unit, kernel or e2e
 * @param {string[]} step.patterns parts of file names, which may be those of no file; all files when empty
 * @param {number} step.seconds after which the run is killed
 * @returns {Promise<Result[]>}
 */
export async function vitestStep({ root, project, patterns, seconds }) {
  const scratch = mkdtempSync(join(tmpdir(), 'xdpctl-test-'));
  try {
    const file = join(scratch, 'results.jsonl');
    const words = ['--project', project, '--reporter=default', `--reporter=${reporter}`];
    if (patterns.length > 0) words.push('--passWithNoTests', ...patterns);
    const problem = await runToEnd([process.execPath, vitest, 'run', ...words], {
      cwd: root,
      seconds,
      env: { VITEST_RESULTS_FILE: file },
    });
    const lines = readLines(file).map((line) => ({ ...line, file: relative(root, line.file) }));
    const ended = lines.filter(({ state }) => state !== 'expected');
    const lost = lostTests(
      lines.filter(({ state }) => state === 'expected'),
      ended,
    );
    const results = [
      ...ended.map(({ state, reason, ...test }) => ({ name: label(test), file: test.file, state, reason })),
      ...lost.map((test) => failure(label(test), 'no result: its process died or was killed')),
    ];
    // Leftovers and errors outside of tests are told by the exit code alone.
    if (problem !== undefined && !results.some(({ state }) => state === 'failed')) {
      results.push(failure(`${project} tests`, `Vitest: ${problem}, see above`));
    }
    return results;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function failure(name, reason) {
  return { name, state: 'failed', reason };
}
