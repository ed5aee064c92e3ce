import { describe, expect, it } from 'vitest';

import { guessNdoXmit } from '../../src/domain/ndo-xmit.ts';

describe('guessNdoXmit', () => {
  const veth = { ifname: 'r1', kind: 'veth', nativeProgram: false };

  it('knows that a veth transmits while its peer has GRO or a program', () => {
    expect(guessNdoXmit({ ...veth, peer: { gro: false, hasXdp: false } })).toBe('no');
    expect(guessNdoXmit({ ...veth, peer: { gro: true, hasXdp: false } })).toBe('yes');
    expect(guessNdoXmit({ ...veth, peer: { gro: false, hasXdp: true } })).toBe('yes');
    expect(guessNdoXmit({ ...veth, peer: { hasXdp: false } })).toBe('unknown');
    expect(guessNdoXmit(veth)).toBe('unknown');
  });

  it('knows that GRO alone does nothing for a veth before Linux 5.13', () => {
    const peer = { groPolls: false } as const;
    expect(guessNdoXmit({ ...veth, peer: { ...peer, gro: true, hasXdp: false } })).toBe('no');
    expect(guessNdoXmit({ ...veth, peer: { ...peer, gro: true, hasXdp: true } })).toBe('yes');
    expect(guessNdoXmit({ ...veth, peer: { ...peer, gro: true } })).toBe('unknown');
  });

  it('knows what never transmits, and what always does', () => {
    expect(guessNdoXmit({ ifname: 'lo', nativeProgram: false })).toBe('no');
    expect(guessNdoXmit({ ifname: 'br0', kind: 'bridge', nativeProgram: false })).toBe('no');
    expect(guessNdoXmit({ ifname: 'mv0', kind: 'macvlan', nativeProgram: true })).toBe('no');
    expect(guessNdoXmit({ ifname: 'tap0', kind: 'tun', nativeProgram: false })).toBe('yes');
  });

  it('knows little of hardware without a program', () => {
    expect(guessNdoXmit({ ifname: 'eth0', nativeProgram: false })).toBe('unknown');
    expect(guessNdoXmit({ ifname: 'eth0', nativeProgram: true })).toBe('yes');
  });
});
