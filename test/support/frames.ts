import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';

import { untilLine } from './lines.ts';
import { slowness } from './slowness.ts';
import { inNamespace, tool } from './tool.ts';
import type { End } from './world.ts';

const scripts = join(import.meta.dirname, '..', '..', 'bin', 'dev');

export interface FrameOptions {
  readonly count: number;
  /** Bytes with the Ethernet header, without the checksum; 60 when absent. */
  readonly size?: number;
  /** Destination MAC; broadcast when absent. */
  readonly dst?: string;
}

/**
 * Sends frames of the experimental ethertype 0x88B5 out of an interface; returns when the kernel has taken all.
 *
 * @throws Error when the kernel refused one: the interface is down, the frame too large
 */
export function sendFrames(from: End, { count, size = 60, dst = 'ff:ff:ff:ff:ff:ff' }: FrameOptions): void {
  const script = [process.execPath, join(scripts, 'send-frames.mjs'), from.name];
  const words = ['--count', String(count), '--size', String(size), '--dst', dst];
  const [program = '', ...args] = inNamespace(from.namespace, [...script, ...words]);
  tool(program, args);
}

/**
 * Sends frames one by one, a pause after each, while the test goes on; resolves when the kernel has taken all.
 *
 * @param options.milliseconds the pause
 */
export function startSending(
  from: End,
  { count, milliseconds }: { count: number; milliseconds: number },
): Promise<void> {
  const script = [process.execPath, join(scripts, 'send-frames.mjs'), from.name];
  const words = ['--count', String(count), '--interval', String(milliseconds)];
  const [program = '', ...args] = inNamespace(from.namespace, [...script, ...words]);
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => {
      if (status === 0) resolve();
      else reject(new Error(`send-frames: exit ${status}`));
    });
  });
}

/** A counter of arriving frames, in its own process. */
export class FrameCounter implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #result: Promise<number>;

  constructor(child: ChildProcess) {
    this.#child = child;
    let output = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text));
    this.#result = new Promise((resolve, reject) => {
      child.on('close', (status, signal) => {
        if (status === 0) resolve(Number(output));
        else reject(new Error(`receive-frames: ${signal ?? `exit ${status}`}`));
      });
    });
    this.#result.catch(() => {});
  }

  /** Waits until as many have arrived as were asked for, or the time is over, and returns how many did. */
  arrived(): Promise<number> {
    return this.#result;
  }

  /** Stops counting and returns how many have arrived so far. */
  stop(): Promise<number> {
    this.#child.kill('SIGTERM');
    return this.#result;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop().catch(() => {});
  }
}

/** Starts counting the frames that arrive at an interface, until `count` have or `seconds` are over, where nothing is slow. */
export async function countFrames(at: End, { count = 100_000_000, seconds = 5 } = {}): Promise<FrameCounter> {
  const script = [process.execPath, join(scripts, 'receive-frames.mjs'), at.name];
  const words = ['--count', String(count), '--seconds', String(seconds * slowness)];
  const [program = '', ...args] = inNamespace(at.namespace, [...script, ...words]);
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const counter = new FrameCounter(child);
  await untilLine(child, 'stderr', /^ready:/);
  return counter;
}

/**
 * Sends frames from one interface and returns how many arrive at another. Waits for all of them to arrive, or, when
 * they do not, `seconds`: give few where none is meant to arrive.
 */
export async function framesThrough(from: End, to: End, options: FrameOptions & { seconds?: number }): Promise<number> {
  await using counter = await countFrames(to, { count: options.count, seconds: options.seconds ?? 5 });
  sendFrames(from, options);
  return await counter.arrived();
}
