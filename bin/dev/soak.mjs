/**
 * `npm run soak`: thousands of commands, and listeners that run for long under load: descriptors, memory, and what the
 * kernel holds must not grow (test/soak/, of which `npm test` does a minute). Prints how each number went.
 *
 *     npm run soak                            10,000 commands, 100,000 lines of a batch, an hour of listening
 *     npm run soak -- --commands N --lines N --time T    T in minutes: 15m, or seconds: 90s
 *     npm run soak -- PATTERN …               only the files whose path contains one of the patterns
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { runToEnd } from './run-to-end.mjs';
import { setup } from './setup.mjs';

const root = join(import.meta.dirname, '..', '..');

/** Longer than any of it takes on a slow machine. */
const SECONDS = 24 * 3600;

/** @param {string} word */
function secondsOf(word) {
  const [, digits, unit] = /^(\d+)([ms])$/.exec(word) ?? [];
  if (digits !== undefined) return Number(digits) * (unit === 'm' ? 60 : 1);
  console.error(`error: --time ${word}: want minutes or seconds, 15m or 90s`);
  return process.exit(2);
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    commands: { type: 'string', default: '10000' },
    lines: { type: 'string', default: '100000' },
    time: { type: 'string', default: '60m' },
  },
});
const env = {
  XDPCTL_SOAK_COMMANDS: values.commands,
  XDPCTL_SOAK_LINES: values.lines,
  XDPCTL_SOAK_SECONDS: String(secondsOf(values.time)),
};

setup({ for: 'test' });
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
const problem = await runToEnd([process.execPath, vitest, 'run', '--project', 'soak', ...positionals], {
  cwd: root,
  seconds: SECONDS,
  env,
});
if (problem !== undefined) {
  console.error(`error: ${problem}`);
  process.exitCode = 1;
}
