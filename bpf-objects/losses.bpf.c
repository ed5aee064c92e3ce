// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Counts lost frames in the kernel: one program for each tracepoint of the xdp
 * group that tells of a loss, and one for skbs that are thrown away. What is
 * counted is what the tracepoints print (include/trace/events/xdp.h), and the
 * network namespaces besides.
 *
 * Attached to the tracepoints by BTF (tp_btf), which gives the arguments
 * themselves: they changed, so some events have two programs, of which user
 * space loads the one that fits the kernel's prototype. Unlike a program on a
 * classic tracepoint (losses_classic.bpf.c) it runs also while another BPF
 * program does.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "kernel-types.h"
#include "losses.h"

/* max_entries is set by user space: (slots_mask + 2) for each CPU. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct loss);
	__uint(max_entries, 1);
} losses SEC(".maps");

/* Of its own, because an skb may be freed in a hardware interrupt, between two instructions of the other programs. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct loss);
	__uint(max_entries, 1);
} freed SEC(".maps");

const volatile struct losses_config config = {};

struct losses_state state = {};

static __always_inline int is_reason(__u32 reason)
{
	NO_UNROLL
	for (__u32 i = 0; i < LOSS_REASONS && i < config.reason_count; i++)
		if (config.reasons[i] == reason)
			return 1;
	return 0;
}

static __always_inline __u32 netns_of(const struct net_device *dev)
{
	return dev->nd_net.net->ns.inum;
}

/* Since 6.2: makes the verifier believe what a pointer points to. No call when it runs. */
extern void *bpf_rdonly_cast(const void *pointer, __u32 type) __ksym __weak;

/* The device that a devmap entry leads to. The verifier sees but an address. */
static __always_inline void read_target(struct loss *loss, const void *entry)
{
	__u32 type = bpf_core_type_id_kernel(struct bpf_dtab_netdev);
	const struct net_device *dev = ((struct bpf_dtab_netdev *)bpf_rdonly_cast(entry, type))->dev;

	loss->to = dev->ifindex;
	loss->to_netns = netns_of(dev);
}

/* The same before 6.2, at 20 ns for each of four reads. */
static __always_inline void probe_target(struct loss *loss, const void *entry)
{
	struct net_device *dev = BPF_CORE_READ((const struct bpf_dtab_netdev *)entry, dev);

	loss->to = BPF_CORE_READ(dev, ifindex);
	loss->to_netns = BPF_CORE_READ(dev, nd_net.net, ns.inum);
}

static __always_inline int is_devmap(__u32 type)
{
	return type == BPF_MAP_TYPE_DEVMAP || type == BPF_MAP_TYPE_DEVMAP_HASH;
}

/*
 * What the look-up found. Only since 6.16 may an argument be read that points
 * to void (is_void_or_int_ptr(), kernel/bpf/btf.c); before, the context is read
 * as any other memory.
 */
static __always_inline const void *probe_entry(unsigned long long *ctx)
{
	const void *entry = NULL;

	bpf_probe_read_kernel(&entry, sizeof(entry), &ctx[2]);
	return entry;
}

/* xdp_redirect and xdp_redirect_err since 5.13: device, program, what the look-up found, errno, map type, map id, key. */
static __always_inline void fill_redirect(struct loss *loss, unsigned long long *ctx, const void *entry,
					  void (*fill_target)(struct loss *loss, const void *entry))
{
	const struct net_device *dev = (void *)ctx[0];
	const struct bpf_prog *prog = (void *)ctx[1];
	__u32 type = ctx[4];

	loss->from = dev->ifindex;
	loss->from_netns = netns_of(dev);
	loss->prog = prog->aux->id;
	loss->error = -(int)ctx[3];
	loss->map = ctx[5];
	loss->index = ctx[6];
	if (is_devmap(type)) {
		if (entry)
			fill_target(loss, entry);
	} else if (type == BPF_MAP_TYPE_UNSPEC && loss->map == 0x7fffffff) {
		loss->to = loss->index;
		loss->to_netns = loss->from_netns;
		loss->index = 0;
	}
}

