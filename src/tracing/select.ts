import { ToolError } from '../domain/errors.ts';
import {
  BackendFailure,
  type BackendName,
  type TraceRequest,
  type TraceSession,
  type TracingBackend,
} from './backend.ts';
import { bpftraceBackend } from './bpftrace.ts';
import { perfBackend } from './perf.ts';

/** In the order in which `auto` tries them. */
export const tracingBackends: readonly TracingBackend[] = [bpftraceBackend, perfBackend];

export type Via = 'auto' | BackendName;

/** What `--via` takes. */
export const viaWords: readonly Via[] = ['auto', ...tracingBackends.map(({ name }) => name)];

/** What is typed to install a backend, for the distributions that most people have. */
const packages: Readonly<Record<BackendName, string>> = {
  bpftrace:
    'Debian, Ubuntu: apt install bpftrace; Fedora: dnf install bpftrace; Alpine: apk add bpftrace; Arch: pacman -S bpftrace',
  perf: 'Debian: apt install linux-perf; Ubuntu: apt install linux-tools-generic; Fedora: dnf install perf; Alpine: apk add perf; Arch: pacman -S perf',
};

/** The backend that is used first. */
export function preferredBackend(via: Via): TracingBackend {
  const backend = tracingBackends.find(({ name }) => via === 'auto' || name === via);
  if (backend === undefined) throw new TypeError(`no backend: ${via}`);
  return backend;
}

/**
 * Starts tracing with the backend that is asked for, or with the first one that works; tells of each that does not.
 *
 * @throws ToolError `unsupported` or `permission` when none works
 */
export async function startTracing(
  via: Via,
  request: TraceRequest,
  onSkipped: (failure: BackendFailure) => void = () => {},
  backends: readonly TracingBackend[] = tracingBackends,
): Promise<TraceSession> {
  const candidates = backends.filter(({ name }) => via === 'auto' || via === name);
  const failures: BackendFailure[] = [];
  for (const backend of candidates) {
    try {
      return await backend.start(request);
    } catch (error) {
      if (!(error instanceof BackendFailure)) throw error;
      failures.push(error);
      if (failures.length < candidates.length) onSkipped(error);
    }
  }
  throw noneWorks(failures);
}

function noneWorks(failures: readonly BackendFailure[]): ToolError {
  const reasons = failures.map(({ backend, message }) => `${backend}: ${message}`).join('; ');
  if (failures.some(({ kind }) => kind === 'permission')) {
    return new ToolError('permission', `tracing was refused (${reasons})`, {
      hint: 'tracing needs root, or CAP_BPF and CAP_PERFMON (CAP_SYS_ADMIN before Linux 5.8)',
    });
  }
  const install = failures
    .filter(({ kind }) => kind === 'missing' || kind === 'too-old')
    .map(({ backend }) => packages[backend]);
  const message = failures.length === 1 ? `cannot trace with ${reasons}` : `no tracer works here (${reasons})`;
  return new ToolError('unsupported', message, install.length === 0 ? {} : { hint: install.join('; or ') });
}
