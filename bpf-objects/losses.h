/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Counting lost frames by what is known of them, exactly and at a few
 * nanoseconds each.
 *
 * A per-CPU hash map would be the obvious place, but costs a call and a hash
 * of the whole key for each frame, and user space would have to ask for every
 * key. Here each CPU has a stretch of one array for itself: a key starts
 * looking at its hash, and takes the first of LOSS_PROBES slots that is its own
 * or free. No atomics, because a tracing program is not interrupted by another
 * one on its CPU; user space maps the array into its memory and reads it
 * without a system call.
 *
 * The last slot of a stretch collects what found no place; its row is
 * LOSS_NO_ROOM, so that nothing is lost without a word.
 */
#ifndef XDPCTL_LOSSES_H
#define XDPCTL_LOSSES_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define LOSS_PROBES 16

/* A loop that stays one: shorter, and no slower where it rarely goes round. */
#define NO_UNROLL _Pragma("clang loop unroll(disable)")

/* What was counted. User space knows these numbers (src/kernel/loss-counters.ts). */
enum loss_row {
	LOSS_FREE = 0,
	LOSS_REDIRECT_ERR = 1,
	LOSS_EXCEPTION = 2,
	LOSS_DEVMAP_XMIT = 3,
	LOSS_CPUMAP_ENQUEUE = 4,
	LOSS_CPUMAP_KTHREAD = 5,
	LOSS_CPUMAP_PROGRAM = 6,
	LOSS_BULK_TX = 7,
	LOSS_KFREE_SKB = 8,
	/* No losses: what a frame count is compared with (conservation). */
	LOSS_REDIRECTED = 9,
	LOSS_TRANSMITTED = 10,
	/* Events of old kernels. */
	LOSS_REDIRECT_MAP_ERR = 11,
	LOSS_ROWS = 12,
	LOSS_NO_ROOM = 255,
};

/* 64 bytes: a cache line. */
struct loss {
	__u32 row;
	__u32 from_netns; /* inode numbers, 0 where not known */
	__u32 from;       /* ifindexes, 0 where there is none */
	__u32 to_netns;
	__u32 to;
	__u32 prog;
	__u32 map;
	__u32 index; /* the map's key */
	__u32 error; /* positive errno; of an exception the action, of an skb the reason */
	__u32 to_cpu;
	__u64 where; /* of an skb: the address that freed it */
	__u64 count;
	__u64 reserved;
};

#define LOSS_WORDS 6 /* of 8 bytes, up to `count` */

/* Read-only data, the whole of .rodata. Lists hold as many as their count says. */
#define LOSS_LIST 64
#define LOSS_REASONS 8
struct losses_config {
	__u32 slots_mask; /* slots of a CPU's stretch less one; one more follows them */
	__u32 netns;      /* the namespace of `ifindexes`; 0 for any */
	__u32 ifindex_count;
	__u32 prog_count;
	__u32 map_count;
	__u32 reason_count;
	__u32 reasons[LOSS_REASONS]; /* of skbs that are counted */
	__u32 unspecified;   /* the reason that says nothing: counted by address as well */
	__u32 socket_reason; /* the reason of skbs that have been in the queue of a UDP socket */
	__u32 ifindexes[LOSS_LIST];
	__u32 progs[LOSS_LIST];
	__u32 maps[LOSS_LIST];
};

/* Set by user space once all programs are attached, so that they begin and end together. */
struct losses_state {
	__u32 counting;  /* losses */
	__u32 comparing; /* redirected frames */
};

static __always_inline struct loss *loss_slot(void *losses, __u32 index)
{
	return bpf_map_lookup_elem(losses, &index);
}

static __always_inline void add_loss(void *losses, const volatile struct losses_config *config,
				     const struct loss *key, __u64 count)
{
	__u32 mask = config->slots_mask;
	__u32 base = bpf_get_smp_processor_id() * (mask + 2);
	const __u64 *wanted = (const __u64 *)key;
	struct loss *loss;
	__u64 hash = 0;

	for (int i = 0; i < LOSS_WORDS; i++)
		hash = (hash ^ wanted[i]) * 0x9e3779b97f4a7c15ULL;
	hash >>= 32;

	NO_UNROLL
	for (__u32 probe = 0; probe < LOSS_PROBES; probe++) {
		__u64 *found, different = 0;

		loss = loss_slot(losses, base + ((hash + probe) & mask));
		if (!loss)
			return;
		found = (__u64 *)loss;
		for (int i = 0; i < LOSS_WORDS; i++)
			different |= found[i] ^ wanted[i];
		if (!different) {
			loss->count += count;
			return;
		}
		if (loss->row == LOSS_FREE) {
			/* Whoever reads sees a row only with its whole key. */
			for (int i = 1; i < LOSS_WORDS; i++)
				found[i] = wanted[i];
			loss->count = count;
			barrier();
			found[0] = wanted[0];
			return;
		}
	}
	loss = loss_slot(losses, base + mask + 1);
	if (loss) {
		loss->row = LOSS_NO_ROOM;
		loss->count += count;
	}
}

static __always_inline int is_listed(const volatile __u32 *list, __u32 count, __u32 number)
{
	NO_UNROLL
	for (__u32 i = 0; i < LOSS_LIST && i < count; i++)
		if (list[i] == number)
			return 1;
	return 0;
}

/* Whether the device is one of those asked for; all are when none was named. */
static __always_inline int is_device(const volatile struct losses_config *config, __u32 ifindex,
				     __u32 netns)
{
	if (config->netns && netns && netns != config->netns)
		return 0;
	return is_listed(config->ifindexes, config->ifindex_count, ifindex);
}

/* The filters of `debug drops`, as far as an event has what they ask for. */
static __always_inline int wants_devices(const volatile struct losses_config *config,
					 const struct loss *loss)
{
	return !config->ifindex_count || is_device(config, loss->from, loss->from_netns) ||
	       is_device(config, loss->to, loss->to_netns);
}

static __always_inline int wants_program(const volatile struct losses_config *config, __u32 prog)
{
	return !config->prog_count || is_listed(config->progs, config->prog_count, prog);
}

/* A failed look-up has lost its map (0, INT_MAX): it may be about any. */
static __always_inline int wants_map(const volatile struct losses_config *config, __u32 map)
{
	return !config->map_count || map == 0 || map == 0x7fffffff ||
	       is_listed(config->maps, config->map_count, map);
}

#endif
