import type { DropCode } from '../../domain/drop-catalogue.ts';
import { pathText, programWords } from '../../domain/finding-place.ts';
import type { Finding } from '../../domain/finding.ts';
import { shellCommand } from '../../domain/shell-quote.ts';
import type { Painter } from '../../output/color.ts';
import { printable } from '../../output/printable.ts';
import { counted } from '../../output/reporter.ts';

/** What `debug drops` found out: the JSON document of CONTRACT section 7. */
export interface DropsReport {
  readonly backend: string;
  readonly kernel: string;
  readonly duration_s: number;
  readonly events: readonly string[];
  readonly totals: {
    /** Frames whose redirect succeeded; with --conserve only. */
    readonly redirected?: number;
    readonly dropped: number;
  };
  readonly findings: readonly Finding[];
  /** What this backend on this kernel cannot see. */
  readonly blind: readonly string[];
  /** In what way the counts are too low; absent when nothing was missed. */
  readonly undercount?: readonly string[];
}

/** The report for people: the verdict first, each with the command that mends it, then what could not be seen. */
export function reportText(report: DropsReport, paint: Painter): string {
  const { findings, totals, duration_s: seconds, backend } = report;
  const verdict =
    findings.length === 0
      ? paint('ok', 'no lost frames seen')
      : paint('bad', `${counted(totals.dropped, 'frame', 'frames')} lost`);
  return [
    `${verdict} in ${seconds.toFixed(1)} s (${backend}, Linux ${report.kernel})\n`,
    ...findings.map((finding) => findingText(finding, paint)),
    ...notes('the counts may be too low:', report.undercount ?? [], paint),
    ...(findings.length === 0 ? notes('cannot be seen this way:', report.blind, paint) : []),
  ].join('\n');
}

function findingText(finding: Finding, paint: Painter): string {
  const { count, code, certainty, prog, map, key, cpu, explanation, fix, errnoName } = finding;
  const path = pathText(finding);
  const facts = [
    map && `map ${named(map)}`,
    key !== undefined && `key ${key}`,
    prog && `${programWords(prog)} ${named(prog)}`,
    cpu !== undefined && `CPU ${cpu}`,
    errnoName,
  ].filter(Boolean);
  const lines = [
    `${paint('strong', String(count).padStart(8))}  ${paint('bad', code)} (${certainty})${path === '' ? '' : `  ${printable(path)}`}`,
    `          ${printable(explanation)}`,
    ...(facts.length === 0 ? [] : [paint('dim', `          ${printable(facts.join(', '))}`)]),
    `          ${remedyText({ code, fix }, paint)}`,
  ];
  return `${lines.join('\n')}\n`;
}

/** What to type: the command that mends it, or, where none does, the one that says more. */
export function remedyText({ code, fix }: { code: DropCode; fix?: string | undefined }, paint: Painter): string {
  if (fix !== undefined) return `${paint('ok', 'fix:')} ${printable(fix)}`;
  return `${paint('strong', 'see:')} ${shellCommand(['xdpctl', 'debug', 'explain', code])}`;
}

function named({ id, name }: { readonly id: number; readonly name?: string }): string {
  return name === undefined ? String(id) : `${name} (${id})`;
}

function notes(title: string, sentences: readonly string[], paint: Painter): string[] {
  if (sentences.length === 0) return [];
  return [paint('dim', `${title}\n${sentences.map((sentence) => `  - ${sentence}\n`).join('')}`)];
}
