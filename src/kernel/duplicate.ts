import { KernelRefusal, type RefusalFacts } from '../domain/errors.ts';
import { lastErrno, libc } from '../ffi/libc.ts';
import { EINVAL } from './check.ts';
import { Fd } from './fd.ts';

/** F_DUPFD_CLOEXEC (linux/fcntl.h). */
const F_DUPFD_CLOEXEC = 1030;

/**
 * Another descriptor of the same object, the caller's own. A negative one (nothing there) is refused with EINVAL.
 *
 * @throws KernelRefusal `operation`
 */
export function duplicate(fd: number, operation: string, facts: RefusalFacts = {}): Fd {
  if (fd < 0) throw new KernelRefusal(operation, EINVAL, facts);
  const copy = libc.fcntl(fd, F_DUPFD_CLOEXEC, 3);
  if (copy < 0) throw new KernelRefusal(operation, lastErrno(), facts);
  return new Fd(copy);
}
