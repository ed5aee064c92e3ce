// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Redirects frames to the devices of a DEVMAP, by receive queue unless told
 * otherwise.
 *
 * From map_devmap.rst: the map is its `tx_port`, and with the flags
 * BPF_F_BROADCAST | BPF_F_EXCLUDE_INGRESS the program is the example that
 * broadcasts to all interfaces of it.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "counters.h"
#include "redirect-by-key.h"

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__type(key, __u32);
	__type(value, struct bpf_devmap_val);
	__uint(max_entries, 256);
} targets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__type(key, __u32);
	__type(value, struct redirect_counter);
	__uint(max_entries, COUNTER_ENTRIES);
} counters SEC(".maps");

const volatile struct redirect_config config = {
	.flags = XDP_ABORTED,
	.key_source = KEY_QUEUE,
};

SEC("xdp")
int redirect(struct xdp_md *ctx)
{
	return redirect_by_key(ctx, &config, &targets, &counters);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
