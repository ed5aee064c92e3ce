/** More than any kernel was built for (NR_CPUS is 8192 at most); a list that a user types is not to take all memory. */
export const LARGEST_CPU = 0xffff;

/**
 * The CPU numbers of a list as the kernel writes it (`0-3,8`; Documentation/admin-guide/cputopology.rst).
 *
 * @throws RangeError when the text is no such list, or names more CPUs than there can be
 */
export function parseCpuList(text: string): number[] {
  if (text === '') return [];
  const cpus: number[] = [];
  for (const part of text.split(',')) {
    const match = /^(\d+)(?:-(\d+))?$/.exec(part);
    if (match === null) throw new RangeError(`not a CPU list: ${text}`);
    const first = Number(match[1]);
    const last = match[2] === undefined ? first : Number(match[2]);
    if (last < first || last > LARGEST_CPU) throw new RangeError(`not a CPU list: ${text}`);
    for (let cpu = first; cpu <= last; cpu += 1) cpus.push(cpu);
    if (cpus.length > LARGEST_CPU + 1) throw new RangeError(`CPUs are named twice: ${text}`);
  }
  return cpus;
}
