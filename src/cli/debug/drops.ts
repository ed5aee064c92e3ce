import { release } from 'node:os';

import type { DropFilter } from '../../domain/drop-filter.ts';
import { usageError } from '../../domain/errors.ts';
import { findingsOf, totalOf } from '../../domain/ledger.ts';
import type { LiveSystem } from '../../domain/live-system.ts';
import { readLiveSystem } from '../../kernel/inventory.ts';
import { currentNetnsInode } from '../../kernel/namespaces.ts';
import { mountKernelFilesystem } from '../../kernel/tracefs-mount.ts';
import type { Outcome } from '../../output/outcome.ts';
import type { BackendName, TraceRequest, TraceSession } from '../../tracing/backend.ts';
import { countingCommand, startTracing, type Via, viaWords } from '../../tracing/select.ts';
import { ensureTracefs, readEvents } from '../../tracing/tracefs.ts';
import { type Context, Interrupted } from '../context.ts';
import { openProgram } from '../open-program.ts';
import { deviceIndex } from '../redirect/store.ts';
import { flag, type Input, optionValue, type Verb } from '../verb.ts';
import { parseDuration } from '../words/duration.ts';
import { parseHandle } from '../words/handle.ts';
import { parseUnsigned } from '../words/number.ts';
import { parseProgramHandle } from '../words/program-handle.ts';
import { type DropsReport, reportText } from './drops-report.ts';

interface Request {
  readonly filter: DropFilter;
  readonly via: Via;
  /** Milliseconds; undefined: until a signal comes. */
  readonly duration: number | undefined;
  /** Lost frames a second above which the tracer is stopped; undefined: what is good for the backend. */
  readonly maxRate: number | undefined;
}

/**
 * bpftrace and perf cost up to 0.8 of the rate on a storm of lost frames: beyond this a host has other needs than
 * counting. Our own programs take about 30 ns a frame, so that this is as much as half of a CPU.
 */
const DEFAULT_MAX_RATE: Readonly<Record<BackendName, number>> = {
  builtin: 20_000_000,
  bpftrace: 1_000_000,
  perf: 1_000_000,
};

export const verb: Verb = {
  object: 'debug',
  name: 'drops',
  summary: 'say which redirected frames are lost, why, and what mends it',
  synopsis: [
    '[DEV…] [--via auto|builtin|bpftrace|perf] [--duration T] [--prog PROG] [--map MAP] [--exit-code] [--max-rate N] [--print-command]',
  ],
  description: [
    'Counts the tracepoints of the xdp group that this kernel has, until T has passed or SIGINT, SIGTERM or SIGHUP comes, then joins the counts with the interfaces, programs and map entries of the live system. Each loss gets a code, whether that is certain or likely, and the command that mends it; see debug explain CODE.',
    'DEV limits it to frames that came in by, or were to leave by, that interface.',
    'One line beginning ready: is printed on stderr when counting has begun. auto takes the built-in BPF programs, which count exactly and need no other tool; where the kernel has no BTF, bpftrace or perf. These need tracefs, which is mounted when it is not, unless --nomount is given.',
  ],
  arguments: [{ name: 'DEV', description: 'an interface' }],
  options: [
    { name: 'via', value: 'BACKEND', choices: viaWords, description: `what counts: ${viaWords.join(', ')}` },
    { name: 'duration', value: 'T', description: 'how long: 10, 10s, 500ms, 2m; without it until a signal' },
    { name: 'prog', value: 'PROG', description: 'only frames of this program: id:N, tag:TAG, name:NAME or a path' },
    { name: 'map', value: 'MAP', description: 'only frames redirected through this map: id:N, name:NAME or a path' },
    { name: 'exit-code', description: 'exit 10 when frames were lost' },
    {
      name: 'max-rate',
      value: 'N',
      description: `stop, and say so, when more frames a second are lost than this (default ${DEFAULT_MAX_RATE.builtin} with builtin, ${DEFAULT_MAX_RATE.bpftrace} with the others)`,
    },
    { name: 'print-command', description: 'print a command of bpftrace or perf that counts the same, and run nothing' },
  ],
  capabilities:
    'CAP_SYS_ADMIN; --via perf only CAP_PERFMON, but then programs, maps and other network namespaces have no names, and the reason is less certain',
  longRunning: true,
  json: 'an object: backend, kernel, duration_s, events, totals.dropped, findings sorted by count, blind',
  examples: [
    {
      command: 'xdpctl debug drops eth0 --duration 1s',
      description: 'what is lost at eth0 within a second',
      given: 'losing',
      output: `
100 frames lost in 1.0 s (builtin, Linux 6.18…)

     100  target-no-xmit (certain)  eth0 -> eth1
          eth1 could not transmit redirected frames: it is a veth, and its peer
          peer1 (netns right) has neither GRO on nor an XDP program
          map targets (45), key 2, program redirect (60), EOPNOTSUPP
          fix: ip netns exec right ethtool -K peer1 gro on`,
    },
    {
      command: 'xdpctl -j debug drops eth0 --duration 1s --via perf --exit-code',
      description: 'the same counted by perf, as JSON, and a failure for a script',
      given: 'losing',
      exit: 10,
      output: `
{"backend":"perf","kernel":"6.18…","duration_s":1.001,
 "events":["xdp:xdp_redirect_err",…],"totals":{"dropped":100},
 "findings":[{"code":"target-no-xmit","certainty":"certain","count":100,
   "event":"xdp_redirect_err","errno":95,"errnoName":"EOPNOTSUPP",
   "from":{"ifindex":2,"ifname":"eth0"},"to":{"ifindex":3,"ifname":"eth1"},
   "prog":{"id":60,"name":"redirect"},
   "map":{"id":45,"name":"targets","pinned":["/sys/fs/bpf/xdpctl/4026532392_2/targets"]},
   "key":2,"explanation":"eth1 could not transmit redirected frames: …",
   "fix":"ip netns exec right ethtool -K peer1 gro on"}],
 "blind":["a broadcast without an eligible target is reported as success",…]}`,
    },
    {
      command: 'xdpctl debug drops --print-command',
      description: 'a command that counts the same, to copy and paste; nothing is run',
      output: `
env BPFTRACE_MAP_KEYS_MAX=16384 BPFTRACE_MAX_MAP_KEYS=16384 bpftrace -e '…'`,
    },
  ],
  async run(input, context): Promise<Outcome> {
    const request = parseRequest(input, context);
    if (flag(input, 'print-command')) return printCommand(request, context);
    const before = readLiveSystem();
    await using session = await begin(request, context);
    const started = performance.now();
    await context.ready(`counting lost frames with ${session.backend} (${session.events.join(' ')})`);
    await untilEnd(session, request.duration, context.signal);
    const seconds = (performance.now() - started) / 1000;
    const result = await session.stop();
    if (result.end.why === 'max-rate') {
      await context.warn({
        message: `stopped after ${seconds.toFixed(1)} s: ${result.end.rate} frames a second are lost, more than --max-rate allows`,
        hint: 'count a shorter time, or raise --max-rate',
      });
    }
    const findings = findingsOf(result.counters, merged(before, readLiveSystem()), request.filter);
    const report: DropsReport = {
      backend: session.backend,
      kernel: release(),
      duration_s: Math.round(seconds * 1000) / 1000,
      events: session.events,
      totals: { dropped: totalOf(findings) },
      findings,
      blind: session.blind,
      ...(result.undercount.length > 0 && { undercount: result.undercount }),
    };
    return {
      kind: 'report',
      data: report,
      text: (paint) => reportText(report, paint),
      findings: findings.length > 0 && flag(input, 'exit-code'),
    };
  },
};

