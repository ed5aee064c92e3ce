import { release } from 'node:os';

import { kernelAtLeast, parseKernelVersion } from '../domain/kernel-version.ts';
import type { RedirectConfig } from '../domain/redirect-config.ts';
import { encodeRedirectConfig } from '../domain/redirect-config.ts';
import { openBuiltin } from './builtin-objects.ts';
import type { BpfMap } from './map.ts';
import type { BpfProgram } from './program.ts';

/** BPF_F_XDP_HAS_FRAGS (linux/bpf.h), from Linux 5.18: the program takes frames of several buffers. */
const BPF_F_XDP_HAS_FRAGS = 1 << 5;

/** A redirect program of bpf-objects/ that is loaded, with its maps; not attached yet. */
export interface RedirectProgram extends Disposable {
  readonly program: BpfProgram;
  readonly targets: BpfMap;
  readonly counters: BpfMap;
}

/**
 * Loads a redirect program: aware of fragments where the kernel knows them, or devices with a large MTU could not use it.
 *
 * @param object name in bpf-objects/, e.g. `redirect_devmap_hash`
 * @param maxEntries entries of its map of targets; undefined for the object's own number
 * @throws KernelRefusal `object open`, `object load`
 */
export function loadRedirectProgram(
  object: string,
  config: RedirectConfig,
  maxEntries: number | undefined,
): RedirectProgram {
  using opened = openBuiltin(object);
  const targets = opened.map('targets');
  const counters = opened.map('counters');
  const program = opened.program('redirect');
  if (targets === undefined || counters === undefined || program === undefined) {
    throw new Error(`bpf-objects/${object}.bpf.o has not the maps and the program it should have`);
  }
  opened.map('.rodata')?.setInitialValue(encodeRedirectConfig(config));
  if (maxEntries !== undefined) targets.setMaxEntries(maxEntries);
  const kernel = parseKernelVersion(release());
  if (kernel !== undefined && kernelAtLeast(kernel, '5.18')) {
    program.setFlags(program.flags | BPF_F_XDP_HAS_FRAGS);
  }
  opened.load();
  const loaded = { program: program.openProgram(), targets: targets.openMap(), counters: counters.openMap() };
  return {
    ...loaded,
    [Symbol.dispose]() {
      for (const part of Object.values(loaded)) part[Symbol.dispose]();
    },
  };
}
