import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

import { inNetns } from '../../../src/kernel/netns.ts';
import { untilLine } from '../../support/lines.ts';
import { PacketSocket } from '../../support/packet-socket.ts';
import { slowness } from '../../support/slowness.ts';
import { tool } from '../../support/tool.ts';
import { counters } from '../../support/world.ts';
import type { LossyPath } from './lossy-path.ts';

/** The CPU that is kept from working, and the one that we work on meanwhile. */
const STARVED = '1';
const OURS = '0';

/**
 * For how long at most, in seconds. RCU waits for the starved CPU, and with it whoever waits for RCU, on the whole machine;
 * and after a second the kernel gives others their turn (fair server).
 */
const LONGEST = String(0.5 * slowness);

/** How often frames are sent again when the machine was too busy to send them in that time. */
const TRIES = 5;

/** Frames sent to a receiver that was starved. */
const sentTo = new WeakMap<LossyPath, number>();

/**
 * Makes the sink poll in a thread of its own, on one CPU, so that it can be starved. What arrives there meanwhile stays in
 * the ring between egress and sink, which holds 256 frames.
 */
export function pollInThread({ sink }: LossyPath): void {
  // Another way into the namespace would show the caller's /sys.
  const write = `echo 1 > /sys/class/net/${sink.name}/threaded`;
  tool('ip', ['netns', 'exec', sink.namespace ?? '', 'sh', '-c', write]);
  for (const pid of threadsOf(sink.name)) tool('taskset', ['-p', '-c', STARVED, String(pid)]);
}

/** Sends frames from the source while nothing but an endless loop runs on the CPU that the sink polls on. */
export async function sendToStarved(path: LossyPath, count: number): Promise<void> {
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    await sendWhileBusy(path, count);
    sentTo.set(path, (sentTo.get(path) ?? 0) + count);
    await untilPolled(path);
    if (lostAtStarved(path) > 0) return;
  }
}

/** Frames sent to the starved sink that did not arrive. */
export function lostAtStarved(path: LossyPath): number {
  return (sentTo.get(path) ?? 0) - counters(path.sink).received;
}

/** Sends frames from the source while an endless loop of real-time priority keeps the other CPU from everything else. */
export async function sendWhileBusy({ source }: LossyPath, count: number): Promise<void> {
  // Closing it waits for RCU.
  using socket = inNetns(source.namespace ?? '', () => new PacketSocket(source.name));
  const cpus = affinity();
  bindTo(OURS);
  // timeout must have the higher priority to be let in.
  const limited = ['-f', '60', 'taskset', '-c', STARVED, 'timeout', '-s', 'KILL', LONGEST];
  const child = spawn('chrt', [...limited, 'chrt', '-f', '50', 'sh', '-c', 'echo busy; while :; do :; done']);
  const ended = new Promise((resolve) => child.on('close', resolve));
  try {
    await untilLine(child, 'stdout', /busy/);
    for (let sent = 0; sent < count; sent += 1) socket.send(socket.frame(60));
  } finally {
    await ended;
    bindTo(cpus);
  }
}

/** The CPUs that this thread may run on, as a list. */
function affinity(): string {
  return /:\s*(\S+)\s*$/.exec(tool('taskset', ['-c', '-p', String(process.pid)]))?.[1] ?? OURS;
}

function bindTo(cpus: string): void {
  tool('taskset', ['-c', '-p', cpus, String(process.pid)]);
}

/** Waits until the sink has taken what was left in the ring. */
async function untilPolled({ sink }: LossyPath): Promise<void> {
  for (let before = -1, now = 0; now !== before || now === 0; now = counters(sink).received) {
    before = now;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function threadsOf(ifname: string): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.filter((pid) => commOf(pid).startsWith(`napi/${ifname}-`)).map(Number);
}

function commOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8');
  } catch {
    return '';
  }
}
