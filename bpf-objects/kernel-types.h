/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The few fields of kernel structures that our programs read. The offsets
 * here mean nothing: libbpf replaces each by the one in the running kernel's
 * BTF (CO-RE), so a structure lists only what is read of it.
 */
#ifndef XDPCTL_KERNEL_TYPES_H
#define XDPCTL_KERNEL_TYPES_H

#include <linux/types.h>
#include <linux/bpf.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

/* include/linux/ns_common.h: inum is the inode number of /proc/PID/ns/net. */
struct ns_common {
	unsigned int inum;
};

/* include/net/net_namespace.h */
struct net {
	struct ns_common ns;
};

typedef struct {
	struct net *net;
} possible_net_t;

/* include/linux/netdevice.h */
struct net_device {
	int ifindex;
	possible_net_t nd_net;
};

/* include/linux/bpf.h */
struct bpf_prog_aux {
	__u32 id;
};

struct bpf_prog {
	struct bpf_prog_aux *aux;
};

struct bpf_map {
	enum bpf_map_type map_type;
	__u32 id;
};

/* kernel/bpf/devmap.c: what an entry of a devmap points to. */
struct bpf_dtab_netdev {
	struct net_device *dev;
};

/* include/net/xdp.h */
struct xdp_cpumap_stats {
	unsigned int drop;
};

/* include/linux/skbuff.h */
struct sk_buff {
	struct net_device *dev;
	int skb_iif;
	struct sock *sk;
};

/* include/linux/fs.h */
struct inode {
	unsigned long i_ino;
};

/* include/net/sock.h: what sk_socket points to is the `socket` of one of these. */
struct socket_alloc {
	struct inode vfs_inode;
};

struct sock_common {
	possible_net_t skc_net;
};

struct sock {
	struct sock_common __sk_common;
	struct socket *sk_socket;
};

/* include/net/xdp_sock.h */
struct xdp_sock {
	struct sock sk;
	struct net_device *dev;
	_Bool zc;
	enum {
		XSK_READY = 0,
		XSK_BOUND,
		XSK_UNBOUND,
	} state;
};

#pragma clang attribute pop

#endif
