// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Spreads frames over a list of CPUs through a CPUMAP: all frames of a flow,
 * in both directions, go to the same CPU. For a NIC with too few receive
 * queues, or one that cannot hash the protocol in use.
 *
 * From redirect.rst, which names BPF_MAP_TYPE_CPUMAP among the maps that
 * XDP_REDIRECT works with; it has no example of its own.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define COUNTER_SLOTS 1024
#include "counters.h"
#include "flow-hash.h"

#define MAX_CPUS 1024

struct {
	__uint(type, BPF_MAP_TYPE_CPUMAP);
	__type(key, __u32);
	__type(value, struct bpf_cpumap_val);
	__uint(max_entries, 64);
} targets SEC(".maps");

/* The key counted under is the CPU's number. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__type(key, __u32);
	__type(value, struct redirect_counter);
	__uint(max_entries, COUNTER_ENTRIES);
} counters SEC(".maps");

/* Read-only data, the whole of .rodata. */
const volatile struct {
	__u64 flags;     /* of bpf_redirect_map(): the action on a miss, 0 to 3 */
	__u32 cpu_count; /* how many of `cpus` are meant; 0 means CPU 0 alone */
	__u32 reserved;
	__u32 cpus[MAX_CPUS];
} config = {
	.flags = XDP_ABORTED,
	.cpu_count = 1,
};

SEC("xdp")
int redirect(struct xdp_md *ctx)
{
	/* Scales the hash to 0 ... cpu_count - 1 without a division. */
	__u32 chosen = (__u64)flow_hash(ctx) * config.cpu_count >> 32;
	__u32 cpu = chosen < MAX_CPUS ? config.cpus[chosen] : 0;

	return count_redirect(&counters, cpu, bpf_redirect_map(&targets, cpu, config.flags));
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
