// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Reads an XSKMAP where xskmap_reader.bpf.c cannot, on kernels without BTF and
 * for users without CAP_PERFMON: tells which keys hold a socket and its queue,
 * the one thing struct bpf_xdp_sock shows (0 for a socket not bound yet). Run
 * by BPF_PROG_TEST_RUN with the user's map in the place of `sockets`.
 *
 * An object of its own, because libbpf wants the kernel's BTF for an object
 * as soon as any program in it reads kernel structures. Without CAP_PERFMON
 * the verifier allows no variable offset into the packet, and follows
 * mispredicted branches, on which a loop never ends; so each key has its place
 * and the loop is unrolled.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define KEYS_PER_RUN 64

/* The packet of the test run. */
struct window {
	__u32 first_key;           /* in */
	__s32 queue[KEYS_PER_RUN]; /* out: of the socket at first_key + i; -1 where there is none */
};

struct {
	__uint(type, BPF_MAP_TYPE_XSKMAP);
	__type(key, __u32);
	__type(value, __u32);
	__uint(max_entries, 1);
} sockets SEC(".maps");

static __noinline __s32 queue_at(__u32 key)
{
	struct bpf_xdp_sock *found = bpf_map_lookup_elem(&sockets, &key);

	return found ? (__s32)found->queue_id : -1;
}

SEC("xdp")
int read_queues(struct xdp_md *ctx)
{
	void *data_end = (void *)(long)ctx->data_end;
	struct window *window = (void *)(long)ctx->data;

	if ((void *)(window + 1) > data_end)
		return XDP_ABORTED;
#pragma clang loop unroll(full)
	for (int i = 0; i < KEYS_PER_RUN; i++)
		window->queue[i] = queue_at(window->first_key + i);
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
