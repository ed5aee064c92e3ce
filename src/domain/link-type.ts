/**
 * Names of `enum bpf_link_type` (linux/bpf.h), by number, as bpftool spells them.
 * The kernel only ever appends to this list.
 */
const names = [
  'unspec',
  'raw_tracepoint',
  'tracing',
  'cgroup',
  'iter',
  'netns',
  'xdp',
  'perf_event',
  'kprobe_multi',
  'struct_ops',
  'netfilter',
  'tcx',
  'uprobe_multi',
  'netkit',
  'sockmap',
] as const;

/** BPF_LINK_TYPE_TRACING and BPF_LINK_TYPE_XDP. */
export const LINK_TYPE_TRACING = 2;
export const LINK_TYPE_XDP = 6;

/** The type's name, or undefined for a type newer than this list. */
export function linkTypeName(type: number): string | undefined {
  return names[type];
}
