import { spawnSync } from 'node:child_process';

import * as fc from 'fast-check';

import { bytesOfText, textOfBytes } from '../../../src/domain/byte-text.ts';
import type { Finding } from '../../../src/domain/finding.ts';
import { shellCommand } from '../../../src/domain/shell-quote.ts';
import { typedAt } from '../../../src/domain/typed-command.ts';
import { plain } from '../../../src/output/color.ts';
import { dotText } from '../../../src/output/dot.ts';
import { jsonText } from '../../../src/output/json.ts';
import { lossPicture } from '../../../src/output/loss-view.ts';
import { mermaidText } from '../../../src/output/mermaid.ts';
import { printable, printableLines } from '../../../src/output/printable.ts';
import { PlainTable } from '../../../src/output/table.ts';
import { must, mustBePrintable, mustEqual, target } from '../target.ts';
import { anyText } from '../texts.ts';

const shells = ['sh', 'bash', 'zsh', 'fish'].filter((shell) => spawnSync(shell, ['-c', 'true']).status === 0);

/** Words that no shell has judged yet; a shell starts a process for each that has hidden characters. */
let unjudged: string[] = [];
const MOST = 200;

/** An argument has no zero byte, and one that ends with a line feed is beyond dash. */
const argument = anyText.map((text) => text.replaceAll('\0', '').replace(/\n+$/, ''));

export const outputTargets = [
  target({
    name: 'output/printable',
    arbitrary: anyText,
    check(text) {
      mustBePrintable(printable(text));
      mustBePrintable(printableLines(text).replaceAll(/[\n\t]/g, ''));
      for (const pretty of [false, true]) {
        const json = jsonText({ [text]: [text] }, pretty);
        mustBePrintable(json.replaceAll('\n', ''));
        mustEqual(JSON.parse(json), { [text]: [text] }, 'what JSON says');
      }
    },
  }),
  target({
    name: 'output/bytes',
    arbitrary: fc.uint8Array({ maxLength: 40 }),
    check(bytes) {
      const text = textOfBytes(bytes);
      mustEqual(bytesOfText(text), bytes, 'the bytes');
      mustBePrintable(printable(text));
    },
  }),
  target({
    name: 'output/shell',
    arbitrary: fc.array(argument, { minLength: 1, maxLength: 4 }),
    check(words) {
      const line = shellCommand(words);
      mustEqual(printable(line), line, 'what a terminal shows');
      if (unjudged.length < MOST) unjudged.push(...words);
    },
    judge: judgeShells,
  }),
  target({
    name: 'output/commands',
    arbitrary: fc.record({
      netns: fc.option(
        anyText.filter((text) => text !== ''),
        { nil: undefined },
      ),
      ifname: anyText,
    }),
    check({ netns, ifname }) {
      const typed = typedAt(netns);
      for (const line of [
        typed.own(['redirect', 'check', ifname]),
        typed.own(['net', 'show', 'dev', ifname]),
        typed.other(['ip', 'link', 'set', 'dev', ifname, 'up']),
      ]) {
        mustEqual(printable(line), line, 'what a terminal shows');
      }
    },
  }),
  target({
    name: 'output/table',
    arbitrary: fc.array(fc.tuple(anyText, anyText), { minLength: 1, maxLength: 4 }),
    check(rows) {
      const columns = [0, 1].map((index) => ({
        header: 'NAME',
        cell: (row: readonly string[]) => printable(row[index] ?? ''),
      }));
      const text = new PlainTable(columns, plain).block(rows);
      mustEqual(text.split('\n').length, rows.length + 2, 'the number of lines');
      mustBePrintable(text.replaceAll('\n', ''));
    },
  }),
  target({
    name: 'output/drawings',
    arbitrary: fc.array(anyText, { minLength: 1, maxLength: 3 }),
    check(lines) {
      const graph = {
        nodes: [{ id: 'a', shape: 'device' as const, lines, bad: true }],
        edges: [{ from: 'a', to: 'a', lines, bad: false }],
      };
      const dot = dotText(graph);
      mustEqual(dot.split('\n').length, 6, 'the number of lines');
      must(/^ {2}a \[label="(?:[^"\\]|\\.)*", shape=box, color=red, fontcolor=red\];$/m.test(dot), dot);
      const mermaid = mermaidText(graph);
      mustEqual(mermaid.split('\n').length, 6, 'the number of lines');
      must(/^ {2}a\["[^"`<>;]*(?:<br>[^"`<>]*|[^"`<>])*"\]$/m.test(mermaid), mermaid);
      mustBePrintable(`${dot}${mermaid}`.replaceAll('\n', ''));
    },
  }),
  target({
    name: 'output/loss-view',
    arbitrary: fc.record({
      names: fc.array(anyText, { maxLength: 4 }),
      columns: fc.integer({ min: 1, max: 120 }),
      rows: fc.integer({ min: 1, max: 30 }),
    }),
    check({ names, columns, rows: height }) {
      const rows = names.map((ifname, index) => ({
        finding: {
          code: 'target-down',
          certainty: 'certain',
          count: index,
          event: 'xdp_redirect_err',
          from: { ifindex: 1, ifname },
          explanation: `${ifname} is down`,
          fix: typedAt(undefined).other(['ip', 'link', 'set', 'dev', ifname, 'up']),
        } as Finding,
        rate: 1,
        history: [1, 2],
      }));
      const state = { backend: 'builtin', seconds: 1, dropped: 1, rate: 1, history: [1], rows };
      const picture = lossPicture(state, { columns, rows: height }, plain);
      must(picture.length <= height, `${picture.length} lines`);
      for (const line of picture) {
        mustBePrintable(line);
        must(Array.from(line).length <= columns, `a line of ${line.length} characters`);
      }
    },
  }),
];

function judgeShells(): void {
  const words = unjudged;
  unjudged = [];
  for (const shell of shells) {
    const { stdout, stderr } = spawnSync(shell, ['-c', `printf '%s\\0' ${shellCommand(words)}`]);
    const came = textOfBytes(stdout).split('\0').slice(0, -1);
    for (const [index, word] of words.entries())
      mustEqual(came[index], textOfBytes(bytesOfText(word)), `what ${shell} takes the word for (${stderr.toString()})`);
  }
}
