import { ToolError, usageError } from '../../domain/errors.ts';
import { shellCommand } from '../../domain/shell-quote.ts';
import { hasRawBytes } from '../../kernel/os-path.ts';
import type { Outcome } from '../../output/outcome.ts';
import { printable } from '../../output/printable.ts';
import { BackendFailure, readFor } from '../../tracing/backend.ts';
import { PerfRecording, recordedEvents, type RecordRequest } from '../../tracing/perf-record.ts';
import { noneWorks } from '../../tracing/select.ts';
import { type Context, Interrupted } from '../context.ts';
import { flag, optionValue, type Verb } from '../verb.ts';
import { parseDuration } from '../words/duration.ts';
import { parseUnsigned } from '../words/number.ts';
import { WordList } from '../words/word-list.ts';
import { readXdpEvents, untilEnd } from './drops-session.ts';

/** MiB: some seconds of a storm of lost frames, or days of a trickle. */
const DEFAULT_MAX_SIZE = 256;
/** perf's own limit is that of a 64-bit number. */
const LARGEST_MAX_SIZE = 1_048_576;

export const verb: Verb = {
  object: 'debug',
  name: 'record',
  summary: 'record the tracepoints of failed redirects with perf, each with its time',
  synopsis: ['[--duration T] [--max-size MIB] [--force] -o FILE'],
  description: [
    'Runs perf record on the whole machine with the events of the kernel’s redirect.rst that this kernel has, until T has passed, the file is as large as it may be, or SIGINT, SIGTERM or SIGHUP comes. perf script shows the records: what was lost when, and on which CPU. To count losses, debug drops costs less.',
    'FILE is written beside its place and put there at the end, whole. A file that is there is not replaced without --force.',
    'One line beginning ready: is printed on stderr when recording has begun.',
  ],
  options: [
    { name: 'output', short: 'o', value: 'FILE', description: 'the file' },
    { name: 'duration', value: 'T', description: 'how long: 10, 10s, 500ms, 2m; without it until a signal' },
    {
      name: 'max-size',
      value: 'MIB',
      description: `how large the file may become, in MiB (default ${DEFAULT_MAX_SIZE}); then it ends, and says so`,
    },
    { name: 'force', description: 'replace a file that is there; never what a symbolic link leads to' },
  ],
  capabilities: 'CAP_PERFMON and a readable tracefs',
  longRunning: true,
  json: 'an object: file, bytes, duration_s, events, and full where the file was as large as it might become',
  examples: [
    {
      command: 'xdpctl debug record --duration 1s -o lost.data && perf script -i lost.data',
      description: 'the frames that are lost within a second, one by one',
      given: 'losing',
      output: `
recorded 1.0 s in lost.data (… KiB); see it with: perf script -i lost.data
…xdp:xdp_redirect_err: prog_id=60 action=REDIRECT ifindex=2 to_ifindex=3 err=-95 map_id=45 map_index=2
…`,
    },
    {
      command: 'xdpctl -j debug record --duration 1s --max-size 10 -o lost.data',
      description: 'what was recorded, as JSON',
      output: `
{"file":"lost.data","bytes":119103,"duration_s":1.001,
 "events":["xdp:xdp_redirect_err","xdp:xdp_exception","xdp:xdp_devmap_xmit"]}`,
    },
  ],
  async run(input, context): Promise<Outcome> {
    new WordList(input.words).end();
    const file = optionValue(input, 'output');
    if (file === undefined || file === '') throw usageError('debug record needs a file: -o FILE');
    if (hasRawBytes(file)) throw usageError(`${file} is no UTF-8: such a name cannot be told to perf`);
    const duration = optionValue(input, 'duration');
    const milliseconds = duration === undefined ? undefined : parseDuration(duration, '--duration');
    const maxSize = optionValue(input, 'max-size');
    const request: Omit<RecordRequest, 'events'> = {
      file,
      replace: flag(input, 'force'),
      maxSize: maxSize === undefined ? DEFAULT_MAX_SIZE : parseMaxSize(maxSize),
      signal: context.signal,
    };
    await using recording = await begin(request, context);
    const started = performance.now();
    const events = recording.events.map((name) => `xdp:${name}`);
    await context.ready(`recording ${events.join(' ')}`);
    await untilEnd(recording, milliseconds, context.signal);
    const seconds = Math.round(performance.now() - started) / 1000;
    const { bytes, full } = await recording.stop();
    if (full)
      await context.warn({
        message: `the file is as large as it may be: ${request.maxSize} MiB`,
        hint: 'a shorter time, or --max-size',
      });
    return {
      kind: 'report',
      data: { file, bytes, duration_s: seconds, events, ...(full && { full }) },
      text: recordedText(file, bytes, seconds),
    };
  },
};

function recordedText(file: string, bytes: number, seconds: number): string {
  const size = `${Math.ceil(bytes / 1024)} KiB`;
  return `recorded ${seconds.toFixed(1)} s in ${printable(file)} (${size}); see it with: ${shellCommand(['perf', 'script', '-i', file])}\n`;
}

/** @throws ToolError usage */
function parseMaxSize(word: string): number {
  const size = parseUnsigned(word, '--max-size', LARGEST_MAX_SIZE);
  if (size === 0) throw usageError('--max-size 0 leaves no room for a file');
  return size;
}

function availableEvents(context: Context): string[] {
  const events = readXdpEvents(context);
  const available = recordedEvents.filter((name) => events.has(name));
  if (available.length === 0) {
    throw new ToolError('unsupported', 'this kernel has none of the tracepoints of failed redirects');
  }
  return available;
}

async function begin(request: Omit<RecordRequest, 'events'>, context: Context): Promise<PerfRecording> {
  try {
    const events = readFor('perf', () => availableEvents(context));
    return await PerfRecording.start({ ...request, events });
  } catch (error) {
    if (context.signal.aborted) throw new Interrupted('');
    if (error instanceof BackendFailure) throw noneWorks([error]);
    throw error;
  }
}
