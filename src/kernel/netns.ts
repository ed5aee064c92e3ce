import { closeSync, fstatSync, openSync } from 'node:fs';

import { KernelRefusal, ToolError } from '../domain/errors.ts';
import { lastErrno, libc } from '../ffi/libc.ts';
import { isAbsence } from './access.ts';
import { osPath } from './os-path.ts';

const CLONE_NEWNET = 0x4000_0000;

/** How this thread came to be in a network namespace. */
export interface WayIn {
  /** Inode of the namespace that this process began in, where the user types commands. */
  readonly shell: number;
  /** The file of the namespace that was entered. */
  readonly path: string;
}

const ways: WayIn[] = [];

/** How this thread came into the network namespace that it is in; undefined where it has never left its own. */
export function wayIn(): WayIn | undefined {
  return ways.at(-1);
}

/**
 * Puts this thread into a network namespace until the result is disposed of. Synchronous FFI calls and child processes
 * see the namespace; mounts, and so pins, stay the caller's.
 *
 * @param netns a name under /run/netns, a process id, or a path
 * @throws ToolError not-found; KernelRefusal `netns open` or `netns enter`
 */
export function enterNetns(netns: string): Disposable {
  const path = netnsPath(netns);
  const own = openSync('/proc/thread-self/ns/net', 'r');
  try {
    const shell = ways[0]?.shell ?? fstatSync(own).ino;
    enter(path);
    ways.push({ shell, path });
  } catch (error) {
    closeSync(own);
    throw error;
  }
  return {
    [Symbol.dispose]() {
      ways.pop();
      libc.setns(own, CLONE_NEWNET);
      closeSync(own);
    },
  };
}

/** Runs a synchronous function inside a network namespace. */
export function inNetns<Result>(netns: string, act: () => Result): Result {
  using _inside = enterNetns(netns);
  return act();
}

/** The file that stands for a namespace given by name, process id or path. */
export function netnsPath(netns: string): string {
  if (netns.includes('/')) return netns;
  return /^[0-9]+$/.test(netns) ? `/proc/${netns}/ns/net` : `/run/netns/${netns}`;
}

function enter(path: string): void {
  let fd;
  try {
    fd = openSync(osPath(path), 'r');
  } catch (cause) {
    if (!isAbsence(cause))
      throw new KernelRefusal('netns open', -((cause as NodeJS.ErrnoException).errno ?? 0), { path });
    throw new ToolError('not-found', `there is no network namespace ${path}`, {
      hint: 'see: ip netns list',
      cause,
    });
  }
  try {
    if (libc.setns(fd, CLONE_NEWNET) !== 0) {
      const errno = lastErrno();
      if (errno === 22) {
        throw new ToolError('usage', `${path} is not a network namespace`, { errno });
      }
      throw new KernelRefusal('netns enter', errno, { path });
    }
  } finally {
    closeSync(fd);
  }
}
