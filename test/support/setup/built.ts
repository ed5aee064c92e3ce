import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** Before the e2e tests: builds the command they run. */
export default function setup(): void {
  const script = join(import.meta.dirname, '..', '..', '..', 'bin', 'dev', 'build.mjs');
  execFileSync(process.execPath, [script], { stdio: 'inherit' });
}
