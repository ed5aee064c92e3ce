import type { Finding } from '../../domain/finding.ts';
import { lossPicture } from '../../output/loss-view.ts';
import type { Outcome, StreamItem } from '../../output/outcome.ts';
import type { TraceSession } from '../../tracing/backend.ts';
import type { Context } from '../context.ts';
import { Analyst } from './analyst.ts';
import { reportText } from './drops-report.ts';
import type { DropsRequest } from './drops-request.ts';
import { beginCounting, conclude, totalsOf, untilEnd } from './drops-session.ts';
import { intervalText } from './interval-report.ts';
import { LossHistory } from './loss-history.ts';

/** What was lost in one interval: a line of JSON. */
export interface IntervalReport {
  /** From 1 on. */
  readonly interval: number;
  /** Since counting began. */
  readonly time_s: number;
  readonly interval_s: number;
  readonly totals: { readonly redirected?: number; readonly dropped: number };
  readonly findings: readonly Finding[];
}

/** Tells every interval what is new, and everything at the end. */
export function watchIntervals(request: DropsRequest, every: number, context: Context): Outcome {
  let found = false;
  const items = intervals(request, every, context, (count) => (found ||= count > 0));
  return {
    kind: 'stream',
    items,
    ...(request.follow && { live: true }),
    // Asked for once all has been printed.
    get findings() {
      return found && request.exitCode;
    },
  };
}

async function* intervals(
  request: DropsRequest,
  every: number,
  context: Context,
  tell: (findings: number) => void,
): AsyncGenerator<StreamItem> {
  const analyst = new Analyst(request.filter);
  await using session = await beginCounting(request, context, analyst, every);
  const history = new LossHistory();
  const started = performance.now();
  const end = request.duration === undefined ? Infinity : started + request.duration;
  if (request.follow) yield pictureOf(history, session, 0);
  let last = started;
  for (let interval = 1; ; interval += 1) {
    const next = nextMoment(started, every, performance.now());
    await untilEnd(session, Math.max(0, Math.min(next, end) - performance.now()), context.signal);
    if (context.signal.aborted || (await hasEnded(session)) || (next > end && performance.now() >= end)) break;
    const counts = await session.snapshot();
    const now = performance.now();
    const findings = analyst.since(counts);
    const totals = totalsOf(session, findings, analyst.flows);
    const report = reportOf(interval, { started, last, now }, totals, findings);
    last = now;
    const text = intervalText(report, history);
    history.add(findings, report.interval_s);
    yield { ...pictureOf(history, session, report.time_s), data: report, text };
  }
  const { report, warning } = await conclude(session, analyst, started);
  tell(report.findings.length);
  // What is said now must not be drawn over.
  yield { data: report, text: (paint) => `\n${reportText(report, paint)}` };
  if (warning !== undefined) await context.warn(warning);
}

/** When the next interval ends. One that is over before its turn comes, on a busy machine, is part of the one before. */
export function nextMoment(started: number, every: number, now: number): number {
  return started + (Math.floor((now - started) / every) + 1) * every;
}

interface Times {
  readonly started: number;
  readonly last: number;
  readonly now: number;
}

function reportOf(
  interval: number,
  { started, last, now }: Times,
  totals: IntervalReport['totals'],
  findings: readonly Finding[],
): IntervalReport {
  const seconds = (from: number): number => Math.round(now - from) / 1000;
  return {
    interval,
    time_s: seconds(started),
    interval_s: seconds(last),
    totals,
    findings,
  };
}

/** The picture, with nothing said where there is none. */
function pictureOf(history: LossHistory, { backend }: TraceSession, seconds: number): StreamItem & { text: string } {
  const { dropped, rate } = history;
  const state = { backend, seconds, dropped, rate, history: [...history.history], rows: history.rows() };
  return { text: '', picture: (size, paint) => lossPicture(state, size, paint) };
}

/** Whether the tracer has ended, by itself or because it had to. */
async function hasEnded({ ended }: TraceSession): Promise<boolean> {
  return Promise.race([ended.then(() => true), Promise.resolve(false)]);
}
