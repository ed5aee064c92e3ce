// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A program for the entry of a cpumap: runs on the target CPU, before the
 * frame becomes an skb and enters the stack there. Passes or drops, and
 * counts by ingress ifindex.
 *
 * The cpumap's counterpart of the entry program of map_devmap.rst
 * (bpf_prog.fd in struct bpf_cpumap_val).
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "counters.h"

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__type(key, __u32);
	__type(value, struct egress_counter);
	__uint(max_entries, COUNTER_ENTRIES);
} counters SEC(".maps");

/* Read-only data, the whole of .rodata. */
const volatile struct {
	__u32 action; /* what to return: enum xdp_action */
} config = {
	.action = XDP_PASS,
};

SEC("xdp/cpumap")
int egress(struct xdp_md *ctx)
{
	return count_verdict(&counters, ctx->ingress_ifindex, config.action);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
