import { closeSync, fstatSync, linkSync, lstatSync, openSync, readlinkSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Readable, Writable } from 'node:stream';

import { ToolError } from '../domain/errors.ts';
import { BackendFailure, type TraceEnd } from './backend.ts';
import { didNotStart, mainComplaint, SessionEnd, unlessAborted, within } from './session-end.ts';
import { findProgram, TracerProcess } from './tracer-process.ts';

/** The tracepoints of redirect.rst's recipe for perf: which of them there are depends on the kernel. */
export const recordedEvents: readonly string[] = [
  'xdp_redirect_err',
  'xdp_redirect_map_err',
  'xdp_exception',
  'xdp_devmap_xmit',
];

const startLimit = 30_000;
const stopLimit = 60_000;

export interface RecordRequest {
  /** Names of tracepoints of the xdp group that this kernel has. */
  readonly events: readonly string[];
  readonly file: string;
  /** Whether a file that is there may be replaced. */
  readonly replace: boolean;
  /** MiB after which perf stops. */
  readonly maxSize: number;
  readonly signal: AbortSignal;
}

/** A perf that records: it has attached when this exists. */
export class PerfRecording implements AsyncDisposable {
  readonly #request: RecordRequest;
  readonly #tracer: TracerProcess;
  /** perf would rename a file of the same name; so it writes here, in the same folder. */
  readonly #part: string;
  /** That file, open: it is written to whatever somebody puts in its place. */
  readonly #fd: number;
  /** Whether the file has got the name that it is to have. */
  #published = false;
  readonly #end = new SessionEnd();
  readonly #attached: Promise<'attached'>;
  readonly #onAbort = (): void => void this.#end.begin({ why: 'asked' });

