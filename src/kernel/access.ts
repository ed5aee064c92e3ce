import { lstatSync, statSync } from 'node:fs';

import { lastErrno, libc } from '../ffi/libc.ts';
import { cPath, osPath } from './os-path.ts';

const AT_FDCWD = -100;
/** With the rights that this process has now (linux/fcntl.h). */
const AT_EACCESS = 0x200;

/**
 * Why a file may not be read, written to or searched. Unlike access(2), and so unlike Node's accessSync, this counts the
 * capabilities of a user who is not root, which access(2) puts aside (access_override_creds, fs/open.c).
 *
 * @param mode R_OK, W_OK, X_OK of node:fs
 * @returns 0 when it may, else a positive errno
 */
export function accessError(path: string, mode: number): number {
  return libc.faccessat(AT_FDCWD, cPath(path), mode, AT_EACCESS) === 0 ? 0 : lastErrno();
}

/** What node:fs says of a path at which nothing is, or can be. */
const absences = new Set(['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ELOOP', 'ESRCH']);

/** Whether an error of node:fs says that there is nothing at the path. */
export function isAbsence(error: unknown): boolean {
  return absences.has((error as NodeJS.ErrnoException).code ?? '');
}

/**
 * Whether there is a file. Unlike existsSync, it counts the capabilities of a user who is not root (existsSync looks with
 * access(2), and finds no pin in a directory of root's), and does not call absent what only could not be looked at: what is
 * decided on that (there is no pin, no change was begun) would be wrong.
 *
 * @throws Error of node:fs, e.g. EACCES, ENOMEM
 */
export function exists(path: string): boolean {
  return isFound(() => statSync(osPath(path), { throwIfNoEntry: false }));
}

/** Whether there is a file or a symbolic link, wherever that leads. @throws as exists */
export function isTaken(path: string): boolean {
  return isFound(() => lstatSync(osPath(path), { throwIfNoEntry: false }));
}

function isFound(look: () => unknown): boolean {
  try {
    return look() !== undefined;
  } catch (error) {
    if (isAbsence(error)) return false;
    throw error;
  }
}