/* The same before 5.13: device, program, what the look-up found, errno, map or NULL, key. */
static __always_inline void fill_redirect_by_map(struct loss *loss, unsigned long long *ctx)
{
	const struct net_device *dev = (void *)ctx[0];
	const struct bpf_prog *prog = (void *)ctx[1];
	const void *entry = probe_entry(ctx);
	const struct bpf_map *map = (void *)ctx[4];
	__u32 index = ctx[5];

	loss->from = dev->ifindex;
	loss->from_netns = netns_of(dev);
	loss->prog = prog->aux->id;
	loss->error = -(int)ctx[3];
	if (!map) {
		loss->to = index;
		loss->to_netns = loss->from_netns;
		return;
	}
	loss->map = map->id;
	loss->index = index;
	if (entry && is_devmap(map->map_type))
		probe_target(loss, entry);
}

static __always_inline void count_error(const struct loss *loss)
{
	if (wants_devices(&config, loss) && wants_program(&config, loss->prog) && wants_map(&config, loss->map))
		add_loss(&losses, &config, loss, 1);
}

SEC("tp_btf/xdp_redirect_err")
int redirect_err(unsigned long long *ctx)
{
	struct loss loss = { .row = LOSS_REDIRECT_ERR };

	if (!state.counting)
		return 0;
	fill_redirect(&loss, ctx, (void *)ctx[2], read_target);
	count_error(&loss);
	return 0;
}

SEC("tp_btf/xdp_redirect_err")
int redirect_err_casting(unsigned long long *ctx)
{
	struct loss loss = { .row = LOSS_REDIRECT_ERR };

	if (!state.counting)
		return 0;
	fill_redirect(&loss, ctx, probe_entry(ctx), read_target);
	count_error(&loss);
	return 0;
}

SEC("tp_btf/xdp_redirect_err")
int redirect_err_probing(unsigned long long *ctx)
{
	struct loss loss = { .row = LOSS_REDIRECT_ERR };

	if (!state.counting)
		return 0;
	fill_redirect(&loss, ctx, probe_entry(ctx), probe_target);
	count_error(&loss);
	return 0;
}

SEC("tp_btf/xdp_redirect_err")
int redirect_err_by_map(unsigned long long *ctx)
{
	struct loss loss = { .row = LOSS_REDIRECT_ERR };

	if (!state.counting)
		return 0;
	fill_redirect_by_map(&loss, ctx);
	count_error(&loss);
	return 0;
}

/* Conservation: a redirect that succeeded, to whatever device. */
static __always_inline void count_redirected(const void *dev_pointer, const void *prog_pointer, __u32 map)
{
	const struct net_device *dev = dev_pointer;
	const struct bpf_prog *prog = prog_pointer;
	struct loss loss = { .row = LOSS_REDIRECTED, .map = map };

	if (!state.comparing)
		return;
	loss.from = dev->ifindex;
	loss.from_netns = netns_of(dev);
	loss.prog = prog->aux->id;
	if (!config.ifindex_count || is_device(&config, loss.from, loss.from_netns))
		add_loss(&losses, &config, &loss, 1);
}

SEC("tp_btf/xdp_redirect")
int redirected(unsigned long long *ctx)
{
	count_redirected((void *)ctx[0], (void *)ctx[1], ctx[5]);
	return 0;
}

SEC("tp_btf/xdp_redirect")
int redirected_by_map(unsigned long long *ctx)
{
	const struct bpf_map *map = (void *)ctx[4];

	count_redirected((void *)ctx[0], (void *)ctx[1], map ? map->id : 0x7fffffff);
	return 0;
}

/* Device, program, action. */
SEC("tp_btf/xdp_exception")
int exception(unsigned long long *ctx)
{
	const struct net_device *dev = (void *)ctx[0];
	const struct bpf_prog *prog = (void *)ctx[1];
	struct loss loss = { .row = LOSS_EXCEPTION };

	if (!state.counting)
		return 0;
	loss.from = dev->ifindex;
	loss.from_netns = netns_of(dev);
	loss.prog = prog->aux->id;
	loss.error = ctx[2];
	if (wants_devices(&config, &loss) && wants_program(&config, loss.prog))
		add_loss(&losses, &config, &loss, 1);
	return 0;
}

static __always_inline void fill_transmit(struct loss *loss, unsigned long long *ctx)
{
	const struct net_device *from = (void *)ctx[0];
	const struct net_device *to = (void *)ctx[1];

	loss->from = from->ifindex;
	loss->from_netns = netns_of(from);
	loss->to = to->ifindex;
	loss->to_netns = netns_of(to);
}

/* Since 5.6: source, target, frames sent, frames dropped, errno. */
SEC("tp_btf/xdp_devmap_xmit")
int devmap_xmit(unsigned long long *ctx)
{
	struct loss loss = { .row = LOSS_DEVMAP_XMIT };
	int drops = ctx[3];

	if (drops <= 0 || !state.counting)
		return 0;
	fill_transmit(&loss, ctx);
	loss.error = -(int)ctx[4];
	if (wants_devices(&config, &loss))
		add_loss(&losses, &config, &loss, drops);
	return 0;
}

