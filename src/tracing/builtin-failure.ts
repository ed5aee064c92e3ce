import { KernelRefusal, ToolError } from '../domain/errors.ts';
import { BackendFailure } from './backend.ts';
import { missingCapabilities } from './rights.ts';

const EPERM = 1;
const EACCES = 13;

/** EINTR, EAGAIN, ENOMEM, EBUSY, ENFILE, EMFILE: what has nothing to do with the programs. */
const SHORTAGES = new Set([4, 11, 12, 16, 23, 24]);

/**
 * Loads programs of ours.
 *
 * @throws BackendFailure for what the kernel or libbpf refuse
 */
export function openOrFail<Opened>(open: () => Opened): Opened {
  try {
    return open();
  } catch (error) {
    if (error instanceof ToolError) {
      throw new BackendFailure('builtin', error.kind === 'refused' ? 'refused' : 'missing', error.message);
    }
    if (!(error instanceof KernelRefusal)) throw error;
    const denied = error.errno === EPERM || error.errno === EACCES;
    const missing = missingCapabilities('builtin');
    // Without CAP_PERFMON the verifier refuses what it would allow with it, by whatever errno.
    if (missing.length > 0) {
      throw new BackendFailure('builtin', 'permission', `BPF programs that trace need ${missing.join(' and ')}`);
    }
    const kind = denied ? 'permission' : SHORTAGES.has(error.errno) ? 'refused' : 'failed';
    throw new BackendFailure('builtin', kind, refusalText(error));
  }
}

/** What the verifier or libbpf said last says most. */
function refusalText({ operation, errno, facts }: KernelRefusal): string {
  const log = typeof facts?.['log'] === 'string' ? facts['log'] : '';
  const words = log.split('\n').filter((line) => line.trim() !== '' && !/^(?:--|processed )/.test(line));
  const last = words.at(-1);
  return `${operation} failed with errno ${errno}${last === undefined ? '' : `: ${last.trim()}`}`;
}
