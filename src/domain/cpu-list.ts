/**
 * The CPU numbers of a list as the kernel writes it (`0-3,8`; Documentation/admin-guide/cputopology.rst).
 *
 * @throws RangeError when the text is no such list
 */
export function parseCpuList(text: string): number[] {
  if (text === '') return [];
  return text.split(',').flatMap((part) => {
    const match = /^(\d+)(?:-(\d+))?$/.exec(part);
    if (match === null) throw new RangeError(`not a CPU list: ${text}`);
    const first = Number(match[1]);
    const last = match[2] === undefined ? first : Number(match[2]);
    if (last < first) throw new RangeError(`not a CPU list: ${text}`);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}
