import type { LiveDevice } from './live-system.ts';

/** Why a device cannot have so many receive queues in use; undefined where it can, or might. */
export function tooManyRxQueues({ mostRxQueues }: Pick<LiveDevice, 'mostRxQueues'>, count: number): string | undefined {
  if (mostRxQueues === undefined || count <= mostRxQueues) return undefined;
  return `it was made with ${mostRxQueues}, and cannot have more`;
}

/**
 * Whether a device can have no program in native mode for want of queues: a veth needs as many to receive as its peer has
 * to transmit (veth_xdp_set, drivers/net/veth.c). For kernels before 6.3; later ones say so themselves.
 */
export function lacksXdpQueues({ kind, rxQueues, peer }: Pick<LiveDevice, 'kind' | 'rxQueues' | 'peer'>): boolean {
  return kind === 'veth' && rxQueues !== undefined && (peer?.txQueues ?? 0) > rxQueues;
}
