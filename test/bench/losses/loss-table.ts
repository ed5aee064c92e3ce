import { dropCodes } from '../../../src/domain/drop-catalogue.ts';
import type { Counting } from '../../kernel/support/loss-case.ts';
import { lossCases } from '../../kernel/support/loss-cases.ts';

/** What was seen of one way to lose frames. */
export interface LossRow {
  readonly code: string;
  readonly how: string;
  readonly mode: 'native' | 'generic';
  /** Frames lost. */
  readonly lost: number;
  /** `exact`, `blind`, or what was found instead. */
  readonly counted: Readonly<Record<Counting, string>>;
  /** What the two recipes of redirect.rst show. */
  readonly recipes: { readonly bpftrace: string; readonly perf: string };
}

/** How the columns of the backends are headed, in their order. */
export const backendColumns: readonly (readonly [Counting, string])[] = [
  ['builtin', 'builtin'],
  ['classic', 'builtin without BTF'],
  ['bpftrace', 'bpftrace'],
  ['perf', 'perf'],
];

const headers = [
  'code',
  'how it was broken',
  'mode',
  'lost',
  ...backendColumns.map(([, header]) => header),
  "redirect.rst's bpftrace",
  "redirect.rst's perf",
];

/** The rows as a table in Markdown. */
export function tableText(rows: readonly LossRow[]): string {
  const lines = rows.map(({ code, how, mode, lost, counted, recipes }) => [
    `\`${code}\``,
    how,
    mode,
    String(lost),
    ...backendColumns.map(([name]) => counted[name]),
    recipes.bpftrace,
    recipes.perf,
  ]);
  const text = [headers, headers.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |\n`);
  return text.join('').trimEnd();
}

/** The rows of a table as `tableText` makes it. @throws Error when there is none */
export function parseTable(text: string): LossRow[] {
  const lines = text.split('\n').filter((line) => line.startsWith('|'));
  const [header = [], , ...rows] = lines.map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
  if (header.join() !== headers.join()) throw new Error(`another table: ${header.join(' | ')}`);
  return rows.map((cells) => {
    const [code = '', how = '', mode, lost, ...others] = cells;
    const counted = Object.fromEntries(backendColumns.map(([name], index) => [name, others[index] ?? '']));
    const [bpftrace = '', perf = ''] = others.slice(backendColumns.length);
    return {
      code: code.replaceAll('`', ''),
      how,
      mode: mode === 'generic' ? 'generic' : 'native',
      lost: Number(lost),
      counted: counted as LossRow['counted'],
      recipes: { bpftrace, perf },
    };
  });
}

/** Codes that no case of the suite has: of these there are only recorded events. */
export function codesNotMade(): string[] {
  const made = new Set<string>(Object.values(lossCases).flatMap((cases) => cases.map(({ code }) => code)));
  return dropCodes.filter((code) => !made.has(code));
}

/** What recipes show where nothing is wrong: nothing, or frames that were sent. */
export const nothing = 'nothing';

/** A sentence of numbers about the table. */
export function summaryText(rows: readonly LossRow[]): string {
  const exact = backendColumns.map(([name, header]) => {
    const count = rows.filter(({ counted }) => counted[name] === 'exact').length;
    return `${header} ${count}`;
  });
  const silent = rows.filter(({ recipes }) => recipes.bpftrace === nothing).length;
  const misleading = rows.filter(({ recipes }) => /^`@devmap_errno\[0\]: \d+`$/.test(recipes.bpftrace)).length;
  return (
    `Of ${rows.length} ways to lose frames, counted exactly and under the right code: ${exact.join(', ')}. ` +
    `The bpftrace recipe of redirect.rst shows nothing in ${silent}, and in ${misleading} only \`@devmap_errno[0]\`, ` +
    'which is also what it shows where all is well.'
  );
}

/**
 * A document with another text between the two comments that mark a place.
 *
 * @throws Error when it has no such place
 */
export function withSection(document: string, name: string, text: string): string {
  const [begin, end] = marks(name);
  const [from, to] = [document.indexOf(begin), document.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`there is no place for ${name}`);
  return `${document.slice(0, from + begin.length)}\n\n${text.trim()}\n\n${document.slice(to)}`;
}

/** What stands between the two comments that mark a place; empty where there is none. */
export function sectionOf(document: string, name: string): string {
  const [begin, end] = marks(name);
  return document.slice(document.indexOf(begin) + begin.length, document.indexOf(end)).trim();
}

function marks(name: string): readonly [begin: string, end: string] {
  return [`<!-- ${name}: written by npm run losses -->`, `<!-- end of ${name} -->`];
}
