import { parseCpuList } from '../../domain/cpu-list.ts';
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
    throw usageError(`${what} takes a list of CPUs such as 0-3,6, not '${word}'`);
  }
  const twice = cpus.find((cpu, index) => cpus.indexOf(cpu) !== index);
  if (twice !== undefined) throw usageError(`CPU ${twice} is named twice`);
  return cpus;
}
