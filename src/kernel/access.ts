import { lstatSync, statSync } from 'node:fs';

import { lastErrno, libc } from '../ffi/libc.ts';

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
  return libc.faccessat(AT_FDCWD, path, mode, AT_EACCESS) === 0 ? 0 : lastErrno();
}

/**
 * Whether there is a file, as existsSync tells it, but with the capabilities of a user who is not root: existsSync looks with
 * access(2), and finds no pin in a directory of root's.
 */
export function exists(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false;
  }
}

/** Whether there is a file or a symbolic link, wherever that leads. */
export function isTaken(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false;
  }
}
