import { fstatSync, write, writeSync } from 'node:fs';
import { createRequire } from 'node:module';

import type { ByteStream } from './output/sink.ts';

declare const __VERSION__: string;

/** How long to wait when a non-blocking stream is full. */
const RETRY_MS = 2;

/** Major device number of /dev/null (Documentation/admin-guide/devices.txt). */
const MEMORY_DEVICES = 1;

const interruption = new AbortController();

/** A file descriptor as a stream that survives full pipes and readers that leave. */
class DescriptorStream implements ByteStream {
  readonly columns: number | undefined;
  closed = false;
  readonly #fd: number;

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** node:tty is asked late, and only about what can be a terminal: it loads Node's streams and sockets (3 ms). */
  get isTerminal(): boolean {
    const status = fstatSync(this.#fd);
    if (!status.isCharacterDevice() || major(status.rdev) === MEMORY_DEVICES) return false;
    const { isatty } = createRequire(import.meta.filename)('node:tty') as typeof import('node:tty');
    return isatty(this.#fd);
  }

  writeNow(bytes: Uint8Array): boolean {
    let from = 0;
    while (from < bytes.length && !this.closed) {
      try {
        from += writeSync(this.#fd, bytes, from);
      } catch (error) {
        if (!this.#isFull(error)) continue;
        if (from === 0) return false;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS);
      }
    }
    return true;
  }

  /** Writes in a thread of the pool, so that a reader who does not read cannot keep signals from being heard. */
  async write(bytes: Uint8Array): Promise<void> {
    let from = 0;
    while (from < bytes.length && !this.closed) {
      try {
        from += await writeInPool(this.#fd, bytes, from);
      } catch (error) {
        if (this.#isFull(error)) await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  /** Whether a write failed because a non-blocking stream is full; EPIPE closes the stream, anything else is thrown. */
  #isFull(error: unknown): boolean {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EAGAIN') return true;
    if (code !== 'EPIPE') throw error;
    this.closed = true;
    return false;
  }
}

/** The major number within a device number (new_encode_dev, linux/kdev_t.h). */
function major(device: number): number {
  return (device >> 8) & 0xfff;
}

function writeInPool(fd: number, bytes: Uint8Array, from: number): Promise<number> {
  return new Promise((resolve, reject) => {
    write(fd, bytes, from, bytes.length - from, null, (error, written) => {
      if (error === null) resolve(written);
      else reject(error);
    });
  });
}

async function main(argv: readonly string[]): Promise<void> {
  const stdout = new DescriptorStream(1);
  const stderr = new DescriptorStream(2);
  if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) {
    // Answered before anything is loaded: scripts ask this often.
    stdout.writeNow(Buffer.from(`xdpctl ${__VERSION__}\n`));
    return;
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (interruption.signal.aborted) die(signal);
      interruption.abort(signal);
    });
  }
  const { run } = await import('./run.ts');
  const { exitCode, signal } = await run(argv, {
    stdout,
    stderr,
    env: process.env,
    signal: interruption.signal,
    async *stdin() {
      const { descriptorPieces } = await import('./cli/input-file.ts');
      yield* descriptorPieces(0, interruption.signal);
    },
  });
  if (signal !== undefined) return die(signal);
  // All output has arrived; waiting for Node to put its memory in order would take 2 ms.
  process.exit(exitCode);
}

/** Dies of the signal, so that the shell sees it (128 + its number). */
function die(signal: NodeJS.Signals): void {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}

void main(process.argv.slice(2));
