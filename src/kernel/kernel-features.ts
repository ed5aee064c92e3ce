import { release } from 'node:os';

import type { KernelFeature } from '../domain/kernel-feature.ts';
import { kernelAtLeast, parseKernelVersion } from '../domain/kernel-version.ts';
import { readKernelTypes } from './kernel-types.ts';

/** Whether the running kernel is new enough for a feature, or has it all the same. */
export function hasFeature({ since, symbol }: KernelFeature): boolean {
  const kernel = parseKernelVersion(release());
  if (kernel !== undefined && kernelAtLeast(kernel, since)) return true;
  if (symbol === undefined) return false;
  return readKernelTypes({ typedefs: [], enums: [], functions: [symbol] })?.hasFunction(symbol) === true;
}
