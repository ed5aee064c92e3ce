import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';

import { untilLine } from './lines.ts';
import { inNamespace } from './tool.ts';
import type { End } from './world.ts';

const script = join(import.meta.dirname, 'live-frames.mjs');

export interface LiveFrameOptions {
  /** How many; without it as many as go until it is stopped. */
  readonly count?: number;
  /** Bytes with the Ethernet header; 60 when absent. */
  readonly size?: number;
}

/** Frames that the kernel itself sends, millions a second, until so many are sent or it is stopped. */
export class LiveFrames implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #sent: Promise<number>;

  constructor(child: ChildProcess) {
    this.#child = child;
    let output = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text));
    this.#sent = new Promise((resolve, reject) => {
      child.on('close', (status, signal) => {
        if (status === 0) resolve(Number(output));
        else reject(new Error(`live-frames: ${signal ?? `exit ${status}`}`));
      });
    });
    this.#sent.catch(() => {});
  }

  /** Waits until all are sent, and returns how many that were. */
  sent(): Promise<number> {
    return this.#sent;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#sent.catch(() => {});
  }
}

/** Starts sending from one end of a veth pair, the other end of which has an XDP program. */
export async function startLiveFrames({ name, namespace }: End, options: LiveFrameOptions = {}): Promise<LiveFrames> {
  const { count, size = 60 } = options;
  const limit = count === undefined ? ['--seconds', '60'] : ['--count', String(count)];
  const [program = '', ...words] = inNamespace(namespace, [
    process.execPath,
    script,
    name,
    '--size',
    String(size),
    ...limit,
  ]);
  const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'pipe'] });
  const frames = new LiveFrames(child);
  await untilLine(child, 'stderr', /^ready:/);
  return frames;
}
