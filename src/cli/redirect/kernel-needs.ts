import { release } from 'node:os';

import { type KernelFeature, kernelFeatures, lacksFeature } from '../../domain/kernel-feature.ts';
import type { RedirectPath } from '../../domain/redirect-path.ts';
import { hasFeature } from '../../kernel/kernel-features.ts';

const useNative = 'leave --mode generic out, where the driver has XDP';

/**
 * Refuses a path on which this kernel would lose every frame.
 *
 * @throws ToolError unsupported
 */
export function checkKernel({ mode, targets }: RedirectPath): void {
  if (targets.kind === 'devices' && targets.broadcast) demand(kernelFeatures.broadcast);
  if (
    mode === 'generic' &&
    targets.kind === 'devices' &&
    targets.entries.some(({ program }) => program !== undefined)
  ) {
    demand(kernelFeatures.genericEntryPrograms, useNative);
  }
  const toCpus = targets.kind === 'cpus' || (targets.kind === 'map' && targets.type === 'cpumap');
  if (toCpus && mode === 'generic') {
    demand(kernelFeatures.genericCpumap, useNative);
  }
}

function demand(feature: KernelFeature, hint?: string): void {
  if (!hasFeature(feature)) throw lacksFeature(feature, release(), hint);
}
