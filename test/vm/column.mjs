/** The tests on one kernel, in a virtual machine or on this one. */
import { spawn } from 'node:child_process';
import { appendFileSync, closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

import { runMachine } from './machine.mjs';

/** How much slower emulation is than the machine it runs on, as far as limits of waiting go. */
const slowness = process.env.XDPCTL_SLOW ?? '10';

/** @returns {Record<string, string>} the environment of the tests in a virtual machine */
export function guestEnvironment() {
  return { XDPCTL_SLOW: slowness, XDPCTL_RESULTS: '/dev/ttyS1', NO_COLOR: '1' };
}

/**
 * @typedef {object} Column
 * @property {string} name the kernel, as in kernels.mjs
 * @property {string} release
 * @property {import('../../bin/dev/vitest-step.mjs').Result[]} results
 * @property {{ file: string, seconds: number }[]} files how long each took
 * @property {number} seconds
 * @property {string} log what was printed
 */

/**
 * Boots a kernel, and lets it run the tests that are in the archive.
 *
 * @param {import('./kernels.mjs').Kernel} kernel
 * @param {{ archive: string, files: readonly string[], folder: string, seconds: number }} tests
 * @returns {Promise<Column>}
 */
export async function machineColumn({ name, release: kernel, image }, { archive, files, folder, seconds }) {
  const log = join(folder, `${name}.log`);
  const collected = new Collected(files);
  const begin = performance.now();
  const problem = await runMachine({ image, archive, log, seconds }, (line) => {
    appendFileSync(join(folder, `${name}.jsonl`), `${JSON.stringify(line)}\n`);
    collected.take(line);
  });
  return {
    name,
    release: kernel,
    ...collected.finish(problem),
    seconds: secondsSince(begin),
    // One that was ended at once has not begun its log.
    log: existsSync(log) ? stripVTControlCharacters(readFileSync(log, 'utf8')) : '',
  };
}

/**
 * The same tests on the kernel that runs.
 *
 * @param {{ main: string, bundles: readonly string[], files: readonly string[], folder: string }} tests
 * @returns {Promise<Column>}
 */
export async function ownColumn({ main, bundles, files, folder }) {
  const [results, log] = ['own.jsonl', 'own.log'].map((name) => join(folder, name));
  const collected = new Collected(files);
  const begin = performance.now();
  const fd = openSync(log, 'w');
  closeSync(openSync(results, 'w'));
  const problem = await new Promise((resolve) => {
    const child = spawn(process.execPath, [main, ...bundles], {
      stdio: ['ignore', fd, fd],
      env: { ...process.env, XDPCTL_RESULTS: results, NO_COLOR: '1' },
    });
    child.on('error', (error) => resolve(error.message));
    child.on('close', (status, signal) => resolve(status === 0 ? undefined : (signal ?? `exit ${status}`)));
  });
  closeSync(fd);
  for (const line of readFileSync(results, 'utf8').split('\n').filter(Boolean)) collected.take(JSON.parse(line));
  return {
    name: /^\d+\.\d+/.exec(release())?.[0] ?? release(),
    // What stands behind the number is this machine's own.
    release: /^[\d.]+/.exec(release())?.[0] ?? release(),
    ...collected.finish(problem),
    seconds: secondsSince(begin),
    log: readFileSync(log, 'utf8'),
  };
}

/** Lines that guest/main.ts and guest/run-file.ts write. */
class Collected {
  #files;
  #results = [];
  #ended = new Map();

  constructor(files) {
    this.#files = files;
  }

  take(line) {
    if ('ended' in line) this.#ended.set(line.file, line);
    else this.#results.push(line);
  }

  /** @param {string | undefined} problem why it did not end in order */
  finish(problem) {
    const results = this.#results.map((result) => ({ ...result, name: `${result.file} > ${result.name}` }));
    for (const file of this.#files) {
      const { ended } = this.#ended.get(file) ?? {};
      if (ended === 0) continue;
      const reason = ended === undefined ? (problem ?? 'never begun') : `its process ended with ${ended}`;
      results.push({ file, name: file, state: 'failed', reason });
    }
    const files = [...this.#ended.values()].map(({ file, seconds }) => ({ file, seconds }));
    return { results, files };
  }
}

function secondsSince(begin) {
  return Math.round((performance.now() - begin) / 1000);
}
