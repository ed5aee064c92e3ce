// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Counts how often tracepoints are hit, whatever they say: the first recipe of
 * redirect.rst ("tracepoint:xdp:* { @cnt[probe] = count(); }") without any
 * tool. Each program has a counter of its own; user space attaches it to the
 * tracepoint it likes, by name (BPF_RAW_TRACEPOINT_OPEN). Unlike a program on
 * a classic tracepoint it also runs while another BPF program does.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define EVENTS 16

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__type(key, __u32);
	__type(value, __u64);
	__uint(max_entries, EVENTS);
} counts SEC(".maps");

static __always_inline int count(__u32 event)
{
	__u64 *hits = bpf_map_lookup_elem(&counts, &event);

	if (hits)
		(*hits)++;
	return 0;
}

#define COUNTER(number)                              \
	SEC("raw_tp")                                \
	int count_##number(void *ctx __attribute__((unused))) \
	{                                            \
		return count(number);                \
	}

COUNTER(0)
COUNTER(1)
COUNTER(2)
COUNTER(3)
COUNTER(4)
COUNTER(5)
COUNTER(6)
COUNTER(7)
COUNTER(8)
COUNTER(9)
COUNTER(10)
COUNTER(11)
COUNTER(12)
COUNTER(13)
COUNTER(14)
COUNTER(15)

char LICENSE[] SEC("license") = "Dual BSD/GPL";
