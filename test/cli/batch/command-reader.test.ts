import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { CommandReader } from '../../../src/cli/batch/command-reader.ts';
import { ToolError } from '../../../src/domain/errors.ts';

interface Command {
  readonly line: number;
  readonly words: readonly string[];
}

/** All commands of a text that comes in these pieces. */
function commandsOf(...pieces: readonly string[]): Command[] {
  const reader = new CommandReader();
  const commands: Command[] = [];
  const take = (): void => {
    while (reader.next()) commands.push({ line: reader.line, words: reader.words });
  };
  for (const piece of pieces) {
    reader.feed(piece);
    take();
  }
  reader.end();
  take();
  return commands;
}

const words = (text: string): string[][] => commandsOf(text).map((command) => [...command.words]);

describe('words', () => {
  it.each<[what: string, text: string, expected: string[][]]>([
    ['blanks and tabs separate', ' a  b\tc \n', [['a', 'b', 'c']]],
    ['a carriage return is a blank', 'a b\r\nc\r\n', [['a', 'b'], ['c']]],
    ['the last line needs no newline', 'a\nb c', [['a'], ['b', 'c']]],
    ['empty lines are no commands', '\n  \n\na\n\n', [['a']]],
    ['# begins a comment', '# a\nb # c\nd#e\n', [['b'], ['d']]],
    ['quotes keep blanks', `a "b c" 'd  e'\n`, [['a', 'b c', 'd  e']]],
    ['the other quote is ordinary in quotes', `"it's" 'say "x"'\n`, [["it's", 'say "x"']]],
    ['a word may be empty', `a "" ''\n`, [['a', '', '']]],
    ['# in quotes is no comment', `"a#b" '#'\n`, [['a#b', '#']]],
    ['after a quote begins a new word', `"a b"c\n`, [['a b', 'c']]],
    ['a quote within a word is ordinary', `a"b c"\n`, [['a"b', 'c"']]],
    ['\\ at the end joins lines', 'a\\\nb c \\\n  d\n', [['ab', 'c', 'd']]],
    ['\\ joins lines within quotes', '"a \\\nb"\n', [['a b']]],
    ['\\ joins lines that end with a carriage return', 'a\\\r\nb\r\n', [['ab']]],
    ['a comment is not joined', 'a # b \\\nc\n', [['a'], ['c']]],
    ['a comment may follow a join', 'a \\\n# b\nc\n', [['a'], ['c']]],
    ['\\ elsewhere is ordinary', 'a\\b \\ c\\d\n', [['a\\b', '\\', 'c\\d']]],
    ['\\ at the very end is ordinary', 'a\\', [['a\\']]],
    ['other languages', 'ä 漢 😀\n', [['ä', '漢', '😀']]],
  ])('%s', (_what, text, expected) => {
    expect(words(text)).toEqual(expected);
  });

  it('may be of any length, and so may lines', () => {
    const long = 'x'.repeat(3_000_000);
    const many = Array.from({ length: 100_000 }, (_, index) => String(index));
    expect(words(`a ${long}\n${many.join(' ')}\n`)).toEqual([['a', long], many]);
  });
});

describe('a command over many lines', () => {
  it('is read once, however small the pieces are in which it comes', () => {
    const reader = new CommandReader();
    const start = performance.now();
    for (let piece = 0; piece < 20_000; piece += 1) {
      reader.feed(`word${piece} \\\n`);
      expect(reader.next()).toBe(false);
    }
    reader.feed('last\n');
    expect(reader.next()).toBe(true);
    expect(reader.words).toHaveLength(20_001);
    // Read again with each piece it took minutes.
    expect(performance.now() - start).toBeLessThan(20_000);
  });

  it('ends where a comment hides the backslash', () => {
    expect(commandsOf('a \\\n', 'b # c \\\n', 'd\n')).toEqual([
      { line: 1, words: ['a', 'b'] },
      { line: 3, words: ['d'] },
    ]);
  });

  it('does not take all memory when it has no end', () => {
    const reader = new CommandReader();
    const piece = `${'x'.repeat(1 << 20)} \\\n`;
    reader.feed('# 1\nfirst\n');
    expect(reader.next()).toBe(true);
    expect(() => {
      for (let times = 0; times < 1000; times += 1) {
        reader.feed(piece);
        reader.next();
      }
    }).toThrow('the command that begins on line 3 is longer than 64 MiB');
  });
});

