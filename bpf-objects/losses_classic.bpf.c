// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Counts lost frames as losses.bpf.c does, where the kernel has no BTF:
 * attached to the tracepoints as perf knows them, whose records lie where
 * their `format` files in tracefs say. User space puts those offsets into
 * `fields`; the verifier lets no program read a record at an offset that it
 * does not see in the instruction, hence bpf_probe_read_kernel().
 *
 * The kernel leaves such a program out while another BPF program runs on the
 * CPU (bpf_prog_active), so counts may be too low, and records have no network
 * namespaces.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "losses.h"

/* max_entries is set by user space: (slots_mask + 2) for each CPU. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct loss);
	__uint(max_entries, 1);
} losses SEC(".maps");

/* Where a record has what; 0 where it has not. */
struct loss_fields {
	__u32 from;
	__u32 to;
	__u32 prog;
	__u32 map;
	__u32 index;
	__u32 error;  /* negative */
	__u32 action;
	__u32 to_cpu;
	__u32 amount; /* lost frames; without it each record is one */
};

/* The whole of .rodata. */
const volatile struct {
	struct losses_config config;
	struct loss_fields fields[LOSS_ROWS];
} settings = {};

struct losses_state state = {};

static __always_inline __u32 field(void *ctx, __u32 offset)
{
	__u32 value = 0;

	if (offset)
		bpf_probe_read_kernel(&value, sizeof(value), ctx + offset);
	return value;
}

static __always_inline int wanted(const struct loss *loss, const volatile struct loss_fields *fields)
{
	const volatile struct losses_config *config = &settings.config;

	return (!fields->from || wants_devices(config, loss)) &&
	       (!fields->prog || wants_program(config, loss->prog)) &&
	       (!fields->map || wants_map(config, loss->map));
}

/* Always 1: 0 would keep the event from perf and everybody else who records it (trace_call_bpf()). */
static __always_inline int count(void *ctx, __u32 row)
{
	const volatile struct loss_fields *fields = &settings.fields[row];
	struct loss loss = { .row = row };
	__s32 amount = 1;

	if (!state.counting)
		return 1;
	if (fields->amount)
		amount = field(ctx, fields->amount);
	if (amount <= 0)
		return 1;
	loss.from = field(ctx, fields->from);
	loss.to = field(ctx, fields->to);
	loss.prog = field(ctx, fields->prog);
	loss.map = field(ctx, fields->map);
	loss.index = field(ctx, fields->index);
	loss.error = fields->action ? field(ctx, fields->action) : -field(ctx, fields->error);
	loss.to_cpu = field(ctx, fields->to_cpu);
	if (wanted(&loss, fields))
		add_loss(&losses, &settings.config, &loss, amount);
	return 1;
}

SEC("tp/xdp/xdp_redirect_err")
int redirect_err(void *ctx)
{
	return count(ctx, LOSS_REDIRECT_ERR);
}

/* Mute since 5.6. */
SEC("tp/xdp/xdp_redirect_map_err")
int redirect_map_err(void *ctx)
{
	return count(ctx, LOSS_REDIRECT_MAP_ERR);
}

SEC("tp/xdp/xdp_exception")
int exception(void *ctx)
{
	return count(ctx, LOSS_EXCEPTION);
}

SEC("tp/xdp/xdp_devmap_xmit")
int devmap_xmit(void *ctx)
{
	return count(ctx, LOSS_DEVMAP_XMIT);
}

SEC("tp/xdp/xdp_cpumap_enqueue")
int cpumap_enqueue(void *ctx)
{
	return count(ctx, LOSS_CPUMAP_ENQUEUE);
}

SEC("tp/xdp/xdp_cpumap_kthread")
int cpumap_kthread_drops(void *ctx)
{
	return count(ctx, LOSS_CPUMAP_KTHREAD);
}

SEC("tp/xdp/xdp_cpumap_kthread")
int cpumap_kthread_xdp_drop(void *ctx)
{
	return count(ctx, LOSS_CPUMAP_PROGRAM);
}

SEC("tp/xdp/xdp_bulk_tx")
int bulk_tx(void *ctx)
{
	return count(ctx, LOSS_BULK_TX);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
