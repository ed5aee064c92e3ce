import { ToolError } from '../domain/errors.ts';
import { BackendFailure, type BackendName, type TraceEnd, withNeeds } from './backend.ts';
import { missingCapabilities } from './rights.ts';

/** The first reason for which a session ends; later ones do not change it. */
export class SessionEnd {
  readonly ended: Promise<TraceEnd>;
  #resolve: (end: TraceEnd) => void = () => {};
  #end: TraceEnd | undefined;

  constructor() {
    this.ended = new Promise((resolve) => (this.#resolve = resolve));
  }

  get end(): TraceEnd | undefined {
    return this.#end;
  }

  /** @returns whether this was the first reason */
  begin(end: TraceEnd): boolean {
    if (this.#end !== undefined) return false;
    this.#end = end;
    this.#resolve(end);
    return true;
  }
}

/** What a tracer said when it failed, in one line: its last words say most. */
export function mainComplaint(complaints: string): string {
  // perf has a line of its own for the word.
  const lines = complaints
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => !/^error:$/i.test(line));
  return (
    lines.filter((line) => /error|fail|not found|unknown|denied|permi/i.test(line))[0] ?? lines.find(Boolean) ?? ''
  );
}

/** A tracer that ended although nobody asked it to. */
export function diedEarly(backend: BackendName, complaints: string): ToolError {
  const words = mainComplaint(complaints);
  return new ToolError('refused', `${backend} ended too early${words === '' ? '' : `: ${words}`}`, {
    hint: 'what it counted is no answer, run the command again',
    operation: 'debug drops',
  });
}

/** Whether Node.js says of a program that there was no process, descriptor or memory for it: with or without its path. */
export function hadNoRoom(complaints: string): boolean {
  return /\bspawn (?:\S+ )?(?:EAGAIN|EMFILE|ENFILE|ENOMEM)\b/.test(complaints);
}

/** A tracer that ended before it had attached. */
export function didNotStart(backend: BackendName, complaints: string, exit: string): BackendFailure {
  // Whatever a tool without its rights complains about, that is the reason.
  const denied =
    missingCapabilities(backend).length > 0 || /root user|permission|not permitted|EPERM|EACCES|CAP_/i.test(complaints);
  const words = mainComplaint(complaints) || `ended with ${exit}`;
  const kind = denied ? 'permission' : hadNoRoom(complaints) ? 'refused' : 'failed';
  return new BackendFailure(backend, kind, withNeeds(backend, words));
}

/** Waits, but not for ever. @returns undefined when the time was over first */
export async function within<T>(milliseconds: number, promise: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<undefined>((resolve) => (timer = setTimeout(() => resolve(undefined), milliseconds)));
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

/** Rejects with the signal's reason when it is aborted; otherwise settles as the promise does. */
export async function unlessAborted<T>(signal: AbortSignal | undefined, promise: Promise<T>): Promise<T> {
  if (signal === undefined) return promise;
  const listening = new AbortController();
  const aborted = new Promise<never>((_resolve, reject) => {
    // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- the reason is the caller's
    const onAbort = (): void => reject(signal.reason);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { signal: listening.signal });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    listening.abort();
  }
}
