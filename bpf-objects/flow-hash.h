/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A hash of a frame's flow, the same for both directions of it: IP addresses,
 * protocol, and the ports of TCP, UDP and SCTP; for anything else the MAC
 * addresses. Fragments of an IP packet go by the addresses alone, so that all
 * of them meet on one CPU; packets with IP options too, because the ports'
 * place then varies, which the verifier allows only with CAP_PERFMON. Up to
 * two VLAN tags are looked through.
 */
#ifndef XDPCTL_FLOW_HASH_H
#define XDPCTL_FLOW_HASH_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define VLAN_TAGS 2
#define IPV4_PLAIN_IHL 5 /* header length in 32-bit words, without options */
#define IPV4_MORE_FRAGMENTS 0x2000
#define IPV4_FRAGMENT_OFFSET 0x1fff

struct vlan_tag {
	__be16 control;
	__be16 ethertype; /* of what follows the tag */
};

struct ports {
	__be16 source;
	__be16 dest;
};

/* One word into the hash, every bit of it into every bit: the finalizer of MurmurHash3. */
static __always_inline __u32 mix(__u32 hash, __u32 word)
{
	hash ^= word;
	hash ^= hash >> 16;
	hash *= 0x85ebca6b;
	hash ^= hash >> 13;
	hash *= 0xc2b2ae35;
	hash ^= hash >> 16;
	return hash;
}

/* Two ends of a flow into the hash, whichever of them is the sender. */
static __always_inline __u32 mix_ends(__u32 hash, __u32 one, __u32 other)
{
	return mix(mix(hash, one + other), one ^ other);
}

static __always_inline __u32 mix_ports(__u32 hash, __u8 protocol, struct ports *ports, void *data_end)
{
	hash = mix(hash, protocol);
	if (protocol != IPPROTO_TCP && protocol != IPPROTO_UDP && protocol != IPPROTO_SCTP)
		return hash;
	if ((void *)(ports + 1) > data_end)
		return hash;
	return mix_ends(hash, ports->source, ports->dest);
}

static __always_inline __u32 ipv4_hash(struct iphdr *ip, void *data_end)
{
	__u32 hash = mix_ends(0, ip->saddr, ip->daddr);

	if (ip->ihl > IPV4_PLAIN_IHL || (ip->frag_off & bpf_htons(IPV4_MORE_FRAGMENTS | IPV4_FRAGMENT_OFFSET)))
		return mix(hash, ip->protocol);
	return mix_ports(hash, ip->protocol, (void *)(ip + 1), data_end);
}

static __always_inline __u32 ipv6_hash(struct ipv6hdr *ip, void *data_end)
{
	__u32 hash = 0;

	for (int word = 0; word < 4; word++)
		hash = mix_ends(hash, ip->saddr.in6_u.u6_addr32[word], ip->daddr.in6_u.u6_addr32[word]);
	return mix_ports(hash, ip->nexthdr, (void *)(ip + 1), data_end);
}

static __always_inline __u32 mac_hash(struct ethhdr *eth)
{
	__u16 *dest = (__u16 *)eth->h_dest;
	__u16 *source = (__u16 *)eth->h_source;
	__u32 hash = 0;

	for (int word = 0; word < ETH_ALEN / 2; word++)
		hash = mix_ends(hash, dest[word], source[word]);
	return hash;
}

static __always_inline __u32 flow_hash(struct xdp_md *ctx)
{
	void *data_end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = (void *)(long)ctx->data;
	void *next = eth + 1;
	__be16 ethertype;

	/* Never seen, a frame without a header. Not a constant, for which the verifier would want CAP_PERFMON. */
	if (next > data_end)
		return ctx->rx_queue_index;
	ethertype = eth->h_proto;
	for (int i = 0; i < VLAN_TAGS; i++) {
		struct vlan_tag *tag = next;

		if (ethertype != bpf_htons(ETH_P_8021Q) && ethertype != bpf_htons(ETH_P_8021AD))
			break;
		next = tag + 1;
		if (next > data_end)
			return mac_hash(eth);
		ethertype = tag->ethertype;
	}
	if (ethertype == bpf_htons(ETH_P_IP) && next + sizeof(struct iphdr) <= data_end)
		return ipv4_hash(next, data_end);
	if (ethertype == bpf_htons(ETH_P_IPV6) && next + sizeof(struct ipv6hdr) <= data_end)
		return ipv6_hash(next, data_end);
	return mac_hash(eth);
}

#endif
