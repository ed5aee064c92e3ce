import type { DropFilter } from '../../domain/drop-filter.ts';
import { usageError } from '../../domain/errors.ts';
import { currentNetnsInode } from '../../kernel/namespaces.ts';
import type { BackendName } from '../../tracing/backend.ts';
import { type Via, viaWords } from '../../tracing/select.ts';
import type { Context } from '../context.ts';
import { openProgram } from '../open-program.ts';
import { deviceIndex } from '../redirect/store.ts';
import { flag, type Input, optionValue } from '../verb.ts';
import { parseDuration } from '../words/duration.ts';
import { parseHandle } from '../words/handle.ts';
import { parseUnsigned } from '../words/number.ts';
import { parseProgramHandle } from '../words/program-handle.ts';

/** What `debug drops` was asked. */
export interface DropsRequest {
  readonly filter: DropFilter;
  readonly via: Via;
  /** Milliseconds; undefined: until a signal comes. */
  readonly duration: number | undefined;
  /** Frames a second above which the tracer is stopped; undefined: what is good for the backend. */
  readonly maxRate: number | undefined;
  readonly conserve: boolean;
  /** Milliseconds after which it tells what is new; undefined: it tells everything at the end. */
  readonly every: number | undefined;
  /** Whether a terminal shows a picture. */
  readonly follow: boolean;
  /** Whether losses are told by the exit code. */
  readonly exitCode: boolean;
}

/**
 * bpftrace and perf cost up to 0.8 of the rate on a storm of lost frames: beyond this a host has other needs than
 * counting. Our own programs take about 25 ns a frame, so that this is as much as half of a CPU.
 */
export const defaultMaxRate: Readonly<Record<BackendName, number>> = {
  builtin: 20_000_000,
  bpftrace: 1_000_000,
  perf: 1_000_000,
};

/** Milliseconds. */
const DEFAULT_INTERVAL = 1000;
const SHORTEST_INTERVAL = 50;

/** @throws ToolError usage; not-found for an interface, a program or a map that there is not */
export function parseDropsRequest(input: Input, context: Context): DropsRequest {
  const duration = optionValue(input, 'duration');
  const maxRate = optionValue(input, 'max-rate');
  return {
    filter: parseFilter(input, context),
    via: parseVia(input),
    duration: duration === undefined ? undefined : parseDuration(duration, '--duration'),
    maxRate: maxRate === undefined ? undefined : parseUnsigned(maxRate, '--max-rate', Number.MAX_SAFE_INTEGER),
    conserve: flag(input, 'conserve'),
    every: parseInterval(input),
    follow: flag(input, 'follow'),
    exitCode: flag(input, 'exit-code'),
  };
}

/** @throws ToolError usage */
export function parseVia(input: Input): Via {
  const via = optionValue(input, 'via') ?? 'auto';
  if (!(viaWords as readonly string[]).includes(via)) {
    throw usageError(`--via takes ${viaWords.join(', ')}, not '${via}'`);
  }
  return via as Via;
}

/** @throws ToolError usage */
function parseInterval(input: Input): number | undefined {
  const word = optionValue(input, 'interval');
  if (word === undefined) return flag(input, 'follow') ? DEFAULT_INTERVAL : undefined;
  const every = parseDuration(word, '--interval');
  if (every < SHORTEST_INTERVAL) throw usageError(`--interval ${word} is too short: ${SHORTEST_INTERVAL}ms at least`);
  return every;
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
