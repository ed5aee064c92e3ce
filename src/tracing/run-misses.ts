import { readdirSync, readFileSync } from 'node:fs';

/** BPF_PROG_TYPE_TRACEPOINT (linux/bpf.h). */
const tracepointProgram = 5;

/**
 * How often the kernel left out the tracepoint programs of a process because another BPF program was running on the CPU
 * (trace_call_bpf() and bpf_prog_active). It counts that since Linux 6.7; before, the number stays 0.
 */
export function runMissesOf(pid: number): number {
  const folder = `/proc/${pid}/fdinfo`;
  let misses = 0;
  for (const fd of quietly(() => readdirSync(folder)) ?? []) {
    misses += missesIn(quietly(() => readFileSync(`${folder}/${fd}`, 'utf8')) ?? '');
  }
  return misses;
}

/** The misses in the text of a descriptor's fdinfo (bpf_prog_show_fdinfo()); 0 when it is no tracepoint program. */
export function missesIn(fdinfo: string): number {
  if (Number(/^prog_type:\s*(\d+)$/m.exec(fdinfo)?.[1]) !== tracepointProgram) return 0;
  return Number(/^recursion_misses:\s*(\d+)$/m.exec(fdinfo)?.[1] ?? 0);
}

/** The process or descriptor may be gone between two reads. */
function quietly<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
