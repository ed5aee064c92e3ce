import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** Before the tests that run the command, or a part of it: builds it, unless `npm test` just has (bin/dev/test.mjs). */
export default function setup(): void {
  if (process.env['XDPCTL_TEST_BUILT'] !== undefined) return;
  const script = join(import.meta.dirname, '..', '..', '..', 'bin', 'dev', 'build.mjs');
  execFileSync(process.execPath, [script], { stdio: 'inherit' });
}
