import { readdirSync, readFileSync } from 'node:fs';

import { toolJson } from '../../support/tool.ts';

/** What a process holds. */
export function processUsage(pid: number): Readonly<Record<string, number>> {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kib = (field: string): number => Number(new RegExp(`^${field}:\\s*(\\d+) kB$`, 'm').exec(status)?.[1] ?? 0);
  return {
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    threads: Number(/^Threads:\s*(\d+)$/m.exec(status)?.[1] ?? 0),
    mappings: readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n').length - 1,
    memory_kib: kib('VmRSS') + kib('VmSwap'),
  };
}

/** How many BPF objects the kernel has; it frees them only after a while. */
export function kernelUsage(): Readonly<Record<string, number>> {
  return { maps: count('map'), programs: count('prog'), links: count('link') };
}

/** bpftool gives up when an object goes away while it lists: then it lists again. */
function count(kind: string, tries = 20): number {
  try {
    return (toolJson('bpftool', ['-j', kind, 'show']) as unknown[]).length;
  } catch (error) {
    if (tries <= 1) throw error;
    return count(kind, tries - 1);
  }
}
