/**
 * One line of the result: a ratio, or a number with its unit.
 *
 * @typedef {{ what: string, measured: number, atMost: number, unit: string }} Figure
 */

/**
 * @param {Figure[]} figures
 * @param {{ judged: boolean }} options whether to say which figures are reached
 */
export function table(figures, { judged }) {
  const lines = [
    ['what', 'measured', 'at most', 'ok'],
    ...figures.map(({ what, measured, atMost, unit }) => [
      what,
      `${measured.toFixed(2)} ${unit}`,
      `${atMost} ${unit}`,
      measured <= atMost ? 'yes' : 'NO',
    ]),
  ].map((cells) => (judged ? cells : cells.slice(0, 2)));
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  return lines
    .map(
      (line) =>
        `${line
          .map((cell, column) => cell.padEnd(widths[column]))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}
