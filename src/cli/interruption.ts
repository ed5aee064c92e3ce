import { KernelRefusal } from '../domain/errors.ts';
import { EINTR } from '../kernel/check.ts';
import { Interrupted } from './context.ts';

/**
 * The error, or `Interrupted` where it says that a signal has ended a process that worked for this one. The signal has
 * come here as well, but is heard only when the event loop turns.
 */
export async function interruptionOf(error: unknown, signal: AbortSignal): Promise<unknown> {
  if (!(error instanceof KernelRefusal) || error.errno !== EINTR) return error;
  await new Promise((resolve) => setImmediate(resolve));
  return signal.aborted ? new Interrupted('interrupted: nothing was changed') : error;
}
