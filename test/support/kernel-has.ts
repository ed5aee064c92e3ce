import { release } from 'node:os';

import { kernelAtLeast, parseKernelVersion } from '../../src/domain/kernel-version.ts';

/** Whether the kernel that the tests run on is at least this one, e.g. `5.18`. */
export function kernelHas(version: string): boolean {
  const kernel = parseKernelVersion(release());
  if (kernel === undefined) throw new Error(`${release()} is no release of a kernel`);
  return kernelAtLeast(kernel, version);
}
