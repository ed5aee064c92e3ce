import { type ErrorKind, KernelRefusal, ToolError } from '../domain/errors.ts';
import { explain } from '../domain/explain.ts';
import { shellCommand } from '../domain/shell-quote.ts';
import { libraryFailure } from '../kernel/library-failure.ts';
import { missingFilesystem, surroundings } from '../kernel/surroundings.ts';

/** Whatever was thrown, as an error worded for the user; what nobody foresaw is a bug of ours (exit 70). */
export function toToolError(error: unknown): ToolError {
  if (error instanceof ToolError) return error;
  if (error instanceof KernelRefusal) return explain(error, surroundings());
  const library = libraryFailure(error);
  if (library !== undefined) return library;
  const system = systemFailure(error);
  if (system !== undefined) return system;
  const message = error instanceof Error ? error.message : String(error);
  return new ToolError('bug', `unexpected failure: ${message}`, {
    hint: 'this is a bug of xdpctl; --debug shows where it happened',
    cause: error,
  });
}

/** Failures of files and processes that no care of ours avoids, whatever was being done. */
const systemFailures: Partial<Record<string, { readonly kind: ErrorKind; readonly why: string }>> = {
  EACCES: { kind: 'permission', why: 'the permissions do not allow it, which takes CAP_DAC_OVERRIDE' },
  EPERM: { kind: 'permission', why: 'not permitted without a capability, CAP_SYS_ADMIN for one' },
  EROFS: { kind: 'refused', why: 'the filesystem is read-only' },
  ENOSPC: { kind: 'refused', why: 'no room is left' },
  EDQUOT: { kind: 'refused', why: 'the quota is used up' },
  EIO: { kind: 'refused', why: 'the device fails' },
  EMFILE: { kind: 'refused', why: 'this process may open no more files (ulimit -n)' },
  ENFILE: { kind: 'refused', why: 'the system can open no more files' },
  ENOMEM: { kind: 'refused', why: 'no memory is left' },
  EINTR: { kind: 'refused', why: 'a signal interrupted it' },
  EBUSY: { kind: 'refused', why: 'it is in use' },
  EAGAIN: { kind: 'refused', why: 'no more processes may be started (ulimit -u)' },
};

function notMounted(place: string, path: string, cause: Error): ToolError {
  const type = place === '/proc' ? 'proc' : 'sysfs';
  return new ToolError('unsupported', `${path} is needed, which a whole ${place} has, but not the one here`, {
    hint: `mount it, without restrictions: ${shellCommand(['mount', '-t', type, type, place])}`,
    errno: 2,
    cause,
  });
}

/** The error for a system call of Node.js's own that failed for such a reason, else undefined. */
function systemFailure(error: unknown): ToolError | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, errno, syscall, path } = error as NodeJS.ErrnoException;
  const filesystem = path === undefined || code !== 'ENOENT' ? undefined : missingFilesystem(path);
  if (filesystem !== undefined && path !== undefined) return notMounted(filesystem, path, error);
  const failure = systemFailures[code ?? ''];
  if (failure === undefined || errno === undefined || syscall === undefined) return undefined;
  return new ToolError(failure.kind, `${syscall}${path === undefined ? '' : ` ${path}`}: ${failure.why}`, {
    errno: Math.abs(errno),
    operation: syscall,
    cause: error,
    ...(failure.kind === 'permission' && { hint: 'run it as root' }),
  });
}
