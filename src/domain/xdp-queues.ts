import type { LiveDevice } from './live-system.ts';

/**
 * Whether a device can have no program in native mode for want of queues: a veth needs as many to receive as its peer has
 * to transmit (veth_xdp_set, drivers/net/veth.c). For kernels before 6.3; later ones say so themselves.
 */
export function lacksXdpQueues({ kind, rxQueues, peer }: Pick<LiveDevice, 'kind' | 'rxQueues' | 'peer'>): boolean {
  return kind === 'veth' && rxQueues !== undefined && (peer?.txQueues ?? 0) > rxQueues;
}
