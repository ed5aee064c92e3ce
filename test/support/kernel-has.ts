import { release } from 'node:os';

import type { TestContext } from 'vitest';

import { kernelAtLeast, parseKernelVersion } from '../../src/domain/kernel-version.ts';

/** Whether the kernel that the tests run on is at least this one, e.g. `5.18`. */
export function kernelHas(version: string): boolean {
  const kernel = parseKernelVersion(release());
  if (kernel === undefined) throw new Error(`${release()} is no release of a kernel`);
  return kernelAtLeast(kernel, version);
}

/** Skips a test of what older kernels do not have. */
export function needKernel(context: TestContext, version: string): void {
  if (!kernelHas(version)) context.skip(`that takes Linux ${version}`);
}
