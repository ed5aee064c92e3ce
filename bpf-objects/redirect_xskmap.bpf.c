// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Redirects frames to the AF_XDP sockets of an XSKMAP, by receive queue; a
 * queue without a socket passes its frames to the kernel's stack.
 *
 * From map_xskmap.rst: `xsks_map` and xsk_redir_prog. That example looks the
 * socket up before it redirects; here the action on a miss (XDP_PASS) does
 * it, in one look-up, with no moment between the two in which the socket may
 * go away and the frame be lost.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "counters.h"
#include "redirect-by-key.h"

struct {
	__uint(type, BPF_MAP_TYPE_XSKMAP);
	__type(key, __u32);
	__type(value, __u32);
	__uint(max_entries, 64);
} targets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__type(key, __u32);
	__type(value, struct redirect_counter);
	__uint(max_entries, COUNTER_ENTRIES);
} counters SEC(".maps");

const volatile struct redirect_config config = {
	.flags = XDP_PASS,
	.key_source = KEY_QUEUE,
};

SEC("xdp")
int redirect(struct xdp_md *ctx)
{
	return redirect_by_key(ctx, &config, &targets, &counters);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
