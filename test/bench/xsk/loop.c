// SPDX-License-Identifier: MIT
/*
 * The yardstick for `xsk bind`: a loop in C over an AF_XDP socket of libxdp, doing the same work.
 *
 *     loop DEV QUEUE PINNED_XSKMAP drop|echo busy|poll
 *
 * Prints `ready:` on stderr when the socket is in the map, and how many frames it took on stdout at SIGINT.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <bpf/bpf.h>
#include <xdp/xsk.h>

#define FRAMES 4096
#define FRAME_SIZE 2048
#define RING 2048
#define FILL 4096
#define BATCH 64

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

static void fail(const char *what, int error)
{
	fprintf(stderr, "error: %s: %s\n", what, strerror(error));
	exit(1);
}

static struct xsk_umem *umem;
static struct xsk_socket *xsk;
static struct xsk_ring_prod fill, tx;
static struct xsk_ring_cons completion, rx;
static char *memory;
static unsigned long frames;

static void swap_macs(char *frame)
{
	char mac[6];

	memcpy(mac, frame, 6);
	memcpy(frame, frame + 6, 6);
	memcpy(frame + 6, mac, 6);
}

/* Chunks of frames that have been sent go back to the fill ring. */
static void reap(void)
{
	__u32 from, to, count = xsk_ring_cons__peek(&completion, RING, &from);

	if (!count)
		return;
	while (xsk_ring_prod__reserve(&fill, count, &to) != count)
		;
	for (__u32 i = 0; i < count; i++)
		*xsk_ring_prod__fill_addr(&fill, to + i) =
			*xsk_ring_cons__comp_addr(&completion, from + i) & ~(__u64)(FRAME_SIZE - 1);
	xsk_ring_prod__submit(&fill, count);
	xsk_ring_cons__release(&completion, count);
}

static __u32 unsent(void)
{
	return *tx.producer - __atomic_load_n(tx.consumer, __ATOMIC_ACQUIRE);
}

/* As long as the kernel takes some: a call takes some dozens. */
static void transmit(void)
{
	for (__u32 waiting = unsent(); waiting && xsk_ring_prod__needs_wakeup(&tx);) {
		__u32 rest;

		sendto(xsk_socket__fd(xsk), NULL, 0, MSG_DONTWAIT, NULL, 0);
		rest = unsent();
		if (rest == waiting)
			break;
		waiting = rest;
	}
	reap();
}

static __u32 step_drop(void)
{
	__u32 from, to, count = xsk_ring_cons__peek(&rx, BATCH, &from);
	static unsigned long bytes;

	if (!count)
		return 0;
	while (xsk_ring_prod__reserve(&fill, count, &to) != count)
		;
	for (__u32 i = 0; i < count; i++) {
		const struct xdp_desc *desc = xsk_ring_cons__rx_desc(&rx, from + i);

		bytes += desc->len;
		*xsk_ring_prod__fill_addr(&fill, to + i) = desc->addr & ~(__u64)(FRAME_SIZE - 1);
	}
	xsk_ring_prod__submit(&fill, count);
	xsk_ring_cons__release(&rx, count);
	frames += count;
	return count;
}

static __u32 step_echo(void)
{
	__u32 from, to = 0, count, room;

	transmit();
	room = xsk_prod_nb_free(&tx, BATCH);
	count = xsk_ring_cons__peek(&rx, room < BATCH ? room : BATCH, &from);
	if (!count)
		return 0;
	xsk_ring_prod__reserve(&tx, count, &to);
	for (__u32 i = 0; i < count; i++) {
		const struct xdp_desc *desc = xsk_ring_cons__rx_desc(&rx, from + i);
		struct xdp_desc *out = xsk_ring_prod__tx_desc(&tx, to + i);

		swap_macs(memory + desc->addr);
		out->addr = desc->addr;
		out->len = desc->len;
		out->options = 0;
	}
	xsk_ring_prod__submit(&tx, count);
	xsk_ring_cons__release(&rx, count);
	frames += count;
	transmit();
	return count;
}

int main(int argc, char **argv)
{
	struct xsk_umem_config umem_config = {
		.fill_size = FILL, .comp_size = RING, .frame_size = FRAME_SIZE,
	};
	struct xsk_socket_config config = {
		.rx_size = RING, .tx_size = RING,
		.libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD,
		.bind_flags = XDP_USE_NEED_WAKEUP,
	};
	struct pollfd pollfd;
	int map, error;
	bool echo, busy;
	__u32 to = 0;

	if (argc != 6) {
		fprintf(stderr, "usage: loop DEV QUEUE PINNED_XSKMAP drop|echo busy|poll\n");
		return 2;
	}
	echo = !strcmp(argv[4], "echo");
	busy = !strcmp(argv[5], "busy");
	map = bpf_obj_get(argv[3]);
	if (map < 0)
		fail(argv[3], errno);
	memory = mmap(NULL, FRAMES * FRAME_SIZE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (memory == MAP_FAILED)
		fail("mmap", errno);
	error = xsk_umem__create(&umem, memory, FRAMES * FRAME_SIZE, &fill, &completion, &umem_config);
	if (error)
		fail("xsk_umem__create", -error);
	/* The queue may still be in the hands of the one who ran before. */
	for (int attempt = 0; attempt < 100; attempt++) {
		error = xsk_socket__create(&xsk, argv[1], atoi(argv[2]), umem, &rx, &tx, &config);
		if (error != -EBUSY)
			break;
		poll(NULL, 0, 10);
	}
	if (error)
		fail("xsk_socket__create", -error);
	xsk_ring_prod__reserve(&fill, FRAMES, &to);
	for (__u32 i = 0; i < FRAMES; i++)
		*xsk_ring_prod__fill_addr(&fill, to + i) = (__u64)i * FRAME_SIZE;
	xsk_ring_prod__submit(&fill, FRAMES);
	error = xsk_socket__update_xskmap(xsk, map);
	if (error)
		fail("xsk_socket__update_xskmap", -error);
	signal(SIGINT, stop);
	fprintf(stderr, "ready: %s\n", argv[1]);

	pollfd = (struct pollfd){ .fd = xsk_socket__fd(xsk), .events = POLLIN };
	while (!stopped) {
		if (!busy && poll(&pollfd, 1, 100) <= 0)
			continue;
		if (echo)
			step_echo();
		else
			step_drop();
	}
	printf("%lu\n", frames);
	xsk_socket__delete(xsk);
	xsk_umem__delete(umem);
	return 0;
}
