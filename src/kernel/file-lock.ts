import { closeSync, fstatSync, openSync, rmdirSync, statSync } from 'node:fs';

import { KernelRefusal, ToolError } from '../domain/errors.ts';
import { lastErrno, libc } from '../ffi/libc.ts';
import { makeDirectory } from './directory.ts';

/** flock(2) operations (linux/fcntl.h). */
const LOCK_EX = 2;
const LOCK_NB = 4;

const EWOULDBLOCK = 11;
const RETRY_MS = 10;
/** After how many tries the caller is told what it waits for. */
const PATIENCE = 100;

/**
 * An exclusive lock on a directory, which is made (mode 0700) where it is not there, and removed again at the end when it
 * is empty. Held until disposed of; the kernel drops it when the process dies. Waits for whoever holds it, but hears
 * signals meanwhile.
 *
 * @param onWait called when it takes a second
 * @throws the reason of `signal` when it is aborted while waiting; ToolError permission, conflict
 */
export async function lockDirectory(path: string, signal: AbortSignal, onWait: () => void): Promise<Disposable> {
  for (;;) {
    const fd = openDirectory(path);
    if (fd === undefined) continue;
    try {
      await lock(fd, path, signal, onWait);
      // Whoever held it may have removed the directory at the end.
      if (statSync(path, { throwIfNoEntry: false })?.ino === fstatSync(fd).ino) return releasing(fd, path);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    closeSync(fd);
  }
}

/**
 * Does something short while no other process does it under the lock of the same directory. Whoever holds the lock for
 * longer than a second is none of ours (any user may lock a directory that he may read), and is not waited for.
 *
 * @param path a directory
 */
export function underLock(path: string, action: () => void): void {
  const fd = openSync(path, 'r');
  try {
    for (let tries = 0; tries < PATIENCE && libc.flock(fd, LOCK_EX | LOCK_NB) !== 0; tries += 1) {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS);
    }
    action();
  } finally {
    closeSync(fd);
  }
}

async function lock(fd: number, path: string, signal: AbortSignal, onWait: () => void): Promise<void> {
  for (let tries = 1; libc.flock(fd, LOCK_EX | LOCK_NB) !== 0; tries += 1) {
    const errno = lastErrno();
    if (errno !== EWOULDBLOCK) throw new KernelRefusal('lock', errno, { path });
    signal.throwIfAborted();
    if (tries === PATIENCE) onWait();
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

/** Undefined when it has been removed meanwhile. @throws ToolError permission, conflict */
function openDirectory(path: string): number | undefined {
  try {
    makeDirectory(path);
    return openSync(path, 'r');
  } catch (error) {
    const { code, errno = 0 } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    const details = { errno: -errno, operation: 'lock', cause: error };
    if (code === 'EEXIST' || code === 'ENOTDIR') {
      throw new ToolError('conflict', `${path} is not a directory, but xdpctl keeps its pins there`, details);
    }
    if (code !== 'EACCES' && code !== 'EPERM') throw error;
    throw new ToolError('permission', `${path} may not be changed without CAP_DAC_OVERRIDE`, {
      ...details,
      hint: 'run it as root, or with that capability',
    });
  }
}

function releasing(fd: number, path: string): Disposable {
  return {
    [Symbol.dispose]() {
      try {
        rmdirSync(path);
      } catch {
        // Not empty: that is what it is for.
      }
      closeSync(fd);
    },
  };
}
