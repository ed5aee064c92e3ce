import { ToolError } from '../domain/errors.ts';
import {
  BackendFailure,
  type BackendName,
  type TraceRequest,
  type TraceSession,
  type TracingBackend,
} from './backend.ts';
import { bpftraceBackend } from './bpftrace.ts';
import { builtinBackend, classicBackend } from './builtin.ts';
import { perfBackend } from './perf.ts';
import { remedyFor } from './rights.ts';

/**
 * In the order in which `auto` tries them: what counts exactly and costs least first. Where the kernel has no BTF, our own
 * programs count no better than bpftrace, so they come last.
 */
export const tracingBackends: readonly TracingBackend[] = [
  builtinBackend,
  bpftraceBackend,
  perfBackend,
  classicBackend,
];

export type Via = 'auto' | BackendName;

/** What `--via` takes. */
export const viaWords: readonly Via[] = ['auto', ...new Set(tracingBackends.map(({ name }) => name))];

/** What is typed to install a backend, for the distributions that most people have. */
const packages: Readonly<Record<Exclude<BackendName, 'builtin'>, string>> = {
  bpftrace:
    'Debian, Ubuntu: apt install bpftrace; Fedora: dnf install bpftrace; Alpine: apk add bpftrace; Arch: pacman -S bpftrace',
  perf: 'Debian: apt install linux-perf; Ubuntu: apt install linux-tools-generic; Fedora: dnf install perf; Alpine: apk add perf; Arch: pacman -S perf',
};

/** A command that counts lost frames, and whose it is. */
export interface CountingCommand {
  readonly backend: BackendName;
  readonly text: string;
}

/**
 * The command that counts the same, to copy and paste: that of the backend asked for, or of the first that has one, which
 * the built-in programs have not.
 *
 * @param duration milliseconds after which it ends; without it at Ctrl-C
 * @throws ToolError when tracefs cannot be read
 */
export async function countingCommand(via: Via, request: TraceRequest, duration?: number): Promise<CountingCommand> {
  const chosen = tracingBackends.filter(({ name }) => name === via);
  for (const backend of [...chosen, ...tracingBackends]) {
    const text = await backend.commandText(request, duration);
    if (text !== undefined) return { backend: backend.name, text };
  }
  throw new TypeError('no backend has a command');
}

/**
 * Starts tracing with the backend that is asked for, or with the first one that works; tells of each that does not.
 *
 * @param maxRates of a backend, for a request without
 * @throws ToolError `unsupported`, `permission` or `refused` when none works
 */
export async function startTracing(
  via: Via,
  request: TraceRequest,
  onSkipped: (failure: BackendFailure) => void = () => {},
  maxRates: Partial<Record<BackendName, number>> = {},
  backends: readonly TracingBackend[] = tracingBackends,
): Promise<TraceSession> {
  return firstThatWorks(via, backends, onSkipped, (backend) =>
    backend.start({ maxRate: maxRates[backend.name], ...request }),
  );
}

/**
 * Starts the one that is asked for, or the first one that works; tells of each that does not.
 *
 * @throws ToolError `unsupported` or `permission` when none works
 */
export async function firstThatWorks<Backend extends { readonly name: BackendName }, Started>(
  via: Via,
  backends: readonly Backend[],
  onSkipped: (failure: BackendFailure) => void,
  start: (backend: Backend) => Promise<Started>,
): Promise<Started> {
  const candidates = backends.filter(({ name }) => via === 'auto' || via === name);
  const failures: BackendFailure[] = [];
  for (const backend of candidates) {
    try {
      return await start(backend);
    } catch (error) {
      if (!(error instanceof BackendFailure)) throw error;
      failures.push(error);
      // The other way of the same backend may still work.
      const others = candidates.slice(failures.length);
      if (others.some(({ name }) => name !== backend.name)) onSkipped(error);
    }
  }
  throw noneWorks(failures);
}

/** What is told when none of the backends can be used. */
export function noneWorks(failures: readonly BackendFailure[]): ToolError {
  // The other way of a backend that lacks a right lacks it too.
  const told = failures.filter(
    ({ backend, kind }, index) =>
      kind !== 'permission' || failures.findIndex((one) => one.backend === backend && one.kind === kind) === index,
  );
  // Both ways of one may fail for the same reason.
  const reasons = [...new Set(told.map(({ backend, message }) => `${backend}: ${message}`))];
  if (failures.some(({ kind }) => kind === 'permission')) {
    return new ToolError('permission', `tracing was refused (${reasons.join('; ')})`, {
      hint: remedyFor(failures.flatMap(({ backend, kind }) => (kind === 'permission' ? backend : []))),
    });
  }
  const install = failures
    .filter(({ kind }) => kind === 'missing' || kind === 'too-old')
    .flatMap(({ backend }) => (backend === 'builtin' ? [] : packages[backend]));
  const text = reasons.join('; ');
  const message = reasons.length === 1 ? `cannot trace with ${text}` : `no tracer works here (${text})`;
  const hints = [...new Set([...failures.flatMap(({ hint }) => hint ?? []), ...install])];
  const passing = failures.length > 0 && failures.every(({ kind }) => kind === 'refused');
  return new ToolError(
    passing ? 'refused' : 'unsupported',
    message,
    hints.length === 0 ? {} : { hint: hints.join('; or ') },
  );
}
