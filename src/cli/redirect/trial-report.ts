import type { TrialFinding, TrialLedger, TrialTarget } from '../../domain/trial-ledger.ts';
import type { Painter } from '../../output/color.ts';
import { printable } from '../../output/printable.ts';

/** What `redirect test` prints with -j. */
export interface TrialReport {
  readonly ifname: string;
  readonly ifindex: number;
  readonly queue: number;
  readonly prog: { readonly id: number; readonly name?: string };
  /** Bytes of a frame. */
  readonly size: number;
  readonly sent: number;
  readonly copies: number;
  readonly delivered: number;
  readonly passed: number;
  readonly sent_back: number;
  readonly dropped: number;
  readonly targets: readonly TrialTarget[];
  readonly findings: readonly TrialFinding[];
}

export function trialReport(
  head: Pick<TrialReport, 'ifname' | 'ifindex' | 'queue' | 'prog' | 'size'>,
  { sentBack, ...ledger }: TrialLedger,
): TrialReport {
  const { sent, copies, delivered, passed, dropped, targets, findings } = ledger;
  return { ...head, sent, copies, delivered, passed, sent_back: sentBack, dropped, targets, findings };
}

/** The ledger for people: what became of the frames, then why some were lost. */
export function trialText(report: TrialReport, paint: Painter): string {
  const { ifname, queue, prog, size, sent, copies, delivered, passed, dropped, targets, findings } = report;
  const through = `${prog.name ?? 'program'} (${prog.id})`;
  const lines = [
    line('sent', sent, `of ${size} bytes, through ${through} on ${ifname}, queue ${queue}`),
    ...(copies === 0 ? [] : [line('copies', copies, 'made by the broadcast')]),
    paint(delivered > 0 ? 'ok' : undefined, line('delivered', delivered, targets.map(targetText).join(', '))),
    line('passed', passed, passed === 0 ? '' : 'to the network stack'),
    line('sent back', report.sent_back),
    paint(dropped > 0 ? 'bad' : undefined, line('dropped', dropped)),
    ...findings.flatMap((finding) => ['', ...findingLines(finding, paint)]),
  ];
  return lines.map((text) => `${text}\n`).join('');
}

function line(label: string, count: number, note = ''): string {
  return `${label.padEnd(10)}${String(count).padStart(8)}${note === '' ? '' : `  ${printable(note)}`}`;
}

function targetText({ to, cpu, key, delivered }: TrialTarget): string {
  if (cpu !== undefined) return `CPU ${cpu}: ${delivered}`;
  if (to === undefined) return `socket at key ${key}: ${delivered}`;
  const name = to.ifname ?? `ifindex ${to.ifindex}`;
  return `${name}${to.netns === undefined ? '' : ` (netns ${to.netns})`}: ${delivered}`;
}

function findingLines(finding: TrialFinding, paint: Painter): string[] {
  const { code, certainty, count, explanation, fix } = finding;
  return [
    `${paint('strong', String(count).padStart(8))}  ${paint('bad', code)} (${certainty})`,
    `          ${printable(explanation)}`,
    ...(fix === undefined ? [] : [`          ${paint('ok', 'fix:')} ${printable(fix)}`]),
  ];
}
