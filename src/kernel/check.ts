import { KernelRefusal, type RefusalFacts } from '../domain/errors.ts';

/**
 * The result of a libbpf call when it succeeded.
 *
 * @param result what the call returned: 0 or a descriptor, or a negative errno (libbpf >= 1.0)
 * @throws KernelRefusal when it is negative
 */
export function check(result: number, operation: string, facts?: RefusalFacts): number {
  if (result < 0) throw new KernelRefusal(operation, -result, facts);
  return result;
}

/** Linux errno numbers that kernel objects treat as answers, not as failures. */
export const EPERM = 1;
export const ENOENT = 2;
export const EINTR = 4;
export const E2BIG = 7;
export const EBADF = 9;
export const EAGAIN = 11;
export const ENOMEM = 12;
export const EACCES = 13;
export const EBUSY = 16;
export const EEXIST = 17;
export const ENODEV = 19;
export const EINVAL = 22;
export const ENOSPC = 28;
export const EPIPE = 32;
export const ENOTSOCK = 88;
export const EOPNOTSUPP = 95;
export const ENOBUFS = 105;
/** Kernel-internal, leaked to user space by the map batch calls (include/linux/errno.h). */
export const ENOTSUPP = 524;
