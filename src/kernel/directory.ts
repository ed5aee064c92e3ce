import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Makes a directory that only its owner may look into, and those above it that are not there. With node:fs's own `recursive`
 * a failure is told as ENOENT, whatever it was.
 *
 * @throws Error of node:fs; EEXIST for something that is no directory
 */
export function makeDirectory(path: string): void {
  try {
    mkdirSync(path, 0o700);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && dirname(path) !== path) {
      makeDirectory(dirname(path));
      makeOne(path);
    } else acceptDirectory(path, error);
  }
}

function makeOne(path: string): void {
  try {
    mkdirSync(path, 0o700);
  } catch (error) {
    acceptDirectory(path, error);
  }
}

/** Somebody else may have made it. */
function acceptDirectory(path: string, error: unknown): void {
  const { code } = error as NodeJS.ErrnoException;
  if (code !== 'EEXIST' || statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) throw error;
}
