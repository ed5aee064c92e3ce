import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { benchmarks } from '../bench/benchmarks.mjs';
import {
  backendColumns,
  codesNotMade,
  type LossRow,
  nothing,
  parseTable,
  sectionOf,
  summaryText,
  tableText,
  withSection,
} from '../bench/losses/loss-table.ts';
import { mapsText, Recipes, samplesOf, samplesText } from '../bench/losses/recipe.ts';
import { sendFrames } from '../support/frames.ts';
import { setGro } from '../support/world.ts';
import { forward, nameOfCase } from './support/loss-case.ts';
import { lossCases } from './support/loss-cases.ts';
import { createLossyPath, faultyObject } from './support/lossy-path.ts';

const readme = readFileSync(join(import.meta.dirname, '..', 'bench', 'README.md'), 'utf8');
const section = sectionOf(readme, 'losses');
const rows = parseTable(section);
const cases = Object.values(lossCases).flat();

function nameOfRow({ code, how, mode }: LossRow): string {
  return nameOfCase({ code, how, ...(mode === 'generic' && { mode: 'xdpgeneric' as const }) });
}

describe('the table of losses in the README of the benchmarks', () => {
  it('has the rows of the suite, and no others', () => {
    expect(rows.map(nameOfRow)).toEqual(cases.map(nameOfCase));
  });

  it('says of each backend what the suite demands of it', () => {
    for (const [index, { blind = [], count, lost }] of cases.entries()) {
      const row = rows[index]!;
      const wanted = backendColumns.map(([name]) => [name, blind.includes(name) ? 'blind' : 'exact']);
      expect(row.counted).toEqual(Object.fromEntries(wanted));
      // Where not all are lost, how many may depend on how busy the machine was.
      expect(lost === undefined ? row.lost : count).toBe(count);
      for (const shown of Object.values(row.recipes)) expect(shown).toMatch(/^(?:`[^`]+`(?: |$))+$|^nothing$/);
    }
  });

  it('names the codes that are not in it, and counts its rows', () => {
    for (const code of codesNotMade()) expect(section).toContain(`\`${code}\``);
    expect(section.replaceAll('\n', ' ')).toContain(summaryText(rows));
  });

  it('stays what it is when it is written again', () => {
    expect(parseTable(tableText(rows))).toEqual(rows);
    expect(sectionOf(withSection(readme, 'losses', 'new'), 'losses')).toBe('new');
    expect(() => withSection(readme, 'gains', 'new')).toThrow(/no place/);
  });
});

it('is a README that knows every benchmark', () => {
  for (const name of Object.keys(benchmarks)) expect(readme).toMatch(new RegExp(`^\\| \`${name}\` +\\|`, 'm'));
});

describe('the recipes of redirect.rst', () => {
  it('show the errno of a loss that has one', async () => {
    using path = createLossyPath(faultyObject, 'forward');
    forward(path);
    setGro(path.sink, false);
    const [ingress, egress] = [path.ingress.ifindex, path.egress.ifindex];
    await using recipes = await Recipes.start({ ingress, egress });
    sendFrames(path.source, { count: 9 });
    const { bpftrace, perf } = await recipes.stop();
    expect(bpftrace).toBe('`@redir_errno[95]: 9`');
    // Where several perfs run at once, perf cannot always read what it has written.
    expect(['`xdp_redirect_err err=-95: 9`', undefined]).toContain(perf);
  });

  it('are read as bpftrace and perf print them', () => {
    expect(mapsText('Attaching 3 probes...\nready\n\n@redir_errno[95]: 9\n@devmap_errno[0]: 4\n')).toBe(
      '`@devmap_errno[0]: 4` `@redir_errno[95]: 9`',
    );
    expect(mapsText('ready\n')).toBe(nothing);
    const transmitted = 'ndo_xdp_xmit from_ifindex=4 to_ifindex=5 action=REDIRECT sent=3 drops=13 err=0';
    const text = [
      `  xdp:xdp_devmap_xmit: ${transmitted}`,
      `  xdp:xdp_devmap_xmit: ${transmitted}`,
      '  xdp:xdp_exception: prog_id=60 action=ABORTED ifindex=4',
    ].join('\n');
    expect(samplesText(samplesOf(text))).toBe(
      '`xdp_devmap_xmit err=0: sent 6, drops 26` `xdp_exception action=ABORTED: 1`',
    );
    expect(samplesText([])).toBe(nothing);
  });
});
