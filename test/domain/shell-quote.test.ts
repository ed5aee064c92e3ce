import { execFileSync } from 'node:child_process';

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { shellCommand, shellPipeline, shellQuote } from '../../src/domain/shell-quote.ts';

describe('shellQuote', () => {
  it.each([
    ['r0', 'r0'],
    ['/sys/fs/bpf/a_b-c.d', '/sys/fs/bpf/a_b-c.d'],
    ['', "''"],
    ['$(id)', "'$(id)'"],
    ['a;b', "'a;b'"],
    ["it's", "'it'\\''s'"],
    ['~root', "'~root'"],
    ['#no', "'#no'"],
    ['höh', "'höh'"],
    ['\u001b[2J', "$'\\033[2J'"],
    ["\r'\\", "$'\\015\\'\\\\'"],
    ['one\n\ttwo', "'one\n\ttwo'"],
    ['\u009b2J', "$'\\302\\2332J'"],
  ])('%j becomes %s', (word, quoted) => {
    expect(shellQuote(word)).toBe(quoted);
  });

  it('comes out of a real shell as it went in, and no control character reaches the terminal', () => {
    // A NUL cannot be part of an argument.
    const word = fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll('\0', ''));
    const nasty = fc.string({
      unit: fc.constantFrom("'", '"', '\\', '$', '`', '\n', '\u001b', '!', ' ', 'a', '7', '~'),
    });
    fc.assert(
      fc.property(fc.array(fc.oneof(word, nasty), { minLength: 1, maxLength: 20 }), (words) => {
        const line = shellCommand(words);
        expect(line).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
        const output = execFileSync('bash', ['-c', `printf '%s\\0' ${line}`], { encoding: 'utf8' });
        expect(output.split('\0').slice(0, -1)).toEqual(words);
      }),
      { numRuns: 60 },
    );
  });
});

describe('shellPipeline', () => {
  it('quotes words, not the pipe', () => {
    expect(
      shellPipeline([
        ['perf', 'record', '--filter', 'err == -95'],
        ['perf', 'script', '-i', '-'],
      ]),
    ).toBe("perf record --filter 'err == -95' | perf script -i -");
  });
});
