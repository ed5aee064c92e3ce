import { type ChildProcess, spawn, type SpawnOptions } from 'node:child_process';

import { ToolError } from '../domain/errors.ts';

/**
 * Starts a program that Ctrl-C on the terminal does not reach: it runs in a session of its own.
 *
 * @throws ToolError `refused`, `permission` when it cannot be started; the other reasons come as the event `error`
 */
export function startProcess(program: string, words: readonly string[], options: SpawnOptions): ChildProcess {
  let child;
  try {
    child = spawn(program, words, { ...options, detached: true });
  } catch (error) {
    // Node.js keeps a few errnos for later, and throws the others (ChildProcess.prototype.spawn).
    throw cannotStart(program, error);
  }
  if (hasNoStreams(child)) {
    child.on('error', () => {});
    throw new ToolError('refused', `cannot start ${program}: no descriptors are left (ulimit -n)`);
  }
  return child;
}

/** Why a program that is there does not start: too little memory, too many processes or descriptors. */
export function cannotStart(program: string, error: unknown): ToolError {
  const code = (error as NodeJS.ErrnoException).code ?? String(error);
  const kind = code === 'EPERM' || code === 'EACCES' ? 'permission' : 'refused';
  return new ToolError(kind, `cannot start ${program}: ${code}`, { cause: error });
}

/**
 * Of EMFILE and ENFILE Node.js tells later, and does not make the streams that its types promise
 * (ChildProcess.prototype.spawn, lib/internal/child_process.js).
 */
function hasNoStreams(child: ChildProcess): boolean {
  return (child.stdio as unknown) === undefined;
}
