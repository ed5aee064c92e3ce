/** Programs that fetch something. */
import { spawnSync } from 'node:child_process';

/** What cannot be had here, in words for the report. */
export class Unavailable extends Error {}

/**
 * @returns {string} what it prints
 * @throws {Unavailable} with the last line of its stderr
 */
export function must(program, words, options = {}) {
  const { status, stdout, stderr, error } = spawnSync(program, words, {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    timeout: 600_000,
    killSignal: 'SIGKILL',
    ...options,
  });
  if (error !== undefined) throw new Unavailable(`${program}: ${error.message}`);
  const last = (stderr || stdout).trim().split('\n').at(-1) ?? '';
  if (status !== 0) throw new Unavailable(`${program} ${words.at(-1)}: ${last}`);
  return stdout;
}