  private constructor(path: string, request: RecordRequest, part: string, fd: number) {
    this.#request = request;
    this.#part = part;
    this.#fd = fd;
    // Records of programs that come and go are of no use here, and where two perfs run at once 6.18 writes wrong ones
    // (perf_event_bpf_event()), over which perf script can fail.
    const words = ['record', '-q', '-a', '--no-bpf-event', '-D', '-1', '--control', 'fd:3,4', '-o', '/proc/self/fd/5'];
    const events = request.events.flatMap((name) => ['-e', `xdp:${name}`]);
    this.#tracer = new TracerProcess([path, ...words, `--max-size=${request.maxSize}M`, ...events, '--', 'cat'], {
      stdio: ['pipe', 'ignore', 'pipe', 'pipe', 'pipe', fd],
      // Settings of the user's would change what is recorded.
      env: { PERF_CONFIG: '/dev/null' },
    });
    const [, , , commands, answers] = this.#tracer.child.stdio;
    for (const stream of this.#tracer.child.stdio) stream?.on('error', () => {});
    this.#attached = new Promise((resolve) => {
      (answers as Readable).setEncoding('utf8').on('data', () => resolve('attached'));
    });
    (commands as Writable).write('enable\n');
    // It ends by itself when the file is as large as it may be.
    // oxlint-disable-next-line promise/prefer-await-to-then -- nobody waits here
    void this.#tracer.exit.then(() => this.#end.begin({ why: 'asked' }));
    request.signal.addEventListener('abort', this.#onAbort);
  }

  /**
   * Starts recording.
   *
   * @throws ToolError conflict when the file is there, not-found without its folder; BackendFailure; the signal's reason
   */
  static async start(request: RecordRequest): Promise<PerfRecording> {
    checkTarget(request);
    const path = findProgram('perf');
    if (path === undefined) throw new BackendFailure('perf', 'missing', 'not installed');
    const part = join(dirname(request.file), `.${basename(request.file)}.${process.pid}`);
    const recording = PerfRecording.#begin(path, request, part);
    try {
      await unlessAborted(request.signal, recording.#untilAttached());
      return recording;
    } catch (error) {
      await recording[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** perf, started; without it, nothing is left of the file. */
  static #begin(path: string, request: RecordRequest, part: string): PerfRecording {
    const fd = createFile(part, request.file);
    try {
      return new PerfRecording(path, request, part, fd);
    } catch (error) {
      closeSync(fd);
      rmSync(part, { force: true });
      throw error;
    }
  }

  /** What it records. */
  get events(): readonly string[] {
    return this.#request.events;
  }

  /** Settles when perf ends by itself, or begins to; never rejects. */
  get ended(): Promise<TraceEnd> {
    return this.#end.ended;
  }

  /**
   * Ends it, and puts the file where it belongs.
   *
   * @returns bytes of the file, and whether perf had stopped because that is as large as it may be
   * @throws ToolError when perf failed, or somebody has made a file of that name meanwhile
   */
  async stop(): Promise<{ readonly bytes: number; readonly full: boolean }> {
    this.#tracer.child.stdin?.end();
    const ending = await within(stopLimit, this.#tracer.exit);
    // Then it ends as if by SIGTERM, once the file is whole.
    const full = this.#tracer.stderr.includes('size limit reached');
    if (ending === undefined || (ending.code !== 0 && !full)) throw recordingFailed(this.#tracer.stderr);
    const bytes = fstatSync(this.#fd).size;
    this.#publish();
    return { bytes, full };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#request.signal.removeEventListener('abort', this.#onAbort);
    this.#tracer.child.stdin?.destroy();
    await this.#tracer[Symbol.asyncDispose]();
    try {
      if (!this.#published && this.#isInPlace()) rmSync(this.#part, { force: true });
    } finally {
      closeSync(this.#fd);
    }
  }

  /** link() fails where rename() would replace. Either the file has its name and no other, or none at all. */
  #publish(): void {
    const { file, replace } = this.#request;
    if (!this.#isInPlace()) {
      throw new ToolError('conflict', `somebody has exchanged ${this.#part}, which was to become ${file}`, {
        hint: 'write to a folder that nobody else may write to',
      });
    }
    if (replace) renameSync(this.#part, file);
    else this.#link(file);
    this.#published = true;
  }

  #link(file: string): void {
    try {
      linkSync(this.#part, file);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw fileExists(file);
      throw error;
    }
    try {
      rmSync(this.#part, { force: true });
    } catch (error) {
      rmSync(file, { force: true });
      throw error;
    }
  }

  /** Whether the name still leads to the file that perf writes to. */
  #isInPlace(): boolean {
    const there = lstatSync(this.#part, { throwIfNoEntry: false });
    const { dev, ino } = fstatSync(this.#fd);
    return there?.dev === dev && there.ino === ino;
  }

  async #untilAttached(): Promise<void> {
    const first = await within(startLimit, Promise.race([this.#attached, this.#tracer.exit]));
    if (first === 'attached') return;
    if (first === undefined) throw new BackendFailure('perf', 'failed', `had not attached after ${startLimit} ms`);
    throw didNotStart('perf', this.#tracer.stderr, first.signal ?? `exit code ${first.code}`);
  }
}

/**
 * Refuses what is in the way of the file; only an ordinary file is ever replaced, never a device or what a link leads to.
 *
 * @throws ToolError conflict, usage
 */
function checkTarget({ file, replace }: RecordRequest): void {
  const there = lstatSync(file, { throwIfNoEntry: false });
  if (there === undefined) return;
  if (there.isSymbolicLink()) {
    throw new ToolError('conflict', `${file} is a symbolic link`, {
      hint: `name what it leads to: ${readlinkSync(file)}`,
    });
  }
  if (!there.isFile()) throw new ToolError('usage', `${file} is there, and is no file that could be replaced`);
  if (!replace) throw fileExists(file);
}

/** Empty, and nobody else's to read: what perf finds empty it takes as its own. @throws ToolError */
function createFile(part: string, file: string): number {
  try {
    return openSync(part, 'wx+', 0o600);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR')
      throw new ToolError('not-found', `there is no folder ${dirname(file)}`);
    const kind = code === 'EACCES' || code === 'EPERM' ? 'permission' : 'refused';
    throw new ToolError(kind, `cannot write to ${dirname(file)}: ${code}`);
  }
}

function recordingFailed(complaints: string): ToolError {
  const words = mainComplaint(complaints);
  return new ToolError('refused', `perf failed${words === '' ? '' : `: ${words}`}`, { operation: 'debug record' });
}

function fileExists(file: string): ToolError {
  return new ToolError('conflict', `${file} exists`, { hint: 'choose another name, or replace it with --force' });
}
