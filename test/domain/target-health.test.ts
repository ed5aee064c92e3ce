import { describe, expect, it } from 'vitest';

import type { LiveDevice } from '../../src/domain/live-system.ts';
import { targetProblems } from '../../src/domain/target-health.ts';
import { nic, r1 } from './support/router.ts';

const healthy: LiveDevice = {
  ...r1,
  ndoXmit: 'yes',
  ndoXmitSg: 'yes',
  nativeXdp: true,
  peer: { ...r1.peer!, gro: true, txQueues: 1 },
};

function veth(parts: Partial<LiveDevice>, peer: Partial<LiveDevice['peer']> = {}): LiveDevice {
  return { ...healthy, ...parts, peer: { ...healthy.peer!, ...peer } };
}

const noXmit = { ndoXmit: 'no', ndoXmitSg: 'no' } as const;

describe('targetProblems', () => {
  it('finds nothing wrong with a device that can receive', () => {
    expect(targetProblems(healthy)).toEqual([]);
    expect(targetProblems(healthy, { ingressMtu: 1500 })).toEqual([]);
    expect(targetProblems({ ...nic, ndoXmit: 'unknown', ndoXmitSg: 'unknown' })).toEqual([]);
  });

  it('tells a veth whose peer does not poll', () => {
    expect(targetProblems(veth(noXmit, { gro: false }))).toEqual([
      {
        code: 'target-no-xmit',
        certainty: 'certain',
        sentence:
          'r1 cannot transmit redirected frames: it is a veth, and its peer d0 (netns D) has neither GRO on nor an XDP program',
        fix: 'ip netns exec D ethtool -K d0 gro on',
      },
    ]);
  });

  it('has a program attached where GRO is not enough', () => {
    for (const gro of [true, false]) {
      expect(targetProblems(veth(noXmit, { gro, groPolls: false }))).toEqual([
        {
          code: 'target-no-xmit',
          certainty: 'certain',
          sentence:
            'r1 cannot transmit redirected frames: it is a veth, and its peer d0 (netns D) has no XDP program; before Linux 5.13 GRO is not enough',
          fix: 'xdpctl --netns D net attach xdpdrv builtin pass dev d0',
        },
      ]);
    }
  });

  it('does not tell people to switch on what is on', () => {
    const [problem] = targetProblems(veth(noXmit));
    expect(problem).toMatchObject({
      code: 'target-no-xmit',
      fix: 'ip netns exec D ethtool -K d0 gro off && ip netns exec D ethtool -K d0 gro on',
    });
    expect(problem!.sentence).toContain('has GRO on, but had it switched on while it was down');
  });

  it('sets a peer up before its GRO, which counts only then', () => {
    const [problem] = targetProblems(veth(noXmit, { gro: false, up: false }));
    expect(problem!.fix).toBe('ip netns exec D ip link set dev d0 up && ip netns exec D ethtool -K d0 gro on');
  });

  it('knows that queues can take XDP from a veth', () => {
    const few = veth({ ...noXmit, nativeXdp: false, rxQueues: 1 }, { txQueues: 2 });
    expect(targetProblems(few)).toEqual([
      {
        code: 'target-no-xmit',
        certainty: 'certain',
        sentence:
          'r1 cannot transmit redirected frames: it is a veth with 1 receive queue, fewer than its peer d0 (netns D) has transmit queues (2), and so has no XDP',
        fix: 'ip netns exec D ethtool -L d0 tx 1',
      },
    ]);
  });

  it('gives no command for a peer that cannot be reached', () => {
    const { netns: _, ...nowhere } = healthy.peer!;
    const [problem] = targetProblems({ ...healthy, ...noXmit, peer: nowhere });
    expect(problem).toMatchObject({ code: 'target-no-xmit' });
    expect(problem).not.toHaveProperty('fix');
  });

  it('gives hardware a program of its own, and other devices nothing', () => {
    expect(targetProblems(nic)).toMatchObject([
      { code: 'target-no-xmit', fix: 'xdpctl net attach xdpdrv builtin pass dev enp1s0' },
    ]);
    const [bridge] = targetProblems({ ...nic, ifname: 'br0', kind: 'bridge' });
    expect(bridge!.sentence).toContain('(bridge) never does');
    expect(bridge).not.toHaveProperty('fix');
  });

  it('does not mind the transmit operation in generic mode', () => {
    expect(targetProblems(nic, { mode: 'generic' })).toEqual([]);
    expect(targetProblems({ ...nic, up: false }, { mode: 'generic' })).toMatchObject([{ code: 'target-down' }]);
  });

  it('tells a device that is down from one without a carrier', () => {
    expect(targetProblems(veth({ up: false, carrier: false }))).toEqual([
      {
        code: 'target-down',
        certainty: 'certain',
        sentence: 'r1 is administratively down',
        fix: 'ip link set dev r1 up',
      },
    ]);
    expect(targetProblems(veth({ carrier: false }, { up: false }))).toEqual([
      {
        code: 'target-no-carrier',
        certainty: 'certain',
        sentence: 'r1 is a veth, and its peer d0 (netns D) is down',
        fix: 'ip netns exec D ip link set dev d0 up',
      },
    ]);
    const tap = { ...nic, ifname: 'tap0', kind: 'tun', carrier: false, ndoXmit: 'yes' } as const;
    expect(targetProblems(tap)).toMatchObject([{ code: 'target-no-carrier', certainty: 'certain' }]);
    expect(targetProblems({ ...nic, ndoXmit: 'yes', carrier: false })).toMatchObject([
      { code: 'target-no-carrier', certainty: 'likely' },
    ]);
  });

  it('names every reason at once', () => {
    const codes = targetProblems(veth({ ...noXmit, up: false }, { mtu: 1400 })).map(({ code }) => code);
    expect(codes).toEqual(['target-no-xmit', 'target-down', 'peer-mtu']);
  });

  it('compares MTUs as far as they are known', () => {
    expect(targetProblems(healthy, { ingressMtu: 9000 })).toEqual([
      {
        code: 'frame-exceeds-mtu',
        certainty: 'certain',
        sentence: 'r1 has an MTU of 1500, and frames of up to 9000 may come',
        fix: 'ip link set dev r1 mtu 9000 && ip netns exec D ip link set dev d0 mtu 9000',
      },
    ]);
    expect(targetProblems(veth({}, { mtu: 1400 }))).toEqual([
      {
        code: 'peer-mtu',
        certainty: 'certain',
        sentence: 'r1 is a veth with an MTU of 1500, and its peer d0 (netns D) has only 1400',
        fix: 'ip netns exec D ip link set dev d0 mtu 1500',
      },
    ]);
    expect(targetProblems(veth({}, { mtu: 1400 }), { ingressMtu: 1400 })).toEqual([]);
  });

  it('minds several buffers only where frames are long', () => {
    const tap = { ...nic, kind: 'tun', mtu: 9000, ndoXmit: 'yes', ndoXmitSg: 'no' } as const;
    expect(targetProblems(tap, { ingressMtu: 1500 })).toEqual([]);
    expect(targetProblems(tap, { ingressMtu: 9000 })).toMatchObject([{ code: 'target-no-sg', certainty: 'likely' }]);
  });

  it('quotes names for the shell', () => {
    expect(targetProblems({ ...nic, ndoXmit: 'yes', ifname: '$(id)', up: false })).toMatchObject([
      { fix: "ip link set dev '$(id)' up" },
    ]);
  });
});
