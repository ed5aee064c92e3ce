import { closeSync, openSync } from 'node:fs';

import { KernelRefusal } from '../domain/errors.ts';
import { lastErrno, libc } from '../ffi/libc.ts';

/** flock(2) operations (linux/fcntl.h). */
const LOCK_EX = 2;
const LOCK_NB = 4;

const EWOULDBLOCK = 11;
const RETRY_MS = 20;

/**
 * An exclusive lock on a directory, held until disposed of; the kernel drops it when the process dies. Waits for whoever
 * holds it, but hears signals meanwhile.
 *
 * @throws the reason of `signal` when it is aborted while waiting
 */
export async function lockDirectory(path: string, signal: AbortSignal): Promise<Disposable> {
  const fd = openSync(path, 'r');
  try {
    for (;;) {
      if (libc.flock(fd, LOCK_EX | LOCK_NB) === 0) break;
      const errno = lastErrno();
      if (errno !== EWOULDBLOCK) throw new KernelRefusal('lock', errno, { path });
      signal.throwIfAborted();
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return { [Symbol.dispose]: () => closeSync(fd) };
}
