import { setTimeout as sleep } from 'node:timers/promises';

import type { ObservedPath } from '../../domain/observed-path.ts';
import type { TrialCounts } from '../../domain/trial-counts.ts';
import type { LiveFrames } from '../../kernel/live-frames.ts';
import type { BpfProgram } from '../../kernel/program.ts';
import { refusedFrames } from '../../kernel/refused-frames.ts';
import { TrialTracer } from '../../tracing/trial-tracer.ts';
import { type Context, Interrupted } from '../context.ts';

/** Frames sent in one go: fewer than the smallest transmit ring has room for. */
const CHUNK = 32;
/** Frames a second, for the sake of whoever else uses the path. */
const RATE = 10_000;
/** How long the threads of a cpumap get to take the last frames out of their queues (milliseconds). */
const PATIENCE = 2000;

/** What a test of a path found out. */
export interface TrialOutcome {
  readonly sent: number;
  readonly counts: TrialCounts;
  /** By how much the counters of refused frames of the targets rose, by ifindex. */
  readonly refused: ReadonlyMap<number, number>;
  /** Events that were lost; the counts are too low by them. */
  readonly lost: number;
  /** It was stopped because the program passed a frame, and that was not allowed. */
  readonly stopped: boolean;
}

export interface TrialRequest {
  readonly path: ObservedPath;
  readonly program: BpfProgram;
  readonly frames: LiveFrames;
  readonly count: number;
  readonly allowPass: boolean;
  readonly tracefs: string;
}

/**
 * Sends the frames in small bundles, not too fast, and follows each.
 *
 * @throws Interrupted between two bundles
 */
export async function runTrial(request: TrialRequest, context: Context): Promise<TrialOutcome> {
  const { path, program, frames, count, allowPass, tracefs } = request;
  const targets = targetsHere(path);
  const before = refusedFrames(targets);
  using tracer = new TrialTracer(tracefs, {
    progId: program.info.id,
    ifindex: path.device.ifindex,
    entryProgIds: path.maps.flatMap(({ entries = [] }) => entries.flatMap(({ entry }) => entry.progId ?? [])),
    cpumapIds: path.maps.flatMap(({ map }) => (map.type === 'cpumap' ? [map.id] : [])),
  });
  const start = performance.now();
  let sent = 0;
  let counts = tracer.counts();
  for (let allowed = true; allowed && sent < count;) {
    const bundle = Math.min(CHUNK, count - sent);
    frames.send(bundle);
    sent += bundle;
    counts = tracer.counts();
    allowed = allowPass || counts.passed === 0;
    const ahead = (sent / RATE) * 1000 - (performance.now() - start);
    // Also without a pause, so that signals are heard.
    await sleep(Math.max(0, ahead));
    if (context.signal.aborted) throw new Interrupted(`interrupted after ${sent} of ${count} frames`);
  }
  counts = await handled(tracer, counts);
  const refused = new Map(
    [...refusedFrames(targets)].map(([ifindex, now]) => [ifindex, now - (before.get(ifindex) ?? 0)]),
  );
  return { sent, counts, refused, lost: tracer.lost, stopped: sent < count };
}

/** The counts once the threads of the cpumaps have had all frames, or their time is over. */
async function handled(tracer: TrialTracer, first: TrialCounts): Promise<TrialCounts> {
  let counts = first;
  for (const end = performance.now() + PATIENCE; !isHandled(counts) && performance.now() < end;) {
    await sleep(5);
    counts = tracer.counts();
  }
  return counts;
}

function isHandled({ queued, handled: taken }: TrialCounts): boolean {
  const wanted = queued.reduce((sum, { frames, dropped }) => sum + frames - dropped, 0);
  return taken.reduce((sum, { frames }) => sum + frames, 0) >= wanted;
}

/** Only the devices of the current network namespace can be asked for their counters. */
function targetsHere({ device, maps }: ObservedPath): ObservedPath['device'][] {
  const targets = maps.flatMap(({ entries = [] }) => entries.flatMap(({ target }) => target ?? []));
  return [...new Set(targets)].filter(({ netns }) => netns.inode === device.netns.inode);
}
