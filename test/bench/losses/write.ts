import { readFileSync, writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';

import { totalOf } from '../../../src/domain/ledger.ts';
import { Experiment, names } from '../../kernel/support/experiment.ts';
import { type LossCase, lostIn, nameOfCase, sendThrough } from '../../kernel/support/loss-case.ts';
import { lossCases } from '../../kernel/support/loss-cases.ts';
import { tool } from '../../support/tool.ts';
import { codesNotMade, type LossRow, nothing, summaryText, tableText, withSection } from './loss-table.ts';
import { perfRefusal, Recipes } from './recipe.ts';

const readme = join(import.meta.dirname, '..', 'README.md');

/** How often a case is tried where perf cannot read what it has written. */
const TRIES = 10;

/**
 * Makes every loss alone, and writes the table into the README.
 *
 * @returns whether each backend counted what the suite says; the README is left as it is where not
 */
export async function writeLosses(): Promise<boolean> {
  const rows: LossRow[] = [];
  let failed = false;
  for (const each of Object.values(lossCases).flat()) {
    const row = await measure(each);
    rows.push(row);
    const wrong = names.filter(
      (name) => row.counted[name] !== (each.blind?.includes(name) === true ? 'blind' : 'exact'),
    );
    console.error(`${nameOfCase(each)} …${wrong.map((name) => ` ${name}: ${row.counted[name]}`).join()}`);
    failed ||= wrong.length > 0;
  }
  if (failed) return false;
  const text = [surroundingsText(), summaryText(rows), tableText(rows), notMadeText()].join('\n\n');
  writeFileSync(readme, withSection(readFileSync(readme, 'utf8'), 'losses', text));
  return true;
}

async function measure(each: LossCase): Promise<LossRow> {
  for (let attempt = 1; attempt <= TRIES; attempt += 1) {
    const row = await measureOnce(each);
    if (row !== undefined) return row;
  }
  throw new Error(`${nameOfCase(each)}: perf cannot read what it writes`);
}

/** @returns undefined when perf cannot read what it has written */
async function measureOnce(each: LossCase): Promise<LossRow | undefined> {
  const { code, how, mode } = each;
  using experiment = new Experiment();
  let recipes: Recipes | undefined;
  await using _ends = { [Symbol.asyncDispose]: async () => recipes?.[Symbol.asyncDispose]() };
  await experiment.run([each], async (_case, { ingress, egress }) => {
    recipes = await Recipes.start({ ingress: ingress.ifindex, egress: egress.ifindex });
    await sendThrough(each, experiment.pathOf(each));
  });
  const { bpftrace, perf } = await recipes!.stop();
  if (perf === undefined) return undefined;
  const path = experiment.pathOf(each);
  const lost = lostIn(each, path);
  const seenBy = (name: (typeof names)[number]): string => {
    const findings = experiment.findingsAbout(path, name);
    if (findings.length === 0) return 'blind';
    const isExact = findings.length === 1 && findings[0]?.code === code && totalOf(findings) === lost;
    return isExact ? 'exact' : findings.map((finding) => `${finding.code}: ${finding.count}`).join(', ');
  };
  return {
    code,
    how,
    mode: mode === 'xdpgeneric' ? 'generic' : 'native',
    lost,
    counted: {
      builtin: seenBy('builtin'),
      classic: seenBy('classic'),
      bpftrace: seenBy('bpftrace'),
      perf: seenBy('perf'),
    },
    recipes: { bpftrace, perf },
  };
}

function versionOf(program: string): string {
  return /\d+(?:\.\d+)+/.exec(tool(program, ['--version']))?.[0] ?? '';
}

function surroundingsText(): string {
  const kernel = /^\d+\.\d+/.exec(release())?.[0] ?? release();
  const refusal = perfRefusal();
  const perf =
    refusal === undefined
      ? 'The perf recipe runs as it stands.'
      : `The perf recipe does not run as it stands (\`${refusal}\`): here it has only the events that this kernel has.`;
  return `Linux ${kernel}, bpftrace ${versionOf('bpftrace')}, perf ${versionOf('perf')}. ${perf}`;
}

function notMadeText(): string {
  const codes = codesNotMade().map((code) => `\`${code}\``);
  return `Not made here, and tested from recorded events: ${codes.join(', ') || nothing}.`;
}
