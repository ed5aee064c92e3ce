import { libc } from '../ffi/libc.ts';
import { Fd } from './fd.ts';

/** System calls that the C library of Debian 12 has no function for; the numbers are the same on all architectures. */
const SYS_pidfd_open = 434;
const SYS_pidfd_getfd = 438;

/**
 * A duplicate of another process's descriptor (Linux 5.6, with the right to trace that process). It keeps what it stands
 * for open: whoever asks closes it at once.
 *
 * @returns undefined when the process or the descriptor has gone, or may not be had
 */
export function duplicateOf(pid: number, fd: number): Fd | undefined {
  const pidfd = libc.syscall(SYS_pidfd_open, pid, 0, 0);
  if (pidfd < 0) return undefined;
  using process = new Fd(pidfd);
  const duplicate = libc.syscall(SYS_pidfd_getfd, process.number, fd, 0);
  return duplicate < 0 ? undefined : new Fd(duplicate);
}