function parseRequest(input: Input, context: Context): Request {
  const via = optionValue(input, 'via') ?? 'auto';
  if (!(viaWords as readonly string[]).includes(via)) {
    throw usageError(`--via takes ${viaWords.join(', ')}, not '${via}'`);
  }
  const duration = optionValue(input, 'duration');
  const maxRate = optionValue(input, 'max-rate');
  return {
    filter: parseFilter(input, context),
    via: via as Via,
    duration: duration === undefined ? undefined : parseDuration(duration, '--duration'),
    maxRate: maxRate === undefined ? undefined : parseUnsigned(maxRate, '--max-rate', Number.MAX_SAFE_INTEGER),
  };
}

function parseFilter(input: Input, context: Context): DropFilter {
  const ifindexes = input.words.map((name) => deviceIndex(name));
  const map = optionValue(input, 'map');
  const prog = optionValue(input, 'prog');
  return {
    ...(ifindexes.length > 0 && { ifindexes, netns: currentNetnsInode() }),
    ...(map !== undefined && { mapIds: [context.maps.open(parseHandle(map, 'map')).info.id] }),
    ...(prog !== undefined && { progIds: [programId(prog)] }),
  };
}

function programId(value: string): number {
  using program = openProgram(parseProgramHandle(value), 'xdp');
  return program.info.id;
}

function traceRequest({ filter, maxRate }: Request, { options, signal }: Context): TraceRequest {
  return {
    filter,
    signal,
    ...(maxRate !== undefined && { maxRate }),
    events: () => readEvents(ensureTracefs(options.nomount ? undefined : mountKernelFilesystem), 'xdp'),
  };
}

async function printCommand(request: Request, context: Context): Promise<Outcome> {
  const { backend, text } = await countingCommand(request.via, traceRequest(request, context));
  if (request.via === 'builtin') {
    await context.warn({ message: `builtin runs no command; this one of ${backend} counts the same events` });
  }
  return { kind: 'text', text: `${text}\n` };
}

async function begin(request: Request, context: Context): Promise<TraceSession> {
  const skipped: string[] = [];
  try {
    return await startTracing(
      request.via,
      traceRequest(request, context),
      ({ backend, message }) => void skipped.push(`${backend} is not used: ${message}`),
      DEFAULT_MAX_RATE,
    );
  } catch (error) {
    if (context.signal.aborted) throw new Interrupted('');
    throw error;
  } finally {
    for (const message of skipped) await context.warn({ message });
  }
}

/** Waits for the time to pass, a signal, or the tracer's own end. */
async function untilEnd(session: TraceSession, duration: number | undefined, signal: AbortSignal): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve());
    if (duration !== undefined) timer = setTimeout(resolve, duration);
  });
  await Promise.race([over, session.ended]);
  clearTimeout(timer);
}

/** The system after counting, with the programs and maps that went away meanwhile. */
function merged(before: LiveSystem, after: LiveSystem): LiveSystem {
  return {
    ...after,
    programs: new Map([...before.programs, ...after.programs]),
    maps: new Map([...before.maps, ...after.maps]),
  };
}
