import { isDeepStrictEqual } from 'node:util';

import * as fc from 'fast-check';

import { ToolError } from '../../src/domain/errors.ts';
import { replaceHidden } from '../../src/domain/hidden-characters.ts';
import { typedHere } from '../../src/domain/typed-command.ts';
import { plain } from '../../src/output/color.ts';
import { failureJson, failureText } from '../../src/output/failure.ts';
import { jsonText } from '../../src/output/json.ts';

/** A parser with what it is fed and what must hold, whatever that is. */
export interface FuzzTarget {
  /** `words/key` */
  readonly name: string;
  readonly arbitrary: fc.Arbitrary<unknown>;
  /** Throws where a property does not hold. */
  check(input: unknown): void | Promise<void>;
  /** Whether `check` returns a promise. */
  readonly async: boolean;
  /** Lets another program judge, many inputs at once: called now and then, and at the end. */
  readonly judge?: () => void;
  /** Of so many inputs it gets one, because each starts a process, or changes files; 1 when absent. */
  readonly oneIn?: number;
}

interface Definition<Case> {
  readonly name: string;
  readonly arbitrary: fc.Arbitrary<Case>;
  check(input: Case): void;
  judge?(): void;
  readonly oneIn?: number;
}

export function target<Case>({ name, arbitrary, check, judge, oneIn = 1 }: Definition<Case>): FuzzTarget {
  return { name, arbitrary, check: (input) => check(input as Case), async: false, oneIn, ...(judge && { judge }) };
}

/** The same for a parser that is asynchronous. */
export function asyncTarget<Case>({
  name,
  arbitrary,
  check,
  oneIn = 1,
}: {
  readonly name: string;
  readonly arbitrary: fc.Arbitrary<Case>;
  check(input: Case): Promise<void>;
  readonly oneIn?: number;
}): FuzzTarget {
  return { name, arbitrary, check: (input) => check(input as Case), async: true, oneIn };
}

/** How long one input may take: what is slower hangs, or will with a larger one. */
const LIMIT_MS = 3000;

/** So often something is slow for its own sake, and not because the machine has had other things to do. */
const SLOW_TIMES = 3;

/** Inputs that another program judges together: it takes milliseconds to start. */
const TOGETHER = 5000;

/** The property of a target, as fast-check runs it. */
export function propertyOf(
  { arbitrary, check, judge, async: isAsync }: FuzzTarget,
  begin: () => void = () => {},
): fc.IRawProperty<[unknown]> {
  let cases = 0;
  if (isAsync) {
    return fc.asyncProperty(arbitrary, async (input) => {
      begin();
      for (let slow = 0; slow < SLOW_TIMES; slow += 1) {
        const start = performance.now();
        await check(input);
        if (!isSlow(start, slow)) return;
      }
    });
  }
  return fc.property(arbitrary, (input) => {
    begin();
    for (let slow = 0; slow < SLOW_TIMES; slow += 1) {
      const start = performance.now();
      void check(input);
      if (!isSlow(start, slow)) break;
    }
    cases += 1;
    if (cases % TOGETHER === 0) judge?.();
  });
}

/** @throws Error when it was so every time */
function isSlow(start: number, before: number): boolean {
  const time = performance.now() - start;
  if (time <= LIMIT_MS) return false;
  if (before + 1 === SLOW_TIMES) throw new Error(`took ${Math.round(time)} ms`);
  return true;
}

/** @throws Error unless it is so */
export function must(condition: boolean, what: string): void {
  if (!condition) throw new Error(what);
}

/** @throws Error when the texts differ */
export function mustEqual(actual: unknown, expected: unknown, what = 'it'): void {
  // Most are, and a text of each takes longer than a whole parser.
  if (isDeepStrictEqual(actual, expected)) return;
  const [here, there] = [fc.stringify(actual), fc.stringify(expected)];
  if (here !== there) throw new Error(`${what} is ${here}, not ${there}`);
}

type ErrorClass = abstract new (...args: never[]) => Error;

/**
 * What a parser gives; undefined where it refuses its input with an error of ours, which must be fit to be printed.
 *
 * @param allowed classes of errors that somebody words later
 * @throws whatever else it throws
 */
export function tame<Result>(parse: () => Result, allowed: readonly ErrorClass[] = []): Result | undefined {
  try {
    return parse();
  } catch (error) {
    checkError(error, allowed);
    return undefined;
  }
}

/** The same for a parser that is asynchronous. */
export async function tameAsync<Result>(
  parse: () => Promise<Result>,
  allowed: readonly ErrorClass[] = [],
): Promise<Result | undefined> {
  try {
    return await parse();
  } catch (error) {
    checkError(error, allowed);
    return undefined;
  }
}

function checkError(error: unknown, allowed: readonly ErrorClass[]): void {
  if (allowed.some((known) => error instanceof known)) return;
  if (!(error instanceof ToolError) || error.kind === 'bug') throw error;
  const text = failureText(error, plain, typedHere);
  must(/^error: [^\n]+\n(?:hint: [^\n]+\n)?$/.test(text), `an error of another form: ${JSON.stringify(text)}`);
  mustBePrintable(text.replaceAll('\n', ''));
  const json = jsonText(failureJson(error, typedHere), false);
  mustBePrintable(json);
  JSON.parse(json);
}

/** @throws Error for a text in which something is that a terminal would obey */
export function mustBePrintable(text: string): void {
  replaceHidden(text, (character) => {
    throw new Error(`U+${character.codePointAt(0)?.toString(16)} is in ${JSON.stringify(text)}`);
  });
}
