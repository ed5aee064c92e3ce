import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

import { isListing } from '../run-id.ts';

/** Before the tests that run the command, or a part of it: builds it. */
export default function setup(): void {
  if (isListing()) return;
  const script = join(import.meta.dirname, '..', '..', '..', 'bin', 'dev', 'build.mjs');
  execFileSync(process.execPath, [script], { stdio: 'inherit' });
}
