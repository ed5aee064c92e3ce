import { describe, expect, it } from 'vitest';

import { largestFrame, xskRemedy } from '../../src/domain/xsk-remedy.ts';

const device = {
  ifindex: 2,
  ifname: 'a b',
  netns: { inode: 1, name: 'r', current: true, shell: false },
  up: true,
  mtu: 9000,
  ndoXmit: 'yes',
  ndoXmitSg: 'yes',
  progIds: [],
} as const;
const setup = { device, frames: 64, frameSize: 2048, rxSize: 8, fillSize: 16 };

describe('the remedy for a loss', () => {
  it.each([
    ['xsk-rx-ring-full', 2048, '--rx-size 16 instead of 8'],
    ['xsk-fill-ring-empty', 2048, '--frames 128 --fill-size 32'],
    ['xsk-frame-too-large', 2048, '--frame-size 4096 takes frames of 3840 bytes, 2048 of 1792'],
    ['xsk-frame-too-large', 4096, "ip netns exec r ip link set dev 'a b' mtu 3826"],
  ] as const)('%s with buffers of %i bytes', (code, frameSize, remedy) => {
    expect(xskRemedy({ code, count: 1 }, { ...setup, frameSize })).toContain(remedy);
  });

  it('knows how much of a buffer a frame gets', () => {
    expect([2048, 4096].map(largestFrame)).toEqual([1792, 3840]);
  });
});
