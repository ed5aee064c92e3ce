import * as fc from 'fast-check';

import { CommandReader } from '../../../src/cli/batch/command-reader.ts';
import { placeText } from '../../../src/cli/batch/line-failure.ts';
import { parseLine } from '../../../src/cli/batch/line.ts';
import { catalogue, loadVerbs } from '../../../src/cli/catalogue.ts';
import { splitCommandLine } from '../../../src/cli/command-line.ts';
import type { Context } from '../../../src/cli/context.ts';
import { findVerb } from '../../../src/cli/find-verb.ts';
import { defaultOptions, globalOptionSpecs, plainOptions } from '../../../src/cli/global-options.ts';
import { linePieces } from '../../../src/cli/input-file.ts';
import { parseOptions } from '../../../src/cli/program.ts';
import { printable } from '../../../src/output/printable.ts';
import { mutantTexts, share } from '../mutants.ts';
import { asyncTarget, mustBePrintable, mustEqual, must, tame, tameAsync, target } from '../target.ts';
import { anyText, nasty } from '../texts.ts';

const batches = [
  '# two more ways out\nmap update pinned forward key 1 value dev eth1\nmap lookup pinned forward key 2\n',
  'map update pinned "a b" key 1 \\\n  value dev \'eth 1\'\r\n\nmap dump id 5 # all\n',
];

const text = fc.oneof(
  mutantTexts(batches),
  fc.string({ unit: fc.constantFrom('a', ' ', '\n', '#', '\\', '"', "'", '\r', '-', 'ä', '\t') }),
  fc
    .array(fc.oneof(nasty, fc.constantFrom(' ', '\n', '\\\n', '\\\r\n', '"')), { maxLength: 12 })
    .map((list) => list.join('')),
);

/** All commands of a text that comes in pieces, errors among them. */
function commandsOf(pieces: readonly string[]): string[] {
  const reader = new CommandReader();
  const found: string[] = [];
  const take = (): void => {
    for (;;) {
      let more = false;
      const done = tame(() => {
        more = reader.next();
        return true;
      });
      if (done === undefined) found.push(`error on ${reader.line}`);
      else if (!more) return;
      else found.push(`${reader.line}: ${JSON.stringify(reader.words)} ${reader.dashed}`);
    }
  };
  for (const piece of pieces) {
    reader.feed(piece);
    take();
  }
  reader.end();
  take();
  return found;
}

function cutAt(whole: string, parts: readonly number[]): string[] {
  const places = [0, ...parts.map((part) => Math.floor(part * whole.length)).toSorted((a, b) => a - b), whole.length];
  return places.slice(1).map((end, index) => whole.slice(places[index], end));
}

const optionTokens = [
  ...globalOptionSpecs.flatMap(({ name, short }) => [`--${name}`, `-${short}`]),
  '--to',
  '--key',
  '--',
  '-',
  '--x=y',
  '-jq',
];

export const batchTargets = [
  target({
    name: 'batch/commands',
    arbitrary: fc.record({
      whole: text,
      parts: fc.array(share, { maxLength: 4 }),
    }),
    check({ whole, parts }) {
      const commands = commandsOf([whole]);
      mustEqual(commandsOf(cutAt(whole, parts)), commands, 'what comes in pieces');
      must(commands.length <= whole.length + 1, `${commands.length} commands`);
    },
  }),
  target({
    name: 'batch/quoted',
    arbitrary: fc.array(fc.array(anyText, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 4 }),
    check(lines) {
      // What is between quotes comes out as it was, but for quotes, line feeds, and a backslash before one.
      const words = lines.map((line) => line.map((word) => word.replaceAll(/["\n\r\\]/g, '')));
      const reader = new CommandReader();
      reader.feed(words.map((line) => line.map((word) => `"${word}"`).join(' ')).join('\n'));
      reader.end();
      for (const line of words) {
        must(reader.next(), 'a line is missing');
        mustEqual(reader.words, line, 'the line');
        const place = placeText({ file: 'f', line: 1, command: line, applied: 0 }, true);
        mustBePrintable(printable(place));
      }
      must(!reader.next(), 'there are more lines');
    },
  }),
  asyncTarget({
    name: 'batch/pieces',
    arbitrary: fc.array(
      fc.oneof(
        fc.uint8Array({ maxLength: 12 }),
        anyText.map((each) => Buffer.from(each)),
      ),
      { maxLength: 6 },
    ),
    async check(pieces) {
      const whole = Buffer.concat(pieces);
      let read = '';
      const source = (async function* all() {
        yield* pieces;
      })();
      for await (const piece of linePieces({ name: 'f', pieces: source })) read += piece;
      let once = '';
      const one = (async function* all() {
        yield whole;
      })();
      for await (const piece of linePieces({ name: 'f', pieces: one })) once += piece;
      mustEqual(read, once, 'what comes in pieces');
    },
  }),
  asyncTarget({
    name: 'batch/line',
    arbitrary: fc.record({
      object: fc.constantFrom(...catalogue.map(({ name }) => name), 'x'),
      verb: fc.constantFrom('show', 'update', 'attach', 'bind', 'apply', 'drops', 'load', 'help', 'x'),
      rest: fc.array(fc.oneof(fc.constantFrom(...optionTokens), anyText), { maxLength: 6 }),
      at: fc.nat(2),
    }),
    async check({ object, verb, rest, at }) {
      const words = [object, verb];
      words.splice(at, 0, ...rest);
      const context = { findVerb, options: defaultOptions } as unknown as Context;
      await tameAsync(() => parseLine(words, context));
    },
  }),
  asyncTarget({
    name: 'command-line/options',
    arbitrary: fc.record({
      object: fc.nat(catalogue.length - 1),
      verb: fc.nat(20),
      argv: fc.array(fc.oneof(fc.constantFrom(...optionTokens), anyText), { maxLength: 8 }),
    }),
    async check({ object, verb, argv }) {
      const verbs = await loadVerbs(catalogue[object] ?? catalogue[0]!);
      const own = verbs[verb % verbs.length]?.options ?? [];
      const line = splitCommandLine(argv, [...own, ...globalOptionSpecs]);
      const rest = line.optionTokens.join('').length + line.words.join('').length;
      must(rest <= argv.join('').length + argv.length, 'something was added');
      const parsed = tame(() => parseOptions(line.optionTokens, own));
      const plainly = plainOptions(line.optionTokens, own);
      if (parsed !== undefined && plainly !== undefined) {
        mustEqual(plainly.global, parsed.global, 'the options of all verbs');
        mustEqual(
          { ...plainly.own },
          Object.fromEntries(Object.entries(parsed.own).filter(([, value]) => value !== undefined)),
          'those of the verb',
        );
      }
    },
  }),
];
