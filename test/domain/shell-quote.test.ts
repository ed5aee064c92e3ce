import { execFileSync } from 'node:child_process';

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { bytesOfText, textOfBytes } from '../../src/domain/byte-text.ts';
import { shellCommand, shellPipeline, shellQuote, shellScript } from '../../src/domain/shell-quote.ts';
import { printable } from '../../src/output/printable.ts';
import { needProgram } from '../support/need.ts';

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
    ['=ls', "'=ls'"],
    ['--net=/run', '--net=/run'],
    ['höh', "'höh'"],
    ['\u001b[2J', `"$(printf '\\033')"'[2J'`],
    ["a\r'\\", `'a'"$(printf '\\015')"''\\'''\\\\''`],
    ['\\n\\x1b', String.raw`'\n\x1b'`],
    ['a\\\\b', String.raw`'a'\\'\b'`],
    ["\\';id;#", String.raw`''\\''\'';id;#'`],
    ['%self', "'%self'"],
    ['\r$.', `"$(printf '\\015')"''\\$'.'`],
    ['one\n\ttwo', `'one'"$(printf '\\012\\011')"'two'`],
    ['one\ntwo', `'one'"$(printf '\\012\\164')"'wo'`],
    ["it's\n", "$'it\\'s\\012'"],
    ['\u009b2J', `"$(printf '\\302\\233')"'2J'`],
    ['a\u202eb', `'a'"$(printf '\\342\\200\\256')"'b'`],
    ['\udcff', `"$(printf '\\377')"`],
  ])('%j becomes %s', (word, quoted) => {
    expect(shellQuote(word)).toBe(quoted);
  });

  // A NUL cannot be part of an argument.
  const word = fc.string({ unit: 'grapheme' }).map((text) => text.replaceAll('\0', ''));
  const nastyCharacters = '\'"\\$`\n\t\r!%^*?[]{}();&|<>~#=- a7\u001b\u007f\u009b\u202e\u200b\udcff\udc9b'.split('');
  const nasty = fc.string({ unit: fc.constantFrom(...nastyCharacters) });
  const words = fc.array(fc.oneof(word, nasty), { minLength: 1, maxLength: 20 });

  it.for(['sh', 'dash', 'bash', 'zsh', 'busybox', 'fish'])(
    'comes out of %s as it went in, and a terminal shows it as it is',
    (shell, context) => {
      needProgram(context, shell);
      const program = shell === 'busybox' ? ['busybox', 'sh'] : [shell];
      fc.assert(
        fc.property(words, (list) => {
          // dash and fish know no $'…', without which nothing ends with a line feed.
          const possible = ['dash', 'sh', 'fish'].includes(shell) ? list.map((each) => `${each}.`) : list;
          const line = shellCommand(possible);
          expect(printable(line)).toBe(line);
          const [path = '', ...more] = program;
          const output = execFileSync(path, [...more, '-c', `printf '%s\\0' ${line}`], { timeout: 60_000 });
          expect(textOfBytes(output).split('\0').slice(0, -1)).toEqual(possible.map(sameBytes));
        }),
        // Looking for a shorter list would take longer than a test may.
        { numRuns: 30, endOnFailure: true },
      );
    },
  );
});

/** A character in two halves that stand for bytes is these bytes. */
function sameBytes(word: string): string {
  return textOfBytes(bytesOfText(word));
}

describe('shellScript', () => {
  it('leaves lines and tabs as they are, which make a program readable', () => {
    expect(shellScript(['bpftrace', '-e', 'BEGIN\n{\texit(); }\n'])).toBe("bpftrace -e 'BEGIN\n{\texit(); }\n'");
    expect(shellScript(['x', 'a\n\u001b'])).toBe(`x 'a\n'"$(printf '\\033')"`);
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
