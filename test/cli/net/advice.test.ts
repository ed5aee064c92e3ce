import { describe, expect, it } from 'vitest';

import { adviceFor } from '../../../src/cli/net/advice.ts';
import type { LiveDevice } from '../../../src/domain/live-system.ts';
import type { XdpFeatures } from '../../../src/kernel/netdev-features.ts';

const device: LiveDevice = {
  ifindex: 2,
  ifname: 'eth0',
  netns: { inode: 1, current: true },
  up: true,
  mtu: 1500,
  ndoXmit: 'yes',
  ndoXmitSg: 'yes',
  progIds: [],
};
const all: XdpFeatures = {
  basic: true,
  redirect: true,
  ndoXmit: true,
  zeroCopy: true,
  offload: false,
  rxSg: true,
  ndoXmitSg: true,
};

describe('adviceFor', () => {
  it('has nothing to say of a device that can do all', () => {
    expect(adviceFor(device, all)).toEqual([]);
  });

  it('says nothing of what the kernel does not tell', () => {
    expect(adviceFor({ ...device, ndoXmit: 'unknown', ndoXmitSg: 'unknown' }, undefined)).toEqual([]);
  });

  it('attaches a program to a card that transmits only then', () => {
    expect(
      adviceFor({ ...device, ndoXmit: 'no', ndoXmitSg: 'no' }, { ...all, ndoXmit: false, ndoXmitSg: false }),
    ).toEqual([
      {
        feature: 'ndo_xmit',
        reason: expect.stringContaining('only while an XDP program is attached') as string,
        fix: expect.stringContaining('dev eth0') as string,
      },
    ]);
  });

  it('leads to the namespace of the device', () => {
    const netns = { inode: 1, name: 'router', current: true, shell: false };
    expect(adviceFor({ ...device, netns }, { ...all, zeroCopy: false })[0]?.fix).toBe(
      'xdpctl --netns router xsk bind eth0 --queue N --attach --copy',
    );
  });

  it.each([
    [{}, { zeroCopy: false }, 'xsk_zerocopy', 'xdpctl xsk bind eth0 --queue N --attach --copy'],
    [{ kind: 'bridge', nativeXdp: false }, { basic: false }, 'basic', 'xdpctl net attach xdpgeneric PROG dev eth0'],
    [{ ndoXmitSg: 'no' }, { ndoXmitSg: false }, 'ndo_xmit_sg', undefined],
  ] as const)('%j and %j: what to do about %s', (part, features, feature, fix) => {
    const [advice, ...others] = adviceFor({ ...device, ...part }, { ...all, ...features });
    expect(advice).toMatchObject({ feature });
    expect(advice?.fix).toBe(fix);
    expect(others).toEqual([]);
  });
});
