import { release } from 'node:os';

import { ToolError } from '../domain/errors.ts';
import { kernelAtLeast, parseKernelVersion } from '../domain/kernel-version.ts';
import { effectiveCapabilities } from '../kernel/surroundings.ts';
import type { BackendName } from './backend.ts';

/** What a process needs that is not root. bpftrace asks for root, and for BTF by its id. */
const needed: Readonly<Record<BackendName, readonly string[]>> = {
  builtin: ['CAP_BPF', 'CAP_PERFMON'],
  bpftrace: ['CAP_SYS_ADMIN'],
  perf: ['CAP_PERFMON'],
};

/** The capabilities that a backend needs and this process lacks; empty when it has them, or /proc does not tell. */
export function missingCapabilities(backend: BackendName): readonly string[] {
  const capabilities = effectiveCapabilities();
  // It includes the other two (include/linux/capability.h), and is all that there was before Linux 5.8.
  if (capabilities === undefined || capabilities.has('CAP_SYS_ADMIN')) return [];
  const kernel = parseKernelVersion(release());
  if (kernel !== undefined && !kernelAtLeast(kernel, '5.8')) return ['CAP_SYS_ADMIN'];
  return needed[backend].filter((name) => !capabilities.has(name));
}

/** What the user does about it. */
export function remedyFor(backends: readonly BackendName[]): string {
  if (backends.includes('builtin')) {
    return 'run it as root, or with CAP_BPF and CAP_PERFMON (CAP_SYS_ADMIN before Linux 5.8)';
  }
  if (backends.includes('perf')) {
    return 'run it as root, or with CAP_PERFMON (CAP_SYS_ADMIN before Linux 5.8) and CAP_DAC_READ_SEARCH, by which tracefs can be read';
  }
  return 'run it as root: bpftrace takes nobody else';
}

/** What keeps somebody from the files of tracefs, which is root's alone. */
const entries = { read: 'CAP_DAC_READ_SEARCH', changed: 'CAP_DAC_OVERRIDE' } as const;

/**
 * Why tracefs refuses a call, to be thrown.
 *
 * @param doing what was tried, e.g. `cannot read /sys/kernel/tracing/events/xdp`
 * @param how what it would have done
 */
export function tracefsRefusal(doing: string, how: keyof typeof entries, cause: unknown): ToolError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
  const capability = entries[how];
  const capabilities = effectiveCapabilities();
  const isOwner = process.geteuid?.() === 0;
  if (isOwner || capabilities?.has(capability) === true || capabilities?.has('CAP_DAC_OVERRIDE') === true) {
    return new ToolError('permission', `${doing}: ${code}`, {
      hint: 'the kernel may be locked down (/sys/kernel/security/lockdown says so)',
      cause,
    });
  }
  return new ToolError('permission', `${doing}: ${code}; tracefs is root's, or takes ${capability}`, {
    hint: `run it as root, or with ${capability}`,
    cause,
  });
}
