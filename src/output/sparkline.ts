const bars = '▁▂▃▄▅▆▇█';

/** The last `width` numbers as bars, the largest of them full; nothing is a blank. */
export function sparkline(numbers: readonly number[], width: number): string {
  const shown = numbers.slice(Math.max(0, numbers.length - width));
  const largest = Math.max(...shown, 0);
  const text = shown.map((number) => barOf(number, largest)).join('');
  return text.padStart(width);
}

function barOf(number: number, largest: number): string {
  if (number <= 0 || largest <= 0) return ' ';
  const level = Math.ceil((number / largest) * bars.length) - 1;
  return bars[Math.max(0, level)] ?? ' ';
}
