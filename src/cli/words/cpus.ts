import { LARGEST_CPU, parseCpuList } from '../../domain/cpu-list.ts';
import { usageError } from '../../domain/errors.ts';

/**
 * CPU numbers as the kernel writes lists of them: `0-3,6`.
 *
 * @throws ToolError usage for a text that is no such list, or that names a CPU twice
 */
export function parseCpus(word: string, what: string): number[] {
  let cpus: number[];
  try {
    cpus = parseCpuList(word);
  } catch {
    throw usageError(
      `${what} takes a list of CPUs such as 0-3,6, not '${word}'`,
      `numbers go from 0 to ${LARGEST_CPU}, in a range the smaller one comes first, and none is named twice`,
    );
  }
  const seen = new Set<number>();
  for (const cpu of cpus) {
    if (seen.has(cpu)) throw usageError(`CPU ${cpu} is named twice`);
    seen.add(cpu);
  }
  return cpus;
}
