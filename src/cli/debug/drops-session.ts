import { release } from 'node:os';

import type { Finding } from '../../domain/finding.ts';
import type { FlowCounter } from '../../domain/flow-counter.ts';
import { totalOf } from '../../domain/ledger.ts';
import { effectiveCapabilities } from '../../kernel/surroundings.ts';
import { mountKernelFilesystem } from '../../kernel/tracefs-mount.ts';
import type { Outcome, Remark } from '../../output/outcome.ts';
import type { BackendFailure, BackendName, TraceRequest, TraceResult, TraceSession } from '../../tracing/backend.ts';
import { countingCommand, startTracing } from '../../tracing/select.ts';
import { ensureTracefs, type Events, readEvents } from '../../tracing/tracefs.ts';
import { type Context, Interrupted } from '../context.ts';
import { Analyst } from './analyst.ts';
import { type DropsReport, reportText } from './drops-report.ts';
import { defaultMaxRate, type DropsRequest } from './drops-request.ts';

/** Counts until the time is over or a signal comes, and gives one report. */
export async function watchOnce(request: DropsRequest, context: Context): Promise<Outcome> {
  const analyst = new Analyst(request.filter);
  await using session = await beginCounting(request, context, analyst);
  const started = performance.now();
  await untilEnd(session, request.duration, context.signal);
  const { report, warning } = await conclude(session, analyst, started);
  if (warning !== undefined) await context.warn(warning);
  return {
    kind: 'report',
    data: report,
    text: (paint) => reportText(report, paint),
    findings: report.findings.length > 0 && request.exitCode,
  };
}

/**
 * Starts counting, and says so.
 *
 * @param snapshotEvery milliseconds, when counts are wanted meanwhile
 */
export async function beginCounting(
  request: DropsRequest,
  context: Context,
  analyst: Analyst,
  snapshotEvery?: number,
): Promise<TraceSession> {
  if (request.conserve) await context.note(`--conserve counts every redirected frame: ${costOfConserving(request)}`);
  const skipped: BackendFailure[] = [];
  try {
    const session = await startTracing(
      request.via,
      {
        ...traceRequest({ ...request, filter: analyst.countingFilter }, context),
        onBegin: analyst.begin,
        ...(snapshotEvery !== undefined && { snapshotEvery }),
      },
      (failure) => void skipped.push(failure),
      defaultMaxRate,
    );
    const told = skipped.map((failure) => skippedText(failure, session));
    for (const message of [...told, ...unseenSystem()]) await context.warn({ message });
    await context.ready(`counting lost frames with ${session.backend} (${session.events.join(' ')})`);
    return session;
  } catch (error) {
    if (context.signal.aborted) throw new Interrupted('');
    throw error;
  }
}

/** Why a backend, or one of its two ways, is not used. */
function skippedText({ backend, message }: BackendFailure, session: TraceSession): string {
  if (backend !== session.backend) return `${backend} is not used: ${message}`;
  return `${backend} is used all the same, on classic tracepoints: ${message}`;
}

/** What findings lack that are made by somebody who may count and no more. */
function unseenSystem(): string[] {
  if (effectiveCapabilities()?.has('CAP_SYS_ADMIN') !== false) return [];
  return [
    'programs, maps and other network namespaces cannot be looked at without CAP_SYS_ADMIN: numbers stand for names, and causes that they decide are guessed',
  ];
}

/** What was counted in all, and what is to be said about it. */
export interface Conclusion {
  readonly report: DropsReport;
  readonly warning?: Remark;
}

/** Ends counting and makes the report. @throws ToolError when the tracer failed */
export async function conclude(session: TraceSession, analyst: Analyst, started: number): Promise<Conclusion> {
  const seconds = (performance.now() - started) / 1000;
  const result = await session.stop();
  const findings = analyst.total(result);
  const report = reportOf(session, result, { findings, flows: analyst.flows }, seconds);
  if (result.end.why !== 'max-rate') return { report };
  const message = `stopped after ${seconds.toFixed(1)} s: ${result.end.rate} frames a second are counted, more than --max-rate allows`;
  return { report, warning: { message, hint: 'count a shorter time, or raise --max-rate' } };
}

