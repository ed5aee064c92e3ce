import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

import { isListing } from '../run-id.ts';

/** Before the e2e tests: builds the command they run. */
export default function setup(): void {
  if (isListing()) return;
  const script = join(import.meta.dirname, '..', '..', '..', 'bin', 'dev', 'build.mjs');
  execFileSync(process.execPath, [script], { stdio: 'inherit' });
}
