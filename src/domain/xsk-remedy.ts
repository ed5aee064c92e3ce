import { setMtu } from './ledger/fixes.ts';
import type { LiveDevice } from './live-system.ts';
import type { XskLoss } from './xsk-statistics.ts';

/** How a socket of ours was made, as far as that decides what it loses. */
export interface XskSetup {
  readonly device: LiveDevice;
  readonly frames: number;
  readonly frameSize: number;
  readonly rxSize: number;
  readonly fillSize: number;
}

/** A chunk is at most a page: xdp_umem_reg (net/xdp/xdp_umem.c). */
const LARGEST_CHUNK = 4096;
/** Bytes of a chunk that no frame gets (XDP_PACKET_HEADROOM, linux/bpf.h). */
const XDP_PACKET_HEADROOM = 256;
/** sizeof(struct ethhdr), which the MTU does not count. */
const ETH_HLEN = 14;

/** The largest frame that fits into a chunk. */
export function largestFrame(frameSize: number): number {
  return frameSize - XDP_PACKET_HEADROOM;
}

/** The largest frame that a device of this MTU is sent. */
export function largestThrough(mtu: number): number {
  return mtu + ETH_HLEN;
}

/** What to change about the next `xsk bind` so that this loss does not happen. */
export function xskRemedy({ code }: XskLoss, setup: XskSetup): string {
  const { frames, frameSize, rxSize, fillSize, device } = setup;
  switch (code) {
    case 'xsk-rx-ring-full':
      return `a larger RX ring: --rx-size ${2 * rxSize} instead of ${rxSize}; or fewer frames: this process takes them as fast as it can`;
    case 'xsk-fill-ring-empty':
      return `more frames and a larger fill ring: --frames ${2 * frames} --fill-size ${2 * fillSize} instead of ${frames} and ${fillSize}`;
    case 'xsk-frame-too-large':
      return frameSize < LARGEST_CHUNK
        ? `larger buffers: --frame-size ${LARGEST_CHUNK} takes frames of ${largestFrame(LARGEST_CHUNK)} bytes, ${frameSize} of ${largestFrame(frameSize)}${
            largestThrough(device.mtu) > largestFrame(LARGEST_CHUNK) ? `; for larger ones ${smallerMtu(device)}` : ''
          }`
        : smallerMtu(device);
    case 'xsk-unbound':
    case 'xsk-wrong-queue':
      return 'bind the socket to the queue that the frames arrive at';
  }
}

function smallerMtu(device: LiveDevice): string {
  const mtu = largestFrame(LARGEST_CHUNK) - ETH_HLEN;
  return `a smaller MTU: ${setMtu(device, mtu) ?? mtu}`;
}
