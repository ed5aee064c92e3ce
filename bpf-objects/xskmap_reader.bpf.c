// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Reads an XSKMAP, which the system call refuses to (EOPNOTSUPP): a program
 * may look a socket up. It is run by BPF_PROG_TEST_RUN with the user's map in
 * the place of `sockets`, never attached. For each socket it tells the queue,
 * device, state, network namespace, mode, and the inode number by which the
 * owner is found in /proc.
 *
 * From map_xskmap.rst: "XSK entry references of type struct xdp_sock * can be
 * retrieved using the bpf_map_lookup_elem() helper".
 *
 * User space talks to it through the packet of the test run: it begins with a
 * cursor, which says which keys to look at and comes back telling how far the
 * program came; behind it follow the records of the sockets found. Empty slots
 * cost no record. A run looks at KEYS_PER_RUN keys, fewer when the packet is
 * full; user space goes on from next_key until that reaches end_key. (`repeat`
 * could go on by itself, but from 2 on the kernel patches its XDP dispatcher
 * around the run, which costs 20 ms.)
 *
 * Needs the kernel's BTF and CAP_PERFMON; xskmap_queues.bpf.c does without.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "kernel-types.h"

#define KEYS_PER_RUN 256

/* What fits a test run's packet without fragments: a page less headroom, tailroom, and the cursor. */
#define MAX_RECORDS 109

struct cursor {
	__u32 next_key; /* in: the first key to look at. out: the first not looked at */
	__u32 end_key;  /* the first key not wanted */
	__u32 records;  /* in: 0. out: how many records follow */
	__u32 reserved;
};

struct socket_record {
	__u32 key;
	__u32 queue;
	__u32 ifindex; /* of the device it is bound to; 0 in any other state */
	__u32 state;   /* 0 ready (not bound yet), 1 bound, 2 unbound (its device is gone) */
	__u32 netns;   /* inode number of the socket's network namespace */
	__u32 zero_copy;
	__u64 inode; /* the N of socket:[N] in /proc/PID/fd; 0 when no process holds it */
};

struct {
	__uint(type, BPF_MAP_TYPE_XSKMAP);
	__type(key, __u32);
	__type(value, __u32);
	__uint(max_entries, 1);
} sockets SEC(".maps");

/*
 * The verifier lets a program see struct bpf_xdp_sock only, and allows no
 * arithmetic on the pointer. Read back from the stack it is a number, from
 * which bpf_probe_read_kernel() takes any address.
 */
static __always_inline struct xdp_sock *kernel_view(struct bpf_xdp_sock *found)
{
	struct xdp_sock *sock = NULL;

	bpf_probe_read_kernel(&sock, sizeof(sock), &found);
	return sock;
}

static __always_inline void describe(struct socket_record *record, struct bpf_xdp_sock *found)
{
	struct xdp_sock *sock = kernel_view(found);
	struct socket_alloc *file = (struct socket_alloc *)BPF_CORE_READ(sock, sk.sk_socket);

	record->queue = found->queue_id;
	record->state = BPF_CORE_READ(sock, state);
	/* xsk_unbind_dev() leaves the pointer to a device that is gone. */
	record->ifindex = record->state == XSK_BOUND ? BPF_CORE_READ(sock, dev, ifindex) : 0;
	record->netns = BPF_CORE_READ(sock, sk.__sk_common.skc_net.net, ns.inum);
	record->zero_copy = BPF_CORE_READ(sock, zc);
	record->inode = file ? BPF_CORE_READ(file, vfs_inode.i_ino) : 0;
}

/* Looks at one key; 0 when there is no more to do. Global, so that the verifier judges it once, not once a key. */
__noinline int read_next(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *data_end = (void *)(long)ctx->data_end;
	struct cursor *cursor = data;
	struct socket_record *record = data + sizeof(*cursor);
	struct bpf_xdp_sock *found;
	__u32 key;

	if ((void *)(cursor + 1) > data_end)
		return 0;
	if (cursor->next_key >= cursor->end_key || cursor->records >= MAX_RECORDS)
		return 0;
	record += cursor->records;
	/* The pointer that is checked is the one to use: the compiler must not compute it anew for a field. */
	barrier_var(record);
	if ((void *)(record + 1) > data_end)
		return 0;

	key = cursor->next_key++;
	found = bpf_map_lookup_elem(&sockets, &key);
	if (found) {
		record->key = key;
		describe(record, found);
		cursor->records++;
	}
	return 1;
}

SEC("xdp")
int read_sockets(struct xdp_md *ctx)
{
	for (int i = 0; i < KEYS_PER_RUN; i++)
		if (!read_next(ctx))
			break;
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
