import { describe, expect, it } from 'vitest';

import { attachDangers, isHardware, type Neighbourhood } from '../../src/domain/attach-safety.ts';
import { canonicalIp, ipText } from '../../src/domain/ip-address.ts';

/** eth0 ← bond0 ← br0 ← vlan7; veth0 and veth1 are peers. */
const interfaces: Neighbourhood['interfaces'] = [
  { ifindex: 1, name: 'lo' },
  { ifindex: 2, name: 'eth0', master: 5 },
  { ifindex: 3, name: 'veth0', kind: 'veth', link: { ifindex: 4 } },
  { ifindex: 4, name: 'veth1', kind: 'veth', link: { ifindex: 3 } },
  { ifindex: 5, name: 'bond0', kind: 'bond', master: 6 },
  { ifindex: 6, name: 'br0', kind: 'bridge' },
  { ifindex: 7, name: 'vlan7', kind: 'vlan', link: { ifindex: 6 } },
  { ifindex: 8, name: 'eth1' },
  { ifindex: 9, name: 'mv0', kind: 'macvlan', link: { ifindex: 2, netnsId: 1 } },
];

function address(ifindex: number, bytes: number[], linkLocal = false): Neighbourhood['addresses'][number] {
  return { ifindex, bytes: Uint8Array.from(bytes), prefixLength: bytes.length === 4 ? 24 : 64, linkLocal };
}

function dangers(ifindex: number, more: Partial<Neighbourhood>, ssh?: string): ReturnType<typeof attachDangers> {
  return attachDangers(ifindex, { interfaces, addresses: [], defaultRoutes: new Set(), ...more }, () => ssh);
}

describe('what may go wrong', () => {
  it('is nothing where nobody depends on the device', () => {
    expect(dangers(8, { addresses: [address(2, [10, 0, 0, 1])], defaultRoutes: new Set([2]) }, '10.0.0.1')).toEqual({
      grave: [],
      remarks: [],
    });
  });

  it.each([
    [2, 'eth0 carries the default route'],
    [5, 'bond0, which gets its frames by eth0, carries the default route'],
    [6, 'br0, which gets its frames by eth0, carries the default route'],
    [7, 'vlan7, which gets its frames by eth0, carries the default route'],
  ])('is that the default route is lost, through interface %i', (route, message) => {
    expect(dangers(2, { defaultRoutes: new Set([route]) }).grave).toEqual([message]);
  });

  it('does not go down, to peers, or into other namespaces', () => {
    expect(dangers(6, { defaultRoutes: new Set([2, 5]) }).grave).toEqual([]);
    expect(dangers(3, { defaultRoutes: new Set([4]) }).grave).toEqual([]);
    expect(dangers(2, { defaultRoutes: new Set([9]) }).grave).toEqual([]);
  });

  it('is that the SSH connection is lost', () => {
    const addresses = [address(6, [10, 0, 0, 1]), address(8, [10, 0, 1, 1])];
    expect(dangers(2, { addresses }, '10.0.0.1').grave).toEqual([
      'br0, which gets its frames by eth0, has the address of your SSH connection, 10.0.0.1',
    ]);
    expect(dangers(2, { addresses }, '10.0.1.1').grave).toEqual([]);
  });

  it('is that addresses are no longer reached, but for those of the link alone', () => {
    const addresses = [
      address(2, [10, 0, 0, 1]),
      address(2, [0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], true),
      address(2, [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
    ];
    expect(dangers(2, { addresses }).remarks).toEqual([
      'eth0 has the address 10.0.0.1/24: what is redirected no longer reaches it',
      'eth0 has the address 2001:db8::1/64: what is redirected no longer reaches it',
    ]);
  });
});

describe('hardware', () => {
  it.each([
    [1, false],
    [2, true],
    [3, false],
    [8, true],
    [99, false],
  ])('interface %i: %s', (ifindex, hardware) => {
    expect(isHardware(ifindex, interfaces)).toBe(hardware);
  });
});

describe('an IP address', () => {
  it.each([
    ['10.0.0.1', '10.0.0.1'],
    ['2001:0DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['::1', '::1'],
    ['nonsense', 'nonsense'],
    ['no:address', 'no:address'],
  ])('%s has one form, %s', (text, canonical) => {
    expect(canonicalIp(text)).toBe(canonical);
  });

  it('is made of its bytes', () => {
    expect(ipText(Uint8Array.from([192, 0, 2, 255]))).toBe('192.0.2.255');
    expect(ipText(Uint8Array.from([0x20, 1, 0xd, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0xab, 0xcd]))).toBe(
      '2001:db8:1::abcd',
    );
    expect(ipText(new Uint8Array(16))).toBe('::');
  });
});
