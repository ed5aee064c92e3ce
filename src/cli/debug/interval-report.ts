import { placeText } from '../../domain/finding-place.ts';
import type { Finding } from '../../domain/finding.ts';
import type { Painter } from '../../output/color.ts';
import { counted } from '../../output/counted.ts';
import { printable } from '../../output/printable.ts';
import { remedyText } from './drops-report.ts';
import type { IntervalReport } from './drops-watch.ts';
import type { LossHistory } from './loss-history.ts';

/** What is new, in lines: a loss that was not seen before is explained, the others only counted. */
export function intervalText({ time_s: time, totals, findings }: IntervalReport, history: LossHistory) {
  const isNew = new Map(findings.map((finding) => [finding, !history.knows(finding)]));
  return (paint: Painter): string => {
    const clock = paint('dim', `${time.toFixed(1).padStart(7)} s`);
    if (findings.length === 0) return `${clock}  ${paint('ok', 'nothing lost')}\n`;
    const lines = findings.flatMap((finding) => findingLines(finding, isNew.get(finding) === true, paint));
    return `${clock}  ${paint('bad', `${counted(totals.dropped, 'frame', 'frames')} lost`)}\n${lines.join('')}`;
  };
}

function findingLines(finding: Finding, isNew: boolean, paint: Painter): string[] {
  const { count, code, certainty, explanation, fix } = finding;
  const line = `${paint('strong', `+${count}`.padStart(18))}  ${paint('bad', code)}  ${printable(placeText(finding))}\n`;
  if (!isNew) return [line];
  const indent = ' '.repeat(20);
  return [line, `${indent}${certainty}: ${printable(explanation)}\n`, `${indent}${remedyText({ code, fix }, paint)}\n`];
}
