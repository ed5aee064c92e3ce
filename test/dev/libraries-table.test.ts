import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

import { expect, it } from 'vitest';

const project = join(import.meta.dirname, '..', '..');

it('README.md has the table that the results of npm run test:libraries make', () => {
  const { status, stderr } = spawnSync(process.execPath, ['test/libraries/report.mjs', '--check'], {
    cwd: project,
    encoding: 'utf8',
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});
