import { release } from 'node:os';

import type { Painter } from '../../output/color.ts';
import type { Outcome } from '../../output/outcome.ts';
import type { BackendFailure } from '../../tracing/backend.ts';
import { countEvents } from '../../tracing/event-counting.ts';
import { type EventCount, type EventSession } from '../../tracing/event-session.ts';
import { viaWords } from '../../tracing/select.ts';
import { type Context, Interrupted } from '../context.ts';
import { optionValue, type Verb } from '../verb.ts';
import { parseDuration } from '../words/duration.ts';
import { WordList } from '../words/word-list.ts';
import { parseVia } from './drops-request.ts';
import { readXdpEvents, untilEnd } from './drops-session.ts';

interface EventsReport {
  readonly backend: string;
  readonly kernel: string;
  readonly duration_s: number;
  /** Most hits first. */
  readonly events: readonly EventCount[];
}

export const verb: Verb = {
  object: 'debug',
  name: 'events',
  summary: 'count the tracepoints of the xdp group',
  synopsis: ['[--via auto|builtin|bpftrace|perf] [--duration T]'],
  description: [
    'Counts how often each tracepoint of the xdp group is hit, on the whole machine, until T has passed or SIGINT, SIGTERM or SIGHUP comes: the first recipe of the kernel’s redirect.rst. Not every hit is a loss, and not every loss has an event: see debug drops.',
    'Counting successful redirects costs: xdp_redirect is hit by every redirected frame.',
    'One line beginning ready: is printed on stderr when counting has begun.',
  ],
  options: [
    { name: 'via', value: 'BACKEND', choices: viaWords, description: `what counts: ${viaWords.join(', ')}` },
    { name: 'duration', value: 'T', description: 'how long: 10, 10s, 500ms, 2m; without it until a signal' },
  ],
  capabilities: 'CAP_BPF and CAP_PERFMON; with perf CAP_PERFMON alone; CAP_SYS_ADMIN for bpftrace',
  longRunning: true,
  json: 'an object: backend, kernel, duration_s, and events with the count of each tracepoint that this kernel has',
  examples: [
    {
      command: 'xdpctl debug events --duration 1s',
      description: 'what happens within a second',
      given: 'losing',
      output: `
…
     100  xdp:xdp_redirect_err
…`,
    },
    {
      command: 'xdpctl -j debug events --duration 1s --via perf',
      description: 'the same counted by perf stat, as JSON',
      given: 'losing',
      output: `
{"backend":"perf","kernel":"6.18…","duration_s":1.001,
 "events":[…{"event":"xdp:xdp_redirect_err","count":100}…]}`,
    },
  ],
  async run(input, context): Promise<Outcome> {
    new WordList(input.words).end();
    const duration = optionValue(input, 'duration');
    const milliseconds = duration === undefined ? undefined : parseDuration(duration, '--duration');
    await using session = await begin(parseVia(input), context);
    const started = performance.now();
    await context.ready(`counting the xdp tracepoints with ${session.backend}`);
    await untilEnd(session, milliseconds, context.signal);
    const seconds = (performance.now() - started) / 1000;
    const report: EventsReport = {
      backend: session.backend,
      kernel: release(),
      duration_s: Math.round(seconds * 1000) / 1000,
      events: await session.stop(),
    };
    return { kind: 'report', data: report, text: (paint) => reportText(report, paint) };
  },
};

async function begin(via: ReturnType<typeof parseVia>, context: Context): Promise<EventSession> {
  const skipped: BackendFailure[] = [];
  try {
    const request = { names: () => [...readXdpEvents(context).keys()], signal: context.signal };
    const session = await countEvents(via, request, (failure) => void skipped.push(failure));
    for (const { backend, message } of skipped) await context.warn({ message: `${backend} is not used: ${message}` });
    return session;
  } catch (error) {
    if (context.signal.aborted) throw new Interrupted('');
    throw error;
  }
}

function reportText({ events, duration_s: seconds, backend, kernel }: EventsReport, paint: Painter): string {
  const lines = events.map(({ event, count }) => {
    const line = `${String(count).padStart(12)}  ${event}\n`;
    return count === 0 ? paint('dim', line) : line;
  });
  return `${seconds.toFixed(1)} s (${backend}, Linux ${kernel})\n${lines.join('')}`;
}
