/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The one body of every program that redirects through `targets` at a key:
 * choose the key, redirect, count. The programs differ in the map's type and
 * in the defaults of `config`, which the loader overwrites before loading.
 */
#ifndef XDPCTL_REDIRECT_BY_KEY_H
#define XDPCTL_REDIRECT_BY_KEY_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "counters.h"

enum key_source {
	KEY_INGRESS = 0, /* the ifindex of the device the frame came in by */
	KEY_QUEUE = 1,   /* the receive queue it came in by */
	KEY_FIXED = 2,   /* config.fixed_key */
};

/* Read-only data, the whole of .rodata. */
struct redirect_config {
	/*
	 * The flags of bpf_redirect_map(): in the two low bits the action on a
	 * miss (XDP_ABORTED 0, XDP_DROP 1, XDP_PASS 2, XDP_TX 3), on devmaps also
	 * BPF_F_BROADCAST (8) and BPF_F_EXCLUDE_INGRESS (16).
	 */
	__u64 flags;
	__u32 key_source; /* enum key_source */
	__u32 fixed_key;
};

/* A broadcast ignores the key; it is counted under it all the same. */
static __always_inline int redirect_by_key(struct xdp_md *ctx,
					   const volatile struct redirect_config *config,
					   void *targets, void *counters)
{
	__u32 source = config->key_source;
	__u32 key = config->fixed_key;

	/*
	 * The verifier refuses a context pointer with something added; the
	 * barriers keep the compiler from making these two loads one.
	 */
	if (source == KEY_INGRESS) {
		key = ctx->ingress_ifindex;
		barrier_var(key);
	} else if (source == KEY_QUEUE) {
		key = ctx->rx_queue_index;
		barrier_var(key);
	}

	return count_redirect(counters, key, bpf_redirect_map(targets, key, config->flags));
}

#endif
