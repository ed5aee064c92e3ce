import { closeSync, fstatSync, open, openSync, read, readSync, statSync } from 'node:fs';

import { textOfBytes } from '../domain/byte-text.ts';
import { ToolError, usageError } from '../domain/errors.ts';
import { osPath } from '../kernel/os-path.ts';
import { type Context, Interrupted } from './context.ts';

/** A FILE operand, open. Its pieces can be read once. */
export interface InputFile {
  /** As it is called in messages. */
  readonly name: string;
  readonly pieces: AsyncIterable<Uint8Array>;
}

/** Bytes of a regular file in one piece. */
const FILE_PIECE = 1 << 24;
/** As much as a pipe holds. */
const PIPE_PIECE = 1 << 16;

/**
 * Opens a file, or standard input for `-`.
 *
 * @throws ToolError not-found, usage for a directory, permission
 */
export async function openInput(file: string, context: Context): Promise<InputFile> {
  if (file === '') throw usageError('the file is an empty word');
  if (file === '-') return { name: 'standard input', pieces: context.stdin() };
  if (file.includes('\0')) throw usageError('a path cannot contain a zero byte');
  const fd = await opened(file, context.signal);
  return { name: file, pieces: pieces(fd, context.signal) };
}

/**
 * The text of a file in pieces that end with a newline, all but the last.
 *
 * @throws ToolError usage for a line that goes on and on, as in /dev/zero
 */
export async function* linePieces({ name, pieces: list }: InputFile): AsyncGenerator<string> {
  let begun: Uint8Array[] = [];
  let length = 0;
  for await (const piece of list) {
    const end = piece.lastIndexOf(NEWLINE) + 1;
    if (end > 0) {
      yield textOf([...begun, piece.subarray(0, end)]);
      begun = [];
      length = 0;
    }
    if (end < piece.length) begun.push(piece.subarray(end));
    length += piece.length - end;
    if (length > LONGEST_LINE) throw usageError(`${name} has a line of more than ${LONGEST_LINE >> 20} MiB`);
  }
  if (begun.length > 0) yield textOf(begun);
}

const NEWLINE = 10;
const LONGEST_LINE = 1 << 26;

function textOf(parts: readonly Uint8Array[]): string {
  const [only, ...more] = parts;
  const bytes = only !== undefined && more.length === 0 ? only : Buffer.concat(parts);
  return decoded(bytes);
}

/** What is not UTF-8 is kept: names of interfaces need not be. Buffer is faster than what finds that. */
function decoded(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  return text.includes('\ufffd') ? textOfBytes(bytes) : text;
}

/** All of a file as text. @throws ToolError usage when it is more than a string can hold */
export async function readText(file: InputFile): Promise<string> {
  return decoded(await readBytes(file));
}

/** All of a file. @throws ToolError usage when it is very large */
export async function readBytes({ name, pieces: list }: InputFile): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of list) {
    parts.push(part);
    length += part.length;
    if (length > MOST) throw usageError(`${name} is larger than ${MOST >> 20} MiB`);
  }
  return Buffer.concat(parts);
}

const MOST = 500 << 20;

/** The bytes of a descriptor as they come; it is not closed. @throws Interrupted when the signal comes first */
export async function* descriptorPieces(fd: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  for (;;) {
    const piece = await nextPiece(fd, signal);
    if (piece === undefined) return;
    yield piece;
  }
}

async function* pieces(fd: number, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  try {
    if (fstatSync(fd).isFile()) yield* filePieces(fd);
    else yield* descriptorPieces(fd, signal);
  } finally {
    closeSync(fd);
  }
}

/** A regular file is read at once: waiting for a thread of the pool would cost more than reading. */
function* filePieces(fd: number): Generator<Uint8Array> {
  for (;;) {
    const size = Math.min(FILE_PIECE, Math.max(PIPE_PIECE, fstatSync(fd).size));
    const buffer = Buffer.allocUnsafe(size);
    const length = readNow(fd, buffer);
    if (length === 0) return;
    yield buffer.subarray(0, length);
  }
}

/** Filesystems over a network, and those in user space, let a signal interrupt them, and Node.js passes that on. */
function readNow(fd: number, buffer: Uint8Array): number {
  for (;;) {
    try {
      return readSync(fd, buffer);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EINTR') throw error;
    }
  }
}

async function opened(file: string, signal: AbortSignal): Promise<number> {
  let stat;
  try {
    stat = statSync(osPath(file));
    if (stat.isFile()) return openSync(osPath(file), 'r');
    // Opening a named pipe waits for its other end, and signals must be heard meanwhile.
    if (!stat.isDirectory()) return await unlessInterrupted<number>(signal, (done) => open(osPath(file), 'r', done));
  } catch (error) {
    throw cannotOpen(file, error);
  }
  throw usageError(`${file} is a directory, not a file`);
}

function cannotOpen(file: string, error: unknown): unknown {
  const { code, errno } = error as NodeJS.ErrnoException;
  if (code === undefined || errno === undefined) return error;
  const details = { errno: -errno, operation: 'open', cause: error };
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new ToolError('not-found', `there is no file ${file}`, details);
  }
  if (code === 'EACCES' || code === 'EPERM') {
    return new ToolError('permission', `${file} may not be read without CAP_DAC_OVERRIDE`, {
      ...details,
      hint: 'run it as root, or with that capability',
    });
  }
  return new ToolError('refused', `${file} cannot be opened`, details);
}

async function nextPiece(fd: number, signal: AbortSignal): Promise<Uint8Array | undefined> {
  const buffer = Buffer.allocUnsafe(PIPE_PIECE);
  for (;;) {
    try {
      const length = await unlessInterrupted<number>(signal, (done) => read(fd, buffer, 0, buffer.length, null, done));
      return length === 0 ? undefined : buffer.subarray(0, length);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EINTR') continue;
      if (code !== 'EAGAIN') throw error;
      // Somebody has made the descriptor non-blocking.
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}

const RETRY_MS = 5;

/** What a call of node:fs gives to its callback. @throws Interrupted when the signal comes first */
function unlessInterrupted<Result>(
  signal: AbortSignal,
  call: (done: (error: Error | null, result: Result) => void) => void,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(new Interrupted(''));
    if (signal.aborted) {
      stop();
      return;
    }
    signal.addEventListener('abort', stop, { once: true });
    call((error, result) => {
      signal.removeEventListener('abort', stop);
      if (error === null) resolve(result);
      else reject(error);
    });
  });
}
