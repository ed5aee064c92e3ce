// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Passes every frame to the kernel's stack.
 *
 * Its use is its presence: a veth transmits redirected frames only when its
 * peer has an XDP program (or GRO), some NICs only when they have one
 * themselves. redirect.rst: "Not all drivers support transmitting frames
 * after a redirect".
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("xdp")
int pass(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