/* Conservation: every frame that had a target, whatever became of it. */
SEC("tp_btf/xdp_devmap_xmit")
int transmitted(unsigned long long *ctx)
{
	struct loss loss = { .row = LOSS_TRANSMITTED };

	if (!state.counting)
		return 0;
	fill_transmit(&loss, ctx);
	if (!config.ifindex_count || is_device(&config, loss.from, loss.from_netns))
		add_loss(&losses, &config, &loss, (__u32)ctx[2] + (__u32)ctx[3]);
	return 0;
}

/* Map id, frames queued, frames dropped, the CPU they were for. */
SEC("tp_btf/xdp_cpumap_enqueue")
int cpumap_enqueue(unsigned long long *ctx)
{
	struct loss loss = { .row = LOSS_CPUMAP_ENQUEUE };
	__u32 drops = ctx[2];

	if (!drops || !state.counting)
		return 0;
	loss.map = ctx[0];
	loss.to_cpu = ctx[3];
	if (wants_map(&config, loss.map))
		add_loss(&losses, &config, &loss, drops);
	return 0;
}

static __always_inline void count_kthread(unsigned long long *ctx, __u32 row, __u32 drops)
{
	struct loss loss = { .row = row };

	if (!drops || !state.counting)
		return;
	loss.map = ctx[0];
	loss.to_cpu = bpf_get_smp_processor_id();
	if (wants_map(&config, loss.map))
		add_loss(&losses, &config, &loss, drops);
}

/* Map id, frames taken, frames for which there was no skb, whether the thread slept; since 5.9 what a program did. */
SEC("tp_btf/xdp_cpumap_kthread")
int cpumap_kthread_drops(unsigned long long *ctx)
{
	count_kthread(ctx, LOSS_CPUMAP_KTHREAD, ctx[2]);
	return 0;
}

SEC("tp_btf/xdp_cpumap_kthread")
int cpumap_kthread_xdp_drop(unsigned long long *ctx)
{
	const struct xdp_cpumap_stats *stats = (void *)ctx[4];

	count_kthread(ctx, LOSS_CPUMAP_PROGRAM, stats->drop);
	return 0;
}

/* Device, frames sent, frames dropped, errno. */
SEC("tp_btf/xdp_bulk_tx")
int bulk_tx(unsigned long long *ctx)
{
	const struct net_device *dev = (void *)ctx[0];
	struct loss loss = { .row = LOSS_BULK_TX };
	int drops = ctx[2];

	if (drops <= 0 || !state.counting)
		return 0;
	loss.from = dev->ifindex;
	loss.from_netns = netns_of(dev);
	loss.error = -(int)ctx[3];
	if (wants_devices(&config, &loss))
		add_loss(&losses, &config, &loss, drops);
	return 0;
}

/*
 * The device an skb is at. The queue of a UDP socket uses `dev` for something
 * else; what is left is the number of the device it came in by.
 */
static __always_inline void fill_skb(struct loss *loss, const struct sk_buff *skb, const struct sock *receiver)
{
	loss->from = skb->skb_iif;
	if (receiver) {
		loss->from_netns = receiver->__sk_common.skc_net.net->ns.inum;
	} else if (loss->error != config.socket_reason && skb->dev) {
		loss->from = skb->dev->ifindex;
		loss->from_netns = netns_of(skb->dev);
	}
}

static __always_inline void count_skb(unsigned long long *ctx, const struct sock *receiver)
{
	struct loss loss = { .row = LOSS_KFREE_SKB, .error = ctx[2] };

	if (!state.counting || !is_reason(loss.error))
		return;
	fill_skb(&loss, (void *)ctx[0], receiver);
	if (loss.error == config.unspecified)
		loss.where = ctx[1];
	add_loss(&freed, &config, &loss, 1);
}

/* Since 5.17: skb, address that frees it, reason. */
SEC("tp_btf/kfree_skb")
int skb_freed(unsigned long long *ctx)
{
	count_skb(ctx, NULL);
	return 0;
}

/* Since 6.11 with the socket that was to get it, or NULL. */
SEC("tp_btf/kfree_skb")
int skb_freed_at(unsigned long long *ctx)
{
	count_skb(ctx, (void *)ctx[3]);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
