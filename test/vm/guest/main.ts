/**
 * Inside of the virtual machine, or on this machine: runs each bundle of a test file in a process of its own.
 *
 *     node main.mjs BUNDLE…
 */
import { spawnSync } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { basename } from 'node:path';

import setUp from '../../support/setup/kernel.ts';
import { slowness } from '../../support/slowness.ts';

/** How long one file may take, where nothing is slow. */
const SECONDS = 300;

function write(line: object): void {
  appendFileSync(process.env['XDPCTL_RESULTS'] ?? '/dev/stdout', `${JSON.stringify(line)}\n`);
}

const tearDown = setUp();
for (const bundle of process.argv.slice(2)) {
  const begin = performance.now();
  const { status, signal } = spawnSync(process.execPath, [bundle], {
    stdio: ['ignore', 'inherit', 'inherit'],
    timeout: SECONDS * 1000 * slowness,
    killSignal: 'SIGKILL',
  });
  const seconds = Math.round((performance.now() - begin) / 100) / 10;
  const file = basename(bundle, '.mjs').replaceAll('!', '/');
  write({ file, ended: status ?? signal, seconds });
}
try {
  await tearDown?.();
} catch (error) {
  write({ file: 'all', name: 'leave nothing behind', state: 'failed', reason: String(error) });
}
