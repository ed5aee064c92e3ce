// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Redirects frames to the devices of a DEVMAP_HASH, by the ifindex of the
 * ingress device unless told otherwise: ifindexes outgrow any array.
 *
 * From map_devmap.rst: the map is its `forward_map` with struct
 * bpf_devmap_val, the program its xdp_redirect_map_func.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "counters.h"
#include "redirect-by-key.h"

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP_HASH);
	__type(key, __u32);
	__type(value, struct bpf_devmap_val);
	__uint(max_entries, 32);
} targets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__type(key, __u32);
	__type(value, struct redirect_counter);
	__uint(max_entries, COUNTER_ENTRIES);
} counters SEC(".maps");

const volatile struct redirect_config config = {
	.flags = XDP_ABORTED,
	.key_source = KEY_INGRESS,
};

SEC("xdp")
int redirect(struct xdp_md *ctx)
{
	return redirect_by_key(ctx, &config, &targets, &counters);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
