import { release } from 'node:os';

import { KernelRefusal } from '../../domain/errors.ts';
import { kernelAtLeast, parseKernelVersion } from '../../domain/kernel-version.ts';
import { decodeU32 } from '../../domain/netlink-message.ts';
import { GenericNetlink } from '../generic-netlink.ts';

/** linux/netdev.h. */
const NETDEV_CMD_QUEUE_GET = 10;
const NETDEV_A_QUEUE_ID = 1;
const NETDEV_A_QUEUE_IFINDEX = 2;
const NETDEV_A_QUEUE_TYPE = 3;
const NETDEV_A_QUEUE_XSK = 7;
const NETDEV_QUEUE_TYPE_RX = 0;

/** A receive queue that the kernel says has an AF_XDP socket. */
export interface QueueWithSocket {
  readonly ifindex: number;
  readonly queue: number;
}

/**
 * The receive queues of the current network namespace that have AF_XDP sockets, whoever holds them; undefined where the
 * kernel does not tell (before 6.15).
 *
 * @throws KernelRefusal `genl netdev`
 */
export function queuesWithSockets(): QueueWithSocket[] | undefined {
  const kernel = parseKernelVersion(release());
  if (kernel === undefined || !kernelAtLeast(kernel, '6.15')) return undefined;
  using netdev = GenericNetlink.open('netdev');
  try {
    return netdev?.dump(NETDEV_CMD_QUEUE_GET).flatMap((queue) => {
      const [id, ifindex, type] = [NETDEV_A_QUEUE_ID, NETDEV_A_QUEUE_IFINDEX, NETDEV_A_QUEUE_TYPE].map((attribute) =>
        decodeU32(queue.get(attribute)),
      );
      if (id === undefined || ifindex === undefined || type !== NETDEV_QUEUE_TYPE_RX) return [];
      return queue.has(NETDEV_A_QUEUE_XSK) ? [{ ifindex, queue: id }] : [];
    });
  } catch (error) {
    if (error instanceof KernelRefusal) return undefined;
    throw error;
  }
}
