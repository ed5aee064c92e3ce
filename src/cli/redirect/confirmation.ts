import { ToolError } from '../../domain/errors.ts';
import { isReadable } from '../../kernel/readable.ts';
import { type Context, Interrupted } from '../context.ts';
import { parseDuration } from '../words/duration.ts';

const NEWLINE = 10;
/** A day: whoever wants longer has forgotten it by then. */
const LONGEST_MS = 24 * 3_600_000;

/** The value of --confirm in milliseconds. @throws ToolError usage */
export function parseConfirmTime(word: string | undefined): number | undefined {
  if (word === undefined) return undefined;
  return parseDuration(word, '--confirm', { most: LONGEST_MS, text: '24h' });
}

/** What the user is asked. */
export interface Question {
  /** How long there is for an answer. */
  readonly milliseconds: number;
  /** Standard input, asked for before the change: where it is not to be had, nothing is begun. */
  readonly answers: AsyncIterable<Uint8Array>;
}

/**
 * Waits for the user to confirm a change that is in effect: for Enter on standard input. A connection that the change has
 * cut off cannot give it, and its end comes as SIGHUP or as the end of the input.
 *
 * @throws ToolError refused when it was not confirmed; Interrupted when a signal came
 */
export async function confirmed({ milliseconds, answers }: Question, context: Context): Promise<void> {
  await context.ready(`in effect; press Enter within ${milliseconds / 1000} s to keep it, or it is taken back`);
  const answer = await readAnswer(answers, context, process.uptime() * 1000 + milliseconds);
  if (answer === 'yes') return;
  if (answer === 'interrupted') throw new Interrupted('interrupted before it was confirmed: the change was taken back');
  throw new ToolError('refused', `${reasons[answer]}: the change was taken back`, {
    hint: 'nothing has changed; --yes does without a confirmation',
  });
}

const reasons = {
  timeout: 'not confirmed in time',
  no: 'not confirmed',
  end: 'nobody there to confirm (end of standard input)',
} as const;

type Answer = keyof typeof reasons | 'yes' | 'interrupted';

/** How often standard input is looked at. */
const LOOK_MS = 20;
const STDIN = 0;

/**
 * Enter, or a word that begins with y, is a yes.
 *
 * @param end when the time is over, in milliseconds of this process's life
 */
async function readAnswer(answers: AsyncIterable<Uint8Array>, context: Context, end: number): Promise<Answer> {
  const pieces = answers[Symbol.asyncIterator]();
  const line: number[] = [];
  for (;;) {
    // Only what is there is read: a read that waits would keep the command from ending when the time is over.
    while (!isReadable(STDIN)) {
      if (context.signal.aborted) return 'interrupted';
      if (process.uptime() * 1000 >= end) return 'timeout';
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
    const { value: piece, done } = await pieces.next();
    if (done === true) return 'end';
    const newline = piece.indexOf(NEWLINE);
    line.push(...piece.subarray(0, newline === -1 ? piece.length : newline));
    if (newline !== -1) return /^\s*(?:y.*)?$/i.test(Buffer.from(line).toString('utf8')) ? 'yes' : 'no';
  }
}
