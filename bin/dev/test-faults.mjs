/**
 * `npm run test:faults`: every system call of every command that changes something fails, at every position, with each errno
 * that it can give, and every such command is killed before each of them (test/faults/).
 * Takes hours.
 *
 *     npm run test:faults                      all
 *     npm run test:faults -- PATTERN …         only the files whose path contains one of the patterns
 *     XDPCTL_FAULTS=calls npm run test:faults  each call once, with one errno
 */
import { join } from 'node:path';

import { runToEnd } from './run-to-end.mjs';
import { setup } from './setup.mjs';

const root = join(import.meta.dirname, '..', '..');

/** Longer than all of it takes on a slow machine. */
const SECONDS = 6 * 3600;

setup({ for: 'test' });
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
const problem = await runToEnd([process.execPath, vitest, 'run', '--project', 'faults', ...process.argv.slice(2)], {
  cwd: root,
  seconds: SECONDS,
  env: { XDPCTL_FAULTS: process.env.XDPCTL_FAULTS ?? 'all' },
});
if (problem !== undefined) {
  console.error(`error: ${problem}`);
  process.exitCode = 1;
}
