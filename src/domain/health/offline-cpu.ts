import { enableCpu, inOrder, writeQueue } from '../ledger/fixes.ts';
import type { LiveEntry, LiveMap } from '../live-system.ts';
import { mapLabel } from '../observed-path.ts';
import type { PathProblem } from './problem.ts';

/**
 * What comes of an entry of a cpumap for a CPU that is not online. Its thread is bound to the CPU (kthread_bind,
 * kernel/bpf/cpumap.c); when that is away as the thread is woken, the scheduler lets it run anywhere, and for good
 * (select_fallback_rq, kernel/sched/core.c). Seen on 5.10, 6.1, 6.12 and 7.2.
 */
export function offlineCpu(map: LiveMap, entry: LiveEntry): Pick<PathProblem, 'sentence' | 'fix'> {
  const { key, qsize } = entry;
  const sentence = `CPU ${key}, to which ${mapLabel(map)} leads, is not online: other CPUs serve its frames, also when it is back, until the entry is written anew`;
  return {
    sentence,
    fix: inOrder(enableCpu(key), qsize === undefined ? undefined : writeQueue(map, key, qsize, entry)),
  };
}
