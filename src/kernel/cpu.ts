import { readFileSync } from 'node:fs';

import { parseCpuList } from '../domain/cpu-list.ts';

let possible: number | undefined;

/** How many CPUs this kernel could ever have: per-CPU values come once for each. */
export function possibleCpus(): number {
  possible ??= readCpuList('possible').length;
  return possible;
}

/** CPU numbers that a cpumap key may name (`cpu_possible`, kernel/bpf/cpumap.c). */
export function possibleCpuList(): readonly number[] {
  return readCpuList('possible');
}

/** CPU numbers that run now. */
export function onlineCpuList(): readonly number[] {
  return readCpuList('online');
}

/** The largest CPU number the kernel was built for (NR_CPUS - 1): a cpumap has at most one entry more. */
export function kernelMaxCpu(): number {
  return Number(readFileSync('/sys/devices/system/cpu/kernel_max', 'utf8'));
}

function readCpuList(name: 'possible' | 'online'): number[] {
  return parseCpuList(readFileSync(`/sys/devices/system/cpu/${name}`, 'utf8').trim());
}

/** Memory nodes that are online, which a map may be put on; undefined on a kernel without NUMA. */
export function onlineNodes(): readonly number[] | undefined {
  try {
    return parseCpuList(readFileSync('/sys/devices/system/node/online', 'utf8').trim());
  } catch {
    return undefined;
  }
}