function reportOf(
  session: TraceSession,
  { undercount }: TraceResult,
  { findings, flows }: { readonly findings: readonly Finding[]; readonly flows: readonly FlowCounter[] },
  seconds: number,
): DropsReport {
  const { backend, events, blind } = session;
  return {
    backend,
    kernel: release(),
    duration_s: Math.round(seconds * 1000) / 1000,
    events,
    totals: totalsOf(session, findings, flows),
    findings,
    blind,
    ...(undercount.length > 0 && { undercount }),
  };
}

/** Sums; redirected frames are known only where they were counted, which not every tracer does. */
export function totalsOf(
  { events }: TraceSession,
  findings: readonly Finding[],
  flows: readonly FlowCounter[],
): DropsReport['totals'] {
  const redirected = flows.reduce((sum, { kind, count }) => sum + (kind === 'redirected' ? count : 0), 0);
  return { ...(events.includes('xdp:xdp_redirect') && { redirected }), dropped: totalOf(findings) };
}

/** For --print-command: nothing is run. */
export async function printedCommand(request: DropsRequest, context: Context): Promise<Outcome> {
  const { countingFilter } = new Analyst(request.filter);
  const counting = traceRequest({ ...request, filter: countingFilter }, context);
  const { backend, text } = await countingCommand(request.via, counting, request.duration);
  if (request.via === 'builtin') {
    await context.warn({ message: `builtin runs no command; this one of ${backend} counts the same events` });
  }
  return { kind: 'report', data: { backend, command: text }, text: `${text}\n` };
}

function traceRequest({ filter, maxRate, conserve }: DropsRequest, context: Context): TraceRequest {
  return {
    filter,
    conserve,
    signal: context.signal,
    ...(maxRate !== undefined && { maxRate }),
    events: () => readXdpEvents(context),
  };
}

/** The xdp tracepoints as tracefs describes them, which is mounted when it is not and may be. */
export function readXdpEvents({ options }: Context): Events {
  return readEvents(ensureTracefs(options.nomount ? undefined : mountKernelFilesystem), 'xdp');
}

/** Measured on a veth with 60-byte frames that all arrive (live frames, one CPU): see test/bench/README.md. */
const conservingCosts: Readonly<Record<BackendName, string>> = {
  builtin: 'a quarter',
  bpftrace: 'three quarters',
  perf: 'four fifths',
};

function costOfConserving({ via }: DropsRequest): string {
  const { builtin, bpftrace, perf } = conservingCosts;
  if (via !== 'auto') return `that takes about ${conservingCosts[via]} of the packet rate`;
  return `that takes about ${builtin} of the packet rate (${bpftrace} with bpftrace, ${perf} with perf)`;
}

/** Milliseconds; with more, setTimeout does not wait at all. */
const LONGEST_TIMER = 2 ** 31 - 1;

/**
 * Waits for the time to pass, a signal, or the tracer's own end. Signals get through even when there is no time to wait:
 * promises alone would never let them.
 */
export async function untilEnd(
  session: Pick<TraceSession, 'ended'>,
  duration: number | undefined,
  signal: AbortSignal,
): Promise<void> {
  const end = performance.now() + (duration ?? Infinity);
  let timer: NodeJS.Timeout | undefined;
  const listening = new AbortController();
  const over = new Promise<void>((resolve) => {
    // The timer also keeps the process alive, which waiting alone would not.
    const wait = (): void => {
      const left = end - performance.now();
      if (left <= 0) setImmediate(resolve);
      else timer = setTimeout(wait, Math.min(left, LONGEST_TIMER));
    };
    wait();
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { signal: listening.signal });
  });
  await Promise.race([over, session.ended]);
  clearTimeout(timer);
  listening.abort();
}
