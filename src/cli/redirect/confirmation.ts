import { ToolError, usageError } from '../../domain/errors.ts';
import { type Context, Interrupted } from '../context.ts';
import { parseDuration } from '../words/duration.ts';

const NEWLINE = 10;
/** A day: whoever wants longer has forgotten it by then. */
const LONGEST_MS = 24 * 3_600_000;

/** The value of --confirm in milliseconds. @throws ToolError usage */
export function parseConfirmTime(word: string | undefined): number | undefined {
  if (word === undefined) return undefined;
  const time = parseDuration(word, '--confirm');
  if (time > LONGEST_MS) throw usageError(`--confirm ${word} is out of range: up to 24h`);
  return time;
}

/**
 * Waits for the user to confirm a change that is in effect: for Enter on standard input. A connection that the change has
 * cut off cannot give it, and its end comes as SIGHUP or as the end of the input.
 *
 * @param milliseconds how long
 * @throws ToolError refused when it was not confirmed; Interrupted when a signal came
 */
export async function confirmed(milliseconds: number, context: Context): Promise<void> {
  const seconds = milliseconds / 1000;
  await context.ready(`in effect; press Enter within ${seconds} s to keep it, or it is taken back`);
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<'timeout'>((resolve) => {
    timer = setTimeout(() => resolve('timeout'), milliseconds);
  });
  try {
    const answer = await Promise.race([timeout, readAnswer(context)]);
    if (answer === 'yes') return;
    throw new ToolError('refused', `${reasons[answer]}: the change was taken back`, {
      hint: 'nothing has changed; --yes does without a confirmation',
    });
  } catch (error) {
    if (error instanceof Interrupted)
      throw new Interrupted('interrupted before it was confirmed: the change was taken back');
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

const reasons = {
  timeout: 'not confirmed in time',
  no: 'not confirmed',
  end: 'nobody there to confirm (end of standard input)',
} as const;

/** Enter, or a word that begins with y, is a yes. */
async function readAnswer(context: Context): Promise<'yes' | 'no' | 'end'> {
  const line: number[] = [];
  for await (const piece of context.stdin()) {
    const end = piece.indexOf(NEWLINE);
    line.push(...piece.subarray(0, end === -1 ? piece.length : end));
    if (end !== -1) return /^\s*(?:y.*)?$/i.test(Buffer.from(line).toString('utf8')) ? 'yes' : 'no';
  }
  return 'end';
}
