import { ToolError } from '../../domain/errors.ts';
import { xskLost } from '../../domain/xsk-statistics.ts';
import type { Ending } from '../../kernel/af-xdp/consumption.ts';
import { toToolError } from '../to-tool-error.ts';
import type { BindSummary } from './bind-report.ts';
import type { BindRequest } from './bind-request.ts';
import type { BindSession } from './bind-session.ts';

/** Why consuming stopped: for one of the foreseen reasons, or because something failed. */
export type Cause = { readonly ending: Ending } | { readonly error: unknown };

/** What there was, and why that is a failure; undefined where it is none. */
export interface BindEnd {
  readonly summary: BindSummary;
  readonly failure: ToolError | undefined;
}

/** Consumes until a time on the clock of `performance.now()`, or something else ends it. */
export async function consume(session: BindSession, end: number): Promise<Cause> {
  try {
    return { ending: await session.until(end) };
  } catch (error) {
    return { error };
  }
}

/** Ends the session. Whatever fails on the way, there is a summary. */
export async function endSession(session: BindSession, request: BindRequest, cause: Cause): Promise<BindEnd> {
  const ending = 'ending' in cause ? cause.ending : undefined;
  const { summary, error } = await session.end(ending);
  // When the disk is full it still is so at the end: the first failure is the one to tell.
  const failure = 'error' in cause ? cause.error : ending === 'device-gone' ? deviceGone(request) : error;
  return { summary, failure: failure === undefined ? undefined : withCounts(toToolError(failure), summary) };
}

function deviceGone({ ifname }: BindRequest): ToolError {
  return new ToolError('refused', `${ifname} was deleted, or moved to another network namespace`, {
    hint: 'bind again when it is back',
    errno: 100,
    operation: 'xsk receive',
  });
}

/** The failure with what had been done by then: with -j there is no other place for it. */
function withCounts(failure: ToolError, summary: BindSummary): ToolError {
  const lost = xskLost(summary.statistics);
  const counts = [
    `${summary.frames} frames received`,
    ...(summary.unread === 0 ? [] : [`${summary.unread} not taken`]),
    ...(summary.written === undefined ? [] : [`${summary.written} written`]),
    ...(lost === 0 ? [] : [`${lost} lost`]),
  ].join(', ');
  return failure.reworded(`${failure.message} (${counts})`);
}
