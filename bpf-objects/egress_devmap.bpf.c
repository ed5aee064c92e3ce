// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A program for the entry of a devmap: runs on a redirected frame before it
 * is queued on the target device. Rewrites the MAC addresses when told to (or
 * the receiver's stack drops the frame as addressed to another host), passes
 * or drops, and counts by egress ifindex.
 *
 * From map_devmap.rst: "DEVMAPs can associate a program with a device entry
 * by adding a bpf_prog.fd to struct bpf_devmap_val". XDP_PASS and XDP_DROP
 * are the only verdicts the kernel takes there.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
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
	__u8 set_dst; /* 1: the frame's destination becomes dst_mac */
	__u8 set_src; /* 1: the frame's source becomes src_mac */
	__u8 dst_mac[ETH_ALEN];
	__u8 src_mac[ETH_ALEN];
	__u8 reserved[2];
} config = {
	.action = XDP_PASS,
};

SEC("xdp/devmap")
int egress(struct xdp_md *ctx)
{
	void *data_end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = (void *)(long)ctx->data;

	if ((void *)(eth + 1) <= data_end) {
		if (config.set_dst)
			for (int i = 0; i < ETH_ALEN; i++)
				eth->h_dest[i] = config.dst_mac[i];
		if (config.set_src)
			for (int i = 0; i < ETH_ALEN; i++)
				eth->h_source[i] = config.src_mac[i];
	}
	return count_verdict(&counters, ctx->egress_ifindex, config.action);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
