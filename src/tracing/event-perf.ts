import type { Readable, Writable } from 'node:stream';

import { BackendFailure, readFor } from './backend.ts';
import { toolSession } from './event-process.ts';
import type { EventRequest, EventSession } from './event-session.ts';
import { findProgram, TracerProcess } from './tracer-process.ts';

/**
 * Counts with perf stat: the kernel adds up. It starts with its events switched off, and takes commands on descriptor 3,
 * answering on 4. @throws BackendFailure
 */
export async function countWithPerf({ names, signal }: EventRequest): Promise<EventSession> {
  const path = findProgram('perf');
  if (path === undefined) throw new BackendFailure('perf', 'missing', 'not installed');
  const events = readFor('perf', names);
  const words = ['stat', '-a', '-x,', '--log-fd', '1', '-D', '-1', '--control', 'fd:3,4'];
  const tracer = new TracerProcess([path, ...words, ...events.flatMap((name) => ['-e', `xdp:${name}`]), '--', 'cat'], {
    stdio: ['pipe', 'pipe', 'pipe', 'pipe', 'pipe'],
    // Settings of the user's would change the output.
    env: { PERF_CONFIG: '/dev/null' },
  });
  const [, counted, , commands, answers] = tracer.child.stdio;
  let output = '';
  (counted as Readable).setEncoding('utf8').on('data', (text: string) => (output += text));
  const attached = new Promise<'attached'>((resolve) => {
    (answers as Readable).setEncoding('utf8').on('data', () => resolve('attached'));
  });
  (commands as Writable).write('enable\n');
  const tool = {
    name: 'perf' as const,
    tracer,
    attached,
    counts: () => parsePerfStat(output),
    complaints: () => tracer.stderr,
  };
  return toolSession(tool, events, signal);
}

/**
 * Reads the lines of `perf stat -x,`: `12,,xdp:xdp_exception,…`.
 *
 * @returns counts by name; undefined when there is no such line
 */
export function parsePerfStat(output: string): ReadonlyMap<string, number> | undefined {
  const counts = new Map<string, number>();
  for (const [, count, name] of output.matchAll(/^(\d+),[^,]*,xdp:(\w+),/gm)) counts.set(name ?? '', Number(count));
  return counts.size === 0 ? undefined : counts;
}
