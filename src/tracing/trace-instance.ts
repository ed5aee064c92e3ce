import { closeSync, constants, mkdirSync, openSync, readdirSync, readSync, rmdirSync, writeSync } from 'node:fs';
import { join } from 'node:path';

import { ToolError } from '../domain/errors.ts';
import { tracefsRefusal } from './rights.ts';
import { parseTraceText, type TraceLine, TraceText } from './trace-text.ts';

/** A tracepoint to listen to. */
export interface TracedEvent {
  readonly group: string;
  readonly name: string;
  /** The kernel's filter (Documentation/trace/events.rst). */
  readonly filter?: string;
}

/** What the names of our instances begin with; the process's id follows. */
const PREFIX = 'xdpctl_';
/** KiB of each CPU's buffer: some 5,000 events. */
const BUFFER_KIB = 512;

/**
 * TRACE_FLAG_HARDIRQ, TRACE_FLAG_SOFTIRQ and TRACE_FLAG_NMI (linux/trace_events.h). set_event_pid goes by the thread that an
 * interrupt has stopped, so that on a busy machine the frames of others would fill the buffer: a filter keeps them out.
 */
const INTERRUPT = 0x08 | 0x10 | 0x40;

/** How the lines are written, so that trace-text.ts can read them; a kernel may lack some of these. */
const options: Readonly<Record<string, '0' | '1'>> = {
  'context-info': '1',
  'irq-info': '1',
  'latency-format': '0',
  raw: '0',
  hex: '0',
  bin: '0',
  fields: '0',
  verbose: '0',
  'event-fork': '0',
  // Only old events that new ones have overwritten are told of as lost in the text.
  overwrite: '1',
};

/**
 * A tracer of our own within the kernel (an instance of tracefs), which nobody else sees and no tool is needed for. It is
 * removed when it is disposed of; one that a killed process left goes with the next that is made.
 */
export class TraceInstance implements Disposable {
  readonly #folder: string;
  readonly #pipe: number;
  readonly #text = new TraceText();

  /**
   * @param tracefs where it is mounted
   * @param scope `thread`: only what this thread does, and no interrupt that has stopped it
   * @throws ToolError permission, unsupported
   */
  constructor(tracefs: string, events: readonly TracedEvent[], scope: 'thread' | 'all') {
    sweep(tracefs);
    this.#folder = make(tracefs);
    let pipe;
    try {
      this.#write('buffer_size_kb', String(BUFFER_KIB));
      for (const [name, value] of Object.entries(options)) this.#tryWrite(`options/${name}`, value);
      pipe = openSync(join(this.#folder, 'trace_pipe'), constants.O_RDONLY | constants.O_NONBLOCK);
      this.#pipe = pipe;
      if (scope === 'thread') this.#write('set_event_pid', String(this.#ownThread()));
      for (const event of events) this.#enable(event, scope);
    } catch (error) {
      if (pipe !== undefined) closeSync(pipe);
      rmdirSync(this.#folder);
      throw error;
    }
  }

  /** The events since the last call, in the order of the kernel. */
  read(): readonly TraceLine[] {
    return this.#readText();
  }

  /** How many events did not fit in the buffers so far: what was read is incomplete. */
  get lost(): number {
    return this.#text.lost;
  }

  [Symbol.dispose](): void {
    closeSync(this.#pipe);
    rmdirSync(this.#folder);
  }

  /** This thread's number in the kernel, which in a pid namespace is not the one that it knows itself by. */
  #ownThread(): number {
    const mark = `xdpctl ${process.pid}`;
    this.#write('trace_marker', mark);
    const line = this.#readText().find(({ event, text }) => event === 'tracing_mark_write' && text.startsWith(mark));
    if (line === undefined) throw new ToolError('unsupported', 'this kernel does not tell which thread wrote a mark');
    return line.thread;
  }

  #enable({ group, name, filter }: TracedEvent, scope: 'thread' | 'all'): void {
    const folder = `events/${group}/${name}`;
    const conditions = [
      ...(filter === undefined ? [] : [`(${filter})`]),
      ...(scope === 'thread' ? [`!(common_flags & ${INTERRUPT})`] : []),
    ];
    try {
      if (conditions.length > 0) this.#write(`${folder}/filter`, conditions.join(' && '));
      this.#write(`${folder}/enable`, '1');
    } catch (cause) {
      if (codeOf(cause) !== 'ENOENT') throw cause;
      throw new ToolError('unsupported', `this kernel has no tracepoint ${group}:${name}`, { cause });
    }
  }

  #readText(): TraceLine[] {
    const lines: TraceLine[] = [];
    const buffer = Buffer.alloc(65_536);
    for (;;) {
      const length = this.#readSome(buffer);
      if (length === 0) return lines;
      lines.push(...parseTraceText(this.#text, buffer.toString('latin1', 0, length)));
    }
  }

  #readSome(buffer: Buffer): number {
    try {
      return readSync(this.#pipe, buffer);
    } catch (error) {
      if (codeOf(error) === 'EAGAIN') return 0;
      throw error;
    }
  }

  #tryWrite(file: string, text: string): void {
    try {
      this.#write(file, text);
    } catch (error) {
      if (!['ENOENT', 'EINVAL'].includes(codeOf(error) ?? '')) throw error;
    }
  }

  #write(file: string, text: string): void {
    const fd = openSync(join(this.#folder, file), constants.O_WRONLY);
    try {
      writeSync(fd, text);
    } finally {
      closeSync(fd);
    }
  }
}

function make(tracefs: string): string {
  for (let attempt = 0; ; attempt += 1) {
    const folder = join(tracefs, 'instances', `${PREFIX}${process.pid}_${attempt}`);
    try {
      mkdirSync(folder);
      return folder;
    } catch (cause) {
      if (codeOf(cause) === 'EEXIST') continue;
      if (codeOf(cause) !== 'EACCES' && codeOf(cause) !== 'EPERM') throw cause;
      throw tracefsRefusal(`cannot make a trace instance in ${tracefs}`, 'changed', cause);
    }
  }
}

/** Removes what processes that are gone have left. */
function sweep(tracefs: string): void {
  let names: string[];
  try {
    names = readdirSync(join(tracefs, 'instances'));
  } catch {
    return;
  }
  for (const name of names) {
    const pid = new RegExp(`^${PREFIX}(\\d+)_\\d+$`).exec(name)?.[1];
    if (pid === undefined || isAlive(Number(pid))) continue;
    try {
      rmdirSync(join(tracefs, 'instances', name));
    } catch {
      // Somebody reads it, or has removed it: not ours to judge.
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
