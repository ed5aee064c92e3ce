import { spawnSync } from 'node:child_process';

import * as fc from 'fast-check';
import { expect, it } from 'vitest';

import { CommandReader } from '../../src/cli/batch/command-reader.ts';

/** A batch of lines that bpftool can run to the end: it takes `version` with any words after it. */
const batches = fc
  .array(
    // Not: # within quotes and quotes without end, which are errors there; backslashes within words, which it prints wrongly.
    fc.array(
      fc.oneof(
        fc.stringMatching(/^[a-z"'][a-z]{0,3}$/).filter((word) => !/^["']/.test(word)),
        fc.stringMatching(/^[a-z]["'][a-z]{0,3}$/),
        fc.stringMatching(/^"[a-z ']{0,5}"$/),
        fc.stringMatching(/^'[a-z "]{0,5}'$/),
        fc.constantFrom(' ', '\t', '\\\n', ' \\\n ', 'a\\\nb', '"a \\\n b"'),
      ),
    ),
    { minLength: 1, maxLength: 5 },
  )
  .chain((lines) =>
    fc.record({
      lines: fc.constant(lines),
      ends: fc.array(fc.constantFrom('\n', ' \n', '\r\n', ' # "comment\n', '#\n', '\n\n', '\n# whole\n'), {
        minLength: lines.length,
        maxLength: lines.length,
      }),
    }),
  )
  .map(({ lines, ends }) => lines.map((parts, index) => `version ${parts.join(' ')}${ends[index]}`).join(''));

it('splits lines into words as bpftool does', () => {
  fc.assert(
    fc.property(batches, (text) => {
      expect(ours(text)).toEqual(bpftools(text));
    }),
    { numRuns: 300 },
  );
});

function ours(text: string): string[][] {
  const reader = new CommandReader();
  reader.feed(text);
  reader.end();
  const commands: string[][] = [];
  while (reader.next()) commands.push(reader.words);
  return commands;
}

function bpftools(text: string): string[][] {
  const { stdout, stderr } = spawnSync('bpftool', ['-j', 'batch', 'file', '-'], { input: text, encoding: 'utf8' });
  expect(stderr).toBe('');
  return (JSON.parse(stdout) as { command: string[] }[]).map(({ command }) => command);
}
