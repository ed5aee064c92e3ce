/** Runs one of the Vitest projects and says how each of its tests ended, also those of a process that died. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import { stripVTControlCharacters } from 'node:util';

const root = join(import.meta.dirname, '..', '..');
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
const reporter = join(import.meta.dirname, 'test-reporter.mjs');

/**
 * @typedef {{ name: string, state: 'passed' | 'failed' | 'skipped', reason?: string }} Result
 */

/** Vitest colours what its workers print even off a terminal. */
function printWithoutColour(stream) {
  createInterface({ input: stream }).on('line', (line) => console.log(stripVTControlCharacters(line)));
}

/**
 * Runs a program on our terminal, and kills it with all its children when it takes too long.
 * @returns {Promise<string | undefined>} what went wrong
 */
export function runToEnd([program, ...args], { seconds, env = {} }) {
  return new Promise((resolve) => {
    // A group of its own, so that a child that hangs in a loop can be killed too.
    const terminal = process.stdout.isTTY;
    const output = terminal ? 'inherit' : 'pipe';
    const child = spawn(program, args, {
      cwd: root,
      detached: true,
      stdio: ['ignore', output, output],
      env: { ...process.env, ...env },
    });
    if (!terminal) [child.stdout, child.stderr].forEach(printWithoutColour);
    let problem;
    const killGroup = (signal) => {
      try {
        process.kill(-child.pid, signal);
      } catch {
        // It has just ended.
      }
    };
    const interrupt = () => {
      problem = 'interrupted';
      killGroup('SIGINT');
    };
    process.on('SIGINT', interrupt);
    process.on('SIGTERM', interrupt);
    const timer = setTimeout(() => {
      problem = `killed after ${seconds} seconds`;
      killGroup('SIGKILL');
    }, seconds * 1000);
    child.on('error', (error) => (problem = error.message));
    child.on('close', (status, signal) => {
      clearTimeout(timer);
      process.off('SIGINT', interrupt);
      process.off('SIGTERM', interrupt);
      killGroup('SIGKILL');
      resolve(problem ?? (status === 0 ? undefined : (signal ?? `exit ${status}`)));
    });
  });
}

/**
 * What `vitest list` prints as JSON.
 * @returns {{ file: string, name?: string }[] | undefined} undefined when a file cannot be loaded
 */
function list(words, folder) {
  const file = join(folder, 'list.json');
  const { status } = spawnSync(process.execPath, [vitest, 'list', `--json=${file}`, ...words], {
    cwd: root,
    env: { ...process.env, VITEST_LISTING: 'yes' },
    timeout: 120_000,
    killSignal: 'SIGKILL',
  });
  return status === 0 ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
}

/** The tests that a run must report; just the files when one of them cannot be loaded; undefined when nothing works. */
function listTests(project, patterns, folder) {
  const words = ['--project', project, ...patterns];
  const tests = list(words, folder);
  if (tests !== undefined) return tests.map(({ file, name }) => label(file, name));
  return list([...words, '--filesOnly'], folder)?.map(({ file }) => relative(root, file));
}

function label(file, name) {
  return `${relative(root, file)} > ${name}`;
}

function readResults(file) {
  try {
    const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
    return lines
      .map((line) => JSON.parse(line))
      .map((result) => ({ ...result, name: label(result.file, result.name) }));
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
 * @param {string} project unit, kernel or e2e
 * @param {string[]} patterns parts of file names; all files when empty
 * @param {number} seconds after which the run is killed
 * @returns {Promise<Result[]>}
 */
export async function vitestStep(project, patterns, seconds) {
  const folder = mkdtempSync(join(tmpdir(), 'xdpctl-test-'));
  try {
    const expected = listTests(project, patterns, folder);
    if (expected === undefined)
      return [{ name: `${project} tests`, state: 'failed', reason: 'Vitest cannot list them' }];
    if (expected.length === 0) return [];
    const file = join(folder, 'results.jsonl');
    const reporters = ['--reporter=default', `--reporter=${reporter}`];
    const problem = await runToEnd([process.execPath, vitest, 'run', '--project', project, ...reporters, ...patterns], {
      seconds,
      env: { VITEST_RESULTS_FILE: file },
    });
    const results = readResults(file);
    for (const name of lostTests(expected, results)) {
      results.push({ name, state: 'failed', reason: 'no result: its process died or was killed' });
    }
    // Leftovers and errors outside of tests are told by the exit code alone.
    if (problem !== undefined && !results.some(({ state }) => state === 'failed')) {
      results.push({ name: `${project} tests`, state: 'failed', reason: `Vitest: ${problem}, see above` });
    }
    return results;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
