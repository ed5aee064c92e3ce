import { accessSync, constants } from 'node:fs';

import type { TestContext } from 'vitest';

/**
 * Skips a test on a machine that lacks a program. `npm test` installs what it can, and in CI the skip is a failure
 * unless test/allowed-skips.json names the program.
 */
export function needProgram(context: TestContext, name: string): void {
  if (!hasProgram(name)) context.skip(`${name} is not installed`);
}

/** Whether a program is in PATH. */
export function hasProgram(name: string): boolean {
  return (process.env['PATH'] ?? '').split(':').some((folder) => isExecutable(`${folder}/${name}`));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