describe('lines', () => {
  it('are counted from 1, over comments, joins and quotes', () => {
    const text = ['# 1', 'a', '', 'b \\', 'c \\', 'd', 'e "f\\', 'g" h', 'i'].join('\n');
    expect(commandsOf(text)).toEqual([
      { line: 2, words: ['a'] },
      { line: 4, words: ['b', 'c', 'd'] },
      { line: 7, words: ['e', 'fg', 'h'] },
      { line: 9, words: ['i'] },
    ]);
  });

  it('tell whether a word may be an option', () => {
    const reader = new CommandReader();
    reader.feed('a b\na --b\na -1\na-b "-c"\n');
    const dashed = [];
    while (reader.next()) dashed.push(reader.dashed);
    expect(dashed).toEqual([false, true, true, true]);
  });
});

describe('a line that is broken', () => {
  it.each([
    ['a quote without an end', 'a\nb "c\nd\n', 2],
    ['a quote without an end, on joined lines', 'a\nb \\\n "c\\\n d\ne\n', 2],
    ['a quote without an end at the end of the text', "a\nb 'c", 2],
    ['a joint to nothing', 'a\nb \\\n', 2],
    ['a joint to nothing within a word', 'a\nb\\\n', 2],
  ])('%s is an error of its line', (_what, text, line) => {
    const reader = new CommandReader();
    reader.feed(text);
    reader.end();
    expect(reader.next()).toBe(true);
    expect(() => reader.next()).toThrow(ToolError);
    expect(reader.line).toBe(line);
  });

  it('is gone past, so that the next line can be read', () => {
    const reader = new CommandReader();
    reader.feed('a "b\nc\nd \\\n "e\nf\n');
    reader.end();
    expect(() => reader.next()).toThrow('a quote has no end: "b');
    expect(reader.next()).toBe(true);
    expect({ line: reader.line, words: reader.words }).toEqual({ line: 2, words: ['c'] });
    expect(() => reader.next()).toThrow('a quote has no end: "e');
    expect(reader.line).toBe(3);
    expect(reader.next()).toBe(true);
    expect({ line: reader.line, words: reader.words }).toEqual({ line: 5, words: ['f'] });
    expect(reader.next()).toBe(false);
  });
});

describe('for any text', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', ' ', '\n', '#', '\\', '"', "'", '\r', '-', 'ä') });

  it('the pieces may be cut anywhere', () => {
    fc.assert(
      fc.property(text, fc.array(fc.nat(40)), (whole, cuts) => {
        const at = [0, ...cuts.filter((cut) => cut < whole.length).toSorted((a, b) => a - b), whole.length];
        const pieces = at.slice(1).map((end, index) => whole.slice(at[index], end));
        expect(outcome(() => commandsOf(...pieces))).toEqual(outcome(() => commandsOf(whole)));
      }),
    );
  });

  it('words that are quoted come out as they were', () => {
    const word = fc.string().map((raw) => raw.replaceAll(/["\n\r\\]/g, ''));
    fc.assert(
      fc.property(fc.array(fc.array(word, { minLength: 1 }), { minLength: 1 }), (lines) => {
        const quoted = lines.map((line) => line.map((each) => `"${each}"`).join(' ')).join('\n');
        expect(words(quoted)).toEqual(lines);
      }),
    );
  });
});

function outcome(act: () => unknown): unknown {
  try {
    return act();
  } catch (error) {
    return (error as Error).message;
  }
}
