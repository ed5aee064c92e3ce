import { accessSync, constants } from 'node:fs';

import type { TestContext } from 'vitest';

/**
 * Skips a test on a machine that lacks a program. `npm test` installs what it can, and in CI the skip is a failure
 * unless test/allowed-skips.json names the program.
 */
export function needProgram(context: TestContext, name: string): void {
  const folders = (process.env['PATH'] ?? '').split(':');
  if (!folders.some((folder) => isExecutable(`${folder}/${name}`))) context.skip(`${name} is not installed`);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
