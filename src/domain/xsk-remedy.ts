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

/** Bytes of a chunk that no frame gets (XDP_PACKET_HEADROOM, linux/bpf.h). */
const XDP_PACKET_HEADROOM = 256;
/** sizeof(struct ethhdr), which the MTU does not count. */
const ETH_HLEN = 14;

/** The largest frame that fits into a chunk. */
export function largestFrame(frameSize: number): number {
  return frameSize - XDP_PACKET_HEADROOM;
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
      return frameSize < 4096
        ? `larger frames: --frame-size 4096 takes ${largestFrame(4096)} bytes, ${frameSize} takes ${largestFrame(frameSize)}`
        : `a smaller MTU: ${setMtu(device, largestFrame(frameSize) - ETH_HLEN)}`;
    case 'xsk-unbound':
    case 'xsk-wrong-queue':
      return 'bind the socket to the queue that the frames arrive at';
  }
}
