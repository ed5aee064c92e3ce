import { constants, fstatSync, openSync, type Stats, write, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { WriteStream } from 'node:tty';

import type { ScreenSize } from './screen.ts';
import type { ByteStream, Takeover } from './sink.ts';

/** How long to wait when a non-blocking stream is full. */
const RETRY_MS = 2;

/** So long a reader may take nothing before it counts as gone, once this process has been asked to end. */
const PATIENCE_MS = 1000;

/** Major device number of /dev/null (Documentation/admin-guide/devices.txt). */
const MEMORY_DEVICES = 1;

/** A file descriptor as a stream that survives full pipes, full disks, and readers that leave or do not read. */
export class DescriptorStream implements ByteStream {
  closed = false;
  failure: NodeJS.ErrnoException | undefined;
  /** A write that nobody takes is still on its way in a thread: exit() would wait for that thread. */
  abandoned = false;
  readonly #fd: number;
  /** Writes without waiting; undefined where that is not possible, null before that is known. */
  #promptFd: number | undefined | null = null;
  /** Ends the wait of the write that is on its way. */
  #abandon: (() => void) | undefined;
  /** Goes up with every write that begins, and with all that is accepted of it. */
  #progress = 0;
  #takeover: Takeover | undefined;
  /** Called when the terminal is taken over for the first time. */
  readonly #onTakeover: () => void;
  #terminal: WriteStream | undefined;

  constructor(fd: number, onTakeover: () => void = () => {}) {
    this.#fd = fd;
    this.#onTakeover = onTakeover;
  }

  /** node:tty is asked late, and only about what can be a terminal: it loads Node's streams and sockets (3 ms). */
  get isTerminal(): boolean {
    const status = statusOf(this.#fd);
    if (status === undefined || !status.isCharacterDevice() || major(status.rdev) === MEMORY_DEVICES) return false;
    return tty().isatty(this.#fd);
  }

  /** As it is now; undefined for what is no terminal, or does not tell. */
  get size(): ScreenSize | undefined {
    if (this.#terminal === undefined) {
      if (!this.isTerminal) return undefined;
      const { WriteStream: Stream } = tty();
      this.#terminal = new Stream(this.#fd);
    }
    const [columns, rows] = this.#terminal.getWindowSize();
    return columns > 0 && rows > 0 ? { columns, rows } : undefined;
  }

  takeOver(takeover: Takeover | undefined): void {
    if (this.#takeover === undefined && takeover !== undefined) this.#onTakeover();
    this.#takeover = takeover;
  }

  /** Puts a terminal back that was taken over, because this process ends or stops. */
  leave(): void {
    if (this.#takeover !== undefined) this.writeNow(Buffer.from(this.#takeover.leave));
  }

  /** Takes it over once more, because this process goes on. */
  enter(): void {
    if (this.#takeover !== undefined) this.writeNow(Buffer.from(this.#takeover.enter));
  }

  writeNow(bytes: Uint8Array): number {
    if (this.#promptFd === null) this.#promptFd = promptDescriptor(this.#fd);
    let from = 0;
    while (from < bytes.length && !this.closed) {
      if (this.#promptFd === undefined) return from;
      try {
        from += writeSync(this.#promptFd, bytes, from);
      } catch (error) {
        if (this.#isFull(error)) return from;
      }
    }
    return bytes.length;
  }

  /** Writes in a thread of the pool, so that a reader who does not read cannot keep signals from being heard. */
  async write(bytes: Uint8Array): Promise<void> {
    let from = 0;
    this.#progress += 1;
    while (from < bytes.length && !this.closed) {
      try {
        const written = await this.#writeInPool(bytes, from);
        from += written;
        this.#progress += written;
      } catch (error) {
        if (this.#isFull(error)) await this.#waited();
      }
    }
    this.#abandon = undefined;
  }

  /**
   * Somebody asks this process to end: from now on a reader who takes nothing for a second counts as gone, because
   * waiting for it would keep the process from ending. A write that has just begun, after work that took as long, is not
   * one that nobody takes.
   */
  hurry(): void {
    let seen = this.#pending();
    setInterval(() => {
      const pending = this.#pending();
      if (pending !== undefined && pending === seen) {
        this.closed = true;
        this.abandoned = true;
        this.#abandon?.();
      }
      seen = pending;
    }, PATIENCE_MS).unref();
  }

  /** How far the write is that is on its way; undefined when there is none. */
  #pending(): number | undefined {
    return this.#abandon === undefined ? undefined : this.#progress;
  }

  #writeInPool(bytes: Uint8Array, from: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#abandon = () => resolve(0);
      write(this.#fd, bytes, from, bytes.length - from, null, (error, written) => {
        if (error === null) resolve(written);
        else reject(error);
      });
    });
  }

  #waited(): Promise<void> {
    return new Promise((resolve) => {
      this.#abandon = resolve;
      setTimeout(resolve, RETRY_MS);
    });
  }

  /** Whether a write failed because a non-blocking stream is full; any other failure closes the stream. */
  #isFull(error: unknown): boolean {
    const failure = error as NodeJS.ErrnoException;
    if (failure.code === 'EAGAIN') return true;
    if (failure.code === undefined) throw error;
    this.closed = true;
    if (failure.code !== 'EPIPE') this.failure = failure;
    return false;
  }
}

/**
 * A descriptor of the same stream that can be written without waiting for a reader. A pipe is opened anew for that
 * (fifo_open, fs/pipe.c): O_NONBLOCK on the descriptor itself would hold for all who share it. A socket has no such way.
 */
function promptDescriptor(fd: number): number | undefined {
  const status = statusOf(fd);
  if (status === undefined) return undefined;
  if (!status.isFIFO()) return status.isSocket() ? undefined : fd;
  try {
    return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch {
    // Another user's pipe, or one whose readers have gone.
    return undefined;
  }
}

/** What the descriptor is; undefined where that cannot be told, which is no reason to fail. */
function statusOf(fd: number): Stats | undefined {
  try {
    return fstatSync(fd);
  } catch {
    return undefined;
  }
}

function tty(): typeof import('node:tty') {
  return createRequire(import.meta.filename)('node:tty') as typeof import('node:tty');
}

/** The major number within a device number (new_encode_dev, linux/kdev_t.h). */
function major(device: number): number {
  return (device >> 8) & 0xfff;
}
