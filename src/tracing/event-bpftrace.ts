import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

import { BackendFailure, readFor } from './backend.ts';
import { bpftraceComplaints, parseBpftraceLine } from './bpftrace-output.ts';
import { toolSession } from './event-process.ts';
import type { EventRequest, EventSession } from './event-session.ts';
import { bpftraceArguments, bpftraceEnd, bpftraceReady, bpftraceTick } from './recipes.ts';
import { findProgram, TracerProcess } from './tracer-process.ts';

/** The first recipe of redirect.rst, with words around it that tell when it begins and ends, and that it is alive. */
const program = [
  `BEGIN { printf("${bpftraceReady}\\n"); }`,
  'tracepoint:xdp:* { @cnt[probe] = count(); }',
  `interval:s:1 { printf("${bpftraceTick}\\n"); }`,
  `END { printf("${bpftraceEnd}\\n"); }`,
].join('\n');

/** Counts with bpftrace. @throws BackendFailure */
export async function countWithBpftrace({ names, signal }: EventRequest): Promise<EventSession> {
  const path = findProgram('bpftrace');
  if (path === undefined) throw new BackendFailure('bpftrace', 'missing', 'not installed');
  const events = readFor('bpftrace', names);
  const tracer = new TracerProcess([path, ...bpftraceArguments(program, findProgram('cat') ?? 'cat')], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let [ending, counts] = [false, new Map<string, number>()];
  const attached = new Promise<'attached'>((resolve) => {
    const lines = createInterface({ input: tracer.child.stdout as Readable, crlfDelay: Infinity });
    lines.on('line', (line) => {
      const message = parseBpftraceLine(line);
      if (message?.type === 'ready') resolve('attached');
      if (message?.type === 'end') ending = true;
      // `tracepoint:xdp:xdp_exception`
      if (message?.type === 'map') {
        counts = new Map([...message.entries].map(([probe, count]) => [probe.split(':').at(-1) ?? probe, count]));
      }
    });
  });
  const tool = {
    name: 'bpftrace' as const,
    tracer,
    attached,
    counts: () => (ending ? counts : undefined),
    complaints: () => bpftraceComplaints(tracer.stderr),
  };
  return toolSession(tool, events, signal);
}
