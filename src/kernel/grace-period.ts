import { libc } from '../ffi/libc.ts';

/** Number of the system call, by `process.arch`; the C library has no function for it. */
const membarrier: Readonly<Record<string, number>> = { x64: 324, arm64: 283, riscv64: 283, s390x: 356, ppc64: 365 };

/** MEMBARRIER_CMD_GLOBAL (linux/membarrier.h). */
const GLOBAL = 1;

/** Longer than any network interrupt takes. */
const FALLBACK_MS = 50;

/**
 * Waits until every program that runs now, and every frame that it has redirected, is through: an RCU grace period, some
 * milliseconds. What was changed before is then seen by all that run.
 */
export async function gracePeriod(): Promise<void> {
  const number = membarrier[process.arch];
  // sys_membarrier calls synchronize_rcu; with nohz_full CPUs it refuses to.
  if (number !== undefined && libc.syscall(number, GLOBAL, 0, 0) === 0) return;
  await new Promise((resolve) => setTimeout(resolve, FALLBACK_MS));
}
