import { describe, expect, it } from 'vitest';

import type { DropCounter } from '../../src/domain/drop-counter.ts';
import { findingsOf, totalOf } from '../../src/domain/ledger.ts';
import type { LiveSystem } from '../../src/domain/live-system.ts';
import { devmap, netns, nic, program, r0, r1, router } from './support/router.ts';

/** Counters as bpftrace and perf gave them on Linux 6.18, one for each way to lose frames. */
const redirectError: DropCounter = {
  event: 'xdp_redirect_err',
  count: 5,
  fromIfindex: 20_101,
  progId: 116,
  mapId: 33,
  mapIndex: 0,
  toIfindex: 20_102,
  errno: 95,
};
const aborted: DropCounter = { event: 'xdp_exception', count: 5, fromIfindex: 20_101, progId: 116, action: 0 };
const refused: DropCounter = {
  event: 'xdp_devmap_xmit',
  field: 'drops',
  count: 5,
  fromIfindex: 20_101,
  toIfindex: 20_102,
  errno: 6,
};
const withoutMap: DropCounter = { ...redirectError, mapId: 2_147_483_647, mapIndex: 0, toIfindex: 0, errno: 22 };

function only(counter: DropCounter, system: LiveSystem = router()) {
  const findings = findingsOf([counter], system);
  expect(findings).toHaveLength(1);
  return findings[0]!;
}

function socketError(errno: number): DropCounter {
  return { ...redirectError, mapId: 36, mapIndex: 2, toIfindex: 0, errno };
}

/** The router, with d0 in a namespace that is known in another way. */
function peerIn(place: object): LiveSystem {
  const peer = { ...r1.peer!, netns: { inode: 3, current: false, ...place } };
  return router({ devices: [r0, { ...r1, peer }] });
}

describe('a target that cannot transmit', () => {
  it('names the veth peer, its namespace, and the command', () => {
    expect(only(redirectError)).toEqual({
      code: 'target-no-xmit',
      certainty: 'certain',
      count: 5,
      event: 'xdp_redirect_err',
      errno: 95,
      errnoName: 'EOPNOTSUPP',
      from: { ifindex: 20_101, ifname: 'r0' },
      to: { ifindex: 20_102, ifname: 'r1' },
      prog: { id: 116, name: 'r_dev', role: 'ingress' },
      map: { id: 33, name: 'dev' },
      key: 0,
      explanation:
        'r1 could not transmit redirected frames: it is a veth, and its peer d0 (netns D) has neither GRO on nor an XDP program',
      fix: 'ip netns exec D ethtool -K d0 gro on',
    });
  });

  it('enters a namespace without a name by its path or a process', () => {
    expect(only(redirectError, peerIn({ pid: 77 })).fix).toBe('nsenter --net=/proc/77/ns/net ethtool -K d0 gro on');
    expect(only(redirectError, peerIn({ path: '/my/ns' })).fix).toBe('nsenter --net=/my/ns ethtool -K d0 gro on');
    expect(only(redirectError, peerIn({}))).not.toHaveProperty('fix');
    expect(only(redirectError, peerIn({ current: true })).fix).toBe('ethtool -K d0 gro on');
  });

  it('is not described when it is not known', () => {
    const { explanation, certainty } = only(redirectError, router({ devices: [r0] }));
    expect(certainty).toBe('likely');
    expect(explanation).toBe(
      'ifindex 20102 could not transmit redirected frames: why cannot be told, because it is gone or may not be looked at',
    );
  });

  it('quotes an interface that is called like a command', () => {
    const system = router({ devices: [r0, { ...r1, peer: { ...r1.peer!, ifname: '$(id);x' } }] });
    expect(only(redirectError, system).fix).toBe("ip netns exec D ethtool -K '$(id);x' gro on");
  });

  it('is likely when the target can transmit by now, and there is nothing left to type', () => {
    const system = router({ devices: [r0, { ...r1, ndoXmit: 'yes', ndoXmitSg: 'yes' }] });
    expect(only(redirectError, system)).toMatchObject({ code: 'target-no-xmit', certainty: 'likely' });
    expect(only(redirectError, system)).not.toHaveProperty('fix');
    expect(only(redirectError, system).explanation).toContain('it can now');
  });

  it('may be a jumbo frame where the target lacks only NDO_XMIT_SG', () => {
    const system = router({ devices: [r0, { ...r1, kind: 'tun', ndoXmit: 'yes', ndoXmitSg: 'no' }] });
    expect(only(redirectError, system)).toMatchObject({ code: 'target-no-sg', certainty: 'likely' });
  });

  it('asks hardware for an XDP program of its own', () => {
    const system = router({ devices: [r0, nic] });
    expect(only({ ...redirectError, toIfindex: 4 }, system).fix).toBe(
      'xdpctl net attach xdpdrv builtin pass dev enp1s0',
    );
  });

  it('has no command for devices that never transmit redirected frames', () => {
    const system = router({ devices: [r0, { ...r1, kind: 'bridge' }] });
    expect(only(redirectError, system)).toMatchObject({ code: 'target-no-xmit', certainty: 'certain' });
    expect(only(redirectError, system)).not.toHaveProperty('fix');
  });

  it('shows itself as ENXIO of the driver before 6.3, which has no features to look at', () => {
    const unknown = { ndoXmit: 'unknown', ndoXmitSg: 'unknown' } as const;
    const old = (parts: object): LiveSystem =>
      router({
        kernel: { major: 6, minor: 1 },
        devices: [r0, { ...r1, ...unknown, ...parts }, { ...nic, ...unknown }],
      });
    expect(only(refused, old({}))).toMatchObject({
      code: 'target-no-xmit',
      certainty: 'likely',
      fix: 'ip netns exec D ethtool -K d0 gro on',
    });
    expect(only(refused, old({ peer: { ...r1.peer!, up: false } }))).toMatchObject({ code: 'target-no-carrier' });
    expect(only({ ...refused, toIfindex: 4 }, old({}))).toMatchObject({ code: 'target-no-xmit' });
    expect(only(refused, router())).toMatchObject({ code: 'target-no-carrier' });
  });
});

describe('a target that is down, too small, or has no carrier', () => {
  it('is set up', () => {
    const system = router({ devices: [r0, { ...r1, up: false }] });
    expect(only({ ...redirectError, errno: 100 }, system)).toMatchObject({
      code: 'target-down',
      certainty: 'certain',
      errnoName: 'ENETDOWN',
      fix: 'ip link set dev r1 up',
    });
    expect(only({ ...redirectError, errno: 100 })).not.toHaveProperty('fix');
  });

  it('gets the MTU of the device the frames come in by, and so does its peer', () => {
    const system = router({ devices: [{ ...r0, mtu: 3000 }, r1] });
    expect(only({ ...redirectError, errno: 90 }, system)).toMatchObject({
      code: 'frame-exceeds-mtu',
      certainty: 'certain',
      fix: 'ip link set dev r1 mtu 3000 && ip netns exec D ip link set dev d0 mtu 3000',
    });
    expect(only({ ...redirectError, errno: 90 }, system).explanation).toContain('at most 1518 bytes');
  });

  it('has a peer that is down', () => {
    const system = router({ devices: [r0, { ...r1, carrier: false, peer: { ...r1.peer!, up: false } }] });
    expect(only(refused, system)).toMatchObject({
      code: 'target-no-carrier',
      certainty: 'certain',
      errnoName: 'ENXIO',
      fix: 'ip netns exec D ip link set dev d0 up',
    });
  });

  it('has fewer transmit queues than the machine has CPUs', () => {
    const system = router({ devices: [r0, nic], cpus: 8 });
    expect(only({ ...refused, toIfindex: 4 }, system)).toMatchObject({
      code: 'target-no-carrier',
      certainty: 'likely',
      fix: 'ethtool -L enp1s0 combined 8',
    });
  });

  it('has a veth peer with a smaller MTU', () => {
    const system = router({ devices: [r0, { ...r1, peer: { ...r1.peer!, mtu: 1000 } }] });
    const finding = only({ ...refused, errno: 0 }, system);
    expect(finding).toMatchObject({
      code: 'peer-mtu',
      certainty: 'likely',
      fix: 'ip netns exec D ip link set dev d0 mtu 1500',
    });
    expect(finding).not.toHaveProperty('errno');
  });

  it('has a full transmit ring', () => {
    expect(only({ ...refused, errno: 0 })).toMatchObject({ code: 'tx-ring-full', certainty: 'likely' });
    const system = router({ devices: [r0, nic] });
    expect(only({ ...refused, errno: 28, toIfindex: 4 }, system)).toMatchObject({
      code: 'tx-ring-full',
      fix: 'ethtool -G enp1s0 tx 4096',
    });
  });
});

describe('a broadcast in generic mode that ends at a member', () => {
  /** As Linux 6.18 tells of it: the key is what the program gave, here the ingress device, and is in no map. */
  const broken: DropCounter = { ...redirectError, mapIndex: 20_101, toIfindex: 0, errno: 100 };
  const r2 = { ...r1, ifindex: 20_104, ifname: 'r2' };
  const group = {
    ...devmap,
    entries: [
      { key: 0, ifindex: 20_102 },
      { key: 1, ifindex: 20_104 },
    ],
  };
  const withTargets = (one: object, other: object = {}): LiveSystem =>
    router({
      devices: [
        { ...r0, xdpMode: 'generic' },
        { ...r1, ...one },
        { ...r2, ...other },
      ],
      maps: [group],
    });

  it('names the one that is down', () => {
    expect(only(broken, withTargets({}, { up: false }))).toMatchObject({
      code: 'target-down',
      certainty: 'certain',
      to: { ifindex: 20_104, ifname: 'r2' },
      map: { id: 33 },
      key: 1,
      explanation: 'r2 is administratively down',
      fix: 'ip link set dev r2 up',
    });
  });

  it('names the one that is too small', () => {
    expect(only({ ...broken, errno: 90 }, withTargets({ mtu: 600 }))).toMatchObject({
      code: 'frame-exceeds-mtu',
      certainty: 'certain',
      to: { ifindex: 20_102, ifname: 'r1' },
      key: 0,
      explanation: expect.stringContaining('r1 has an MTU of 600'),
      fix: expect.stringContaining('ip link set dev r1 mtu 1500'),
    });
  });

  it.each([
    [
      'several are down',
      100,
      withTargets({ up: false }, { up: false }),
      /^r1 is admin.*; r2 is admin.*: in generic mode/,
    ],
    ['none is down now', 100, withTargets({}), /^a member of the devmap dev was administratively down: in generic/],
    ['none is smaller', 90, withTargets({}), /^frames are longer than the MTU of a member of the devmap dev allows/],
    ['the map is not known', 100, router({ maps: [] }), /^a member of map 33 was/],
    ['no memory is left', 12, withTargets({}), /no memory for a copy/],
  ])('names neither a target nor a key where %s', (_title, errno, system, explanation) => {
    const finding = only({ ...broken, errno }, system);
    expect(finding).toMatchObject({ certainty: 'likely', map: { id: 33 } });
    expect(finding.explanation).toMatch(explanation);
    expect(finding).not.toHaveProperty('to');
    expect(finding).not.toHaveProperty('key');
  });

  it('is not taken for that of a target at the key that the program gave', () => {
    const named = { ...broken, mapIndex: 0, toIfindex: 20_102 };
    const system = withTargets({}, { up: false });
    const ours = { ...program, broadcast: { excludeIngress: false } };
    const place = { code: 'target-down', to: { ifname: 'r2' }, key: 1 };
    expect(only(named, { ...system, programs: new Map([[116, ours]]) })).toMatchObject({
      ...place,
      certainty: 'certain',
    });
    expect(only(named, system)).toMatchObject({ ...place, certainty: 'likely' });
    // The target itself is down: nothing speaks for a broadcast.
    expect(only(named, withTargets({ up: false }))).toMatchObject({
      to: { ifname: 'r1' },
      key: 0,
      certainty: 'certain',
    });
  });

  it('proposes to mend all that fit', () => {
    const { fix } = only(broken, withTargets({ up: false }, { up: false }));
    expect(fix).toBe('ip link set dev r1 up && ip link set dev r2 up');
  });

  it('is likely that of a known member where another one is not known', () => {
    const system = router({ devices: [r0, { ...r1, up: false }], maps: [group] });
    expect(only(broken, system)).toMatchObject({ certainty: 'likely', to: { ifname: 'r1' }, key: 0 });
  });

  it('was that of the only member, though it is up now', () => {
    expect(only(broken)).toMatchObject({ certainty: 'certain', to: { ifname: 'r1' }, key: 0 });
  });

  it('is not that of the device it came from, where the program leaves it out', () => {
    const entries = [{ key: 0, ifindex: 20_101 }, ...devmap.entries!];
    const excluding = { ...program, broadcast: { excludeIngress: true } };
    const system = router({
      programs: [excluding],
      maps: [{ ...devmap, entries: [...entries, { key: 5, ifindex: 20_104 }] }],
    });
    expect(only({ ...broken, errno: 90 }, { ...system, devices: [{ ...r0, mtu: 600 }, r1, r2] })).toMatchObject({
      certainty: 'likely',
    });
  });
});

describe('a missed look-up', () => {
  it('is likely where a program of others uses an empty map, and names map and command', () => {
    const system = router({ maps: [{ ...devmap, entries: [], maxEntries: 1, pinned: ['/sys/fs/bpf/a b'] }] });
    expect(only(aborted, system)).toMatchObject({
      code: 'map-miss',
      certainty: 'likely',
      map: { id: 33, name: 'dev', pinned: ['/sys/fs/bpf/a b'] },
      key: 0,
      fix: "xdpctl map update pinned '/sys/fs/bpf/a b' key 0 value dev DEV",
    });
  });

  it('does not invent a key when several slots are empty', () => {
    const system = router({ maps: [{ ...devmap, entries: [] }] });
    expect(only(aborted, system)).not.toHaveProperty('key');
    expect(only(aborted, system).fix).toBe('xdpctl map update id 33 key KEY value dev DEV');
  });

  it('is certain for a program of ours, which looks up the ingress device', () => {
    const hash = { ...devmap, type: 'devmap_hash', maxEntries: 32, entries: [{ key: 7, ifindex: 20_102 }] };
    const system = router({ programs: [{ ...program, keySource: 'ingress' }], maps: [hash] });
    expect(only(aborted, system)).toMatchObject({
      code: 'map-miss',
      certainty: 'certain',
      key: 20_101,
      fix: 'xdpctl map update id 33 key 20101 value dev DEV',
    });
    const foreign = router({ maps: [hash] });
    expect(only(aborted, foreign)).toMatchObject({ code: 'map-miss', certainty: 'likely', key: 20_101 });
  });

  it('resolves the target in the namespace of the device', () => {
    const hash = { ...devmap, type: 'devmap_hash', entries: [] };
    const system = router({ devices: [{ ...r0, netns: netns.s }, r1], maps: [hash] });
    expect(only(aborted, system)).toMatchObject({
      from: { ifname: 'r0', netns: 'S' },
      fix: 'xdpctl --netns S map update id 33 key 20101 value dev DEV',
    });
  });

  it('proposes a socket for an xskmap and a queue for a cpumap', () => {
    const xskmap = { id: 36, type: 'xskmap', maxEntries: 1, pinned: [], entries: [] };
    const xsk = router({ programs: [{ ...program, mapIds: [36] }], maps: [xskmap] });
    expect(only(aborted, xsk).fix).toBe('xdpctl xsk bind r0 --queue 0 --map id:36');
    const cpumap = { id: 35, type: 'cpumap', maxEntries: 2, pinned: [], entries: [{ key: 0, qsize: 8 }] };
    const cpu = router({ programs: [{ ...program, mapIds: [35] }], maps: [cpumap] });
    expect(only(aborted, cpu).fix).toBe('xdpctl map update id 35 key 1 value qsize 2048');
  });

  it("is the program's own doing when it uses no redirect map", () => {
    const system = router({ programs: [{ ...program, mapIds: [] }] });
    expect(only(aborted, system)).toMatchObject({ code: 'program-aborted', certainty: 'certain' });
    expect(only(aborted, system)).not.toHaveProperty('fix');
  });

  it('cannot be told when every slot is filled, or the program is gone', () => {
    expect(only(aborted, router({ maps: [{ ...devmap, maxEntries: 1 }] }))).toMatchObject({
      code: 'program-aborted',
      certainty: 'likely',
    });
    expect(only(aborted, router({ programs: [] }))).toMatchObject({ code: 'program-aborted', certainty: 'likely' });
  });
});

describe('a program that does it wrong', () => {
  it('returns no action', () => {
    expect(only({ ...aborted, action: 42 })).toMatchObject({ code: 'unknown-action', certainty: 'certain' });
  });

  it('returns XDP_REDIRECT without a helper call', () => {
    expect(only({ ...redirectError, mapId: 0, toIfindex: 0, errno: 56 })).toMatchObject({
      code: 'no-redirect-call',
      certainty: 'certain',
      errnoName: 'EBADRQC',
    });
  });

  it('ignores that its look-up failed', () => {
    const finding = only(withoutMap);
    expect(finding).toMatchObject({ code: 'stale-target', certainty: 'certain' });
    expect(finding).not.toHaveProperty('map');
    expect(finding).not.toHaveProperty('to');
  });

  it('redirects to an interface that is not there', () => {
    const system = router({ programs: [{ ...program, mapIds: [] }] });
    expect(only({ ...withoutMap, toIfindex: 999_999 }, system)).toMatchObject({
      code: 'no-such-interface',
      certainty: 'certain',
      to: { ifindex: 999_999 },
    });
    expect(only({ ...withoutMap, toIfindex: 999_999 })).toMatchObject({
      certainty: 'likely',
      explanation: expect.stringMatching(/to ifindex 999999, .*; or its look-up failed, .* an earlier redirect left/),
    });
  });

  it('leaves no headroom', () => {
    expect(only({ ...redirectError, errno: 75 })).toMatchObject({ code: 'no-headroom', certainty: 'certain' });
  });

  it('sits in a devmap entry and drops, or returns what is not allowed there', () => {
    const egress = { id: 200, name: 'filter', mapIds: [] };
    const map = { ...devmap, entries: [{ key: 3, ifindex: 20_102, progId: 200 }] };
    const system = router({ programs: [program, egress], maps: [map] });
    expect(only({ ...refused, errno: 0 }, system)).toMatchObject({
      code: 'egress-program-drop',
      certainty: 'likely',
      map: { id: 33 },
      key: 3,
    });
    const bad: DropCounter = { event: 'xdp_exception', count: 5, fromIfindex: 20_102, progId: 200, action: 3 };
    expect(findingsOf([bad, { ...refused, errno: 0, count: 8 }], system)).toMatchObject([
      { code: 'egress-program-bad-action', count: 5, to: { ifname: 'r1' }, prog: { name: 'filter' }, key: 3 },
      { code: 'egress-program-drop', count: 3 },
    ]);
    expect(findingsOf([bad], system)[0]).not.toHaveProperty('from');
  });
});

describe('cpumaps', () => {
  const cpumap = {
    id: 35,
    name: 'cpu',
    type: 'cpumap',
    maxEntries: 2,
    pinned: [],
    entries: [{ key: 1, qsize: 64, progId: 300 }],
  };
  const system = router({
    programs: [
      { ...program, mapIds: [35] },
      { id: 300, name: 'sorter', mapIds: [33] },
    ],
    maps: [cpumap, devmap],
  });
  const enqueue: DropCounter = { event: 'xdp_cpumap_enqueue', field: 'drops', count: 40, mapId: 35, cpu: 0, toCpu: 1 };

  it('had a full queue: a longer one keeps the program', () => {
    expect(only(enqueue, system)).toMatchObject({
      code: 'cpumap-full',
      certainty: 'certain',
      map: { id: 35, name: 'cpu' },
      key: 1,
      cpu: 1,
      fix: 'xdpctl map update id 35 key 1 value qsize 2048 prog id 300',
    });
  });

  it('counts the same loss on several CPUs as one finding', () => {
    expect(findingsOf([enqueue, { ...enqueue, cpu: 1, count: 2 }], system)).toMatchObject([{ count: 42 }]);
  });

  it('counts generic frames once, with the device they came from', () => {
    const generic: DropCounter = { ...redirectError, mapId: 35, mapIndex: 1, toIfindex: 0, errno: 28, count: 30 };
    expect(findingsOf([enqueue, generic], system)).toMatchObject([
      { code: 'cpumap-full', count: 30, event: 'xdp_redirect_err', from: { ifname: 'r0' } },
      { code: 'cpumap-full', count: 10, event: 'xdp_cpumap_enqueue' },
    ]);
  });

  it('counts generic frames once also where maps cannot be looked at', () => {
    const generic: DropCounter = { ...redirectError, mapId: 35, mapIndex: 1, toIfindex: 0, errno: 28, count: 40 };
    const blindly = router({ programs: [], maps: [] });
    expect(findingsOf([enqueue, generic], blindly)).toMatchObject([
      { code: 'cpumap-full', certainty: 'certain', count: 40, map: { id: 35 }, key: 1 },
    ]);
    expect(only({ ...generic, mapIndex: 0 }, blindly).code).toBe('unknown');
  });

  it('tells the program in the entry from failing allocations', () => {
    const kthread: DropCounter = { event: 'xdp_cpumap_kthread', count: 9, mapId: 35, toCpu: 1 };
    expect(only({ ...kthread, field: 'xdp_drop' }, system)).toMatchObject({
      code: 'cpumap-program-drop',
      key: 1,
      cpu: 1,
    });
    expect(only({ ...kthread, field: 'xdp_drop' }, system).explanation).toContain('sorter');
    expect(only({ ...kthread, field: 'drops' }, system)).toMatchObject({ code: 'cpumap-alloc-failed' });
  });

  it('knows the CPU whose program returned an illegal action, where the kernel reports that by itself', () => {
    const thrown: DropCounter = { event: 'xdp_exception', count: 9, fromIfindex: 20_101, progId: 300, action: 0 };
    const expected = { code: 'cpumap-program-drop', certainty: 'certain', count: 9, map: { id: 35 } };
    expect(only(thrown, system)).toMatchObject({ ...expected, key: 1, cpu: 1 });
    const both = cpumap.entries.map((entry) => ({ ...entry, progId: 300 }));
    const entries = [...both, { key: 7, qsize: 8, progId: 300 }];
    const finding = only(thrown, { ...system, maps: new Map([[35, { ...cpumap, entries }]]) });
    expect(finding).toMatchObject(expected);
    expect(finding).not.toHaveProperty('key');
  });

  it('reports a failed redirect of that program under its own cause, once', () => {
    const kthread: DropCounter = { event: 'xdp_cpumap_kthread', field: 'xdp_drop', count: 5, mapId: 35, toCpu: 1 };
    expect(findingsOf([kthread, { ...redirectError, progId: 300 }], system)).toMatchObject([
      { code: 'target-no-xmit', count: 5, prog: { name: 'sorter', role: 'cpumap' } },
    ]);
  });
});

describe('AF_XDP sockets', () => {
  const xskmap = { id: 36, name: 'xsk', type: 'xskmap', maxEntries: 8, pinned: [] };
  const system = router({ programs: [{ ...program, mapIds: [36] }], maps: [xskmap] });
  const old = { ...system, kernel: { major: 5, minor: 15 } };

  it.each([
    [6, 'xsk-unbound'],
    [22, 'xsk-wrong-queue'],
    [12, 'xsk-fill-ring-empty'],
    [105, 'xsk-rx-ring-full'],
    [28, 'xsk-frame-too-large'],
  ])('errno %i is %s', (errno, code) => {
    expect(only(socketError(errno), system)).toMatchObject({
      code,
      certainty: 'certain',
      key: 2,
      map: { name: 'xsk' },
    });
  });

  it('says what an older kernel cannot tell apart', () => {
    expect(only(socketError(28), old)).toMatchObject({ code: 'xsk-rx-ring-full', certainty: 'likely' });
    expect(only(socketError(28), old).explanation).toContain('before Linux 5.19');
    expect(only(socketError(22), old)).toMatchObject({ code: 'xsk-wrong-queue', certainty: 'likely' });
  });

  it('offers a socket that works in place of one that is not bound', () => {
    expect(only(socketError(6), system).fix).toBe('xdpctl xsk bind r0 --queue 2 --map id:36');
  });
});

describe('XDP_TX', () => {
  const transmit: DropCounter = { ...aborted, action: 3 };

  it('failed back out of the same device', () => {
    expect(only({ event: 'xdp_bulk_tx', field: 'drops', count: 5, fromIfindex: 20_101, errno: 6 })).toMatchObject({
      code: 'tx-hairpin-failed',
      certainty: 'certain',
      fix: 'ip netns exec S ethtool -K s0 gro on',
    });
    expect(only(transmit)).toMatchObject({ code: 'tx-hairpin-failed', certainty: 'likely' });
  });

  it('is how the generic path reports a stopped queue of the target', () => {
    expect(only({ ...transmit, fromIfindex: 20_102 })).toMatchObject({
      code: 'tx-queue-stopped',
      from: { ifname: 'r0' },
      to: { ifname: 'r1' },
    });
  });
});

describe('the ledger', () => {
  it('sorts by loss, and adds nothing up twice', () => {
    const driver: DropCounter = { ...aborted, action: 4, count: 7 };
    const findings = findingsOf([redirectError, { ...redirectError, errno: 100, count: 9 }, driver], router());
    expect(findings.map(({ code, count }) => [code, count])).toEqual([
      ['target-down', 9],
      ['target-no-xmit', 5],
    ]);
    expect(totalOf(findings)).toBe(14);
  });

  it('shows what it does not understand', () => {
    const driver: DropCounter = { ...aborted, action: 4, count: 7 };
    expect(findingsOf([redirectError, driver], router())).toMatchObject([
      { code: 'target-no-xmit', count: 5 },
      { code: 'unknown', count: 2 },
    ]);
    expect(only({ ...redirectError, errno: 11 })).toMatchObject({ code: 'unknown', errnoName: 'EAGAIN' });
    expect(only({ ...redirectError, errno: 4095 })).toMatchObject({ code: 'unknown', errno: 4095 });
    expect(only({ ...redirectError, errno: 4095 })).not.toHaveProperty('errnoName');
  });

  it('has no findings when nothing was lost', () => {
    expect(findingsOf([], router())).toEqual([]);
    expect(totalOf([])).toBe(0);
  });

  it('speaks of numbers when nothing is known about them', () => {
    const nothing = router({ devices: [], programs: [], maps: [] });
    expect(only(redirectError, nothing)).toMatchObject({
      code: 'target-no-xmit',
      certainty: 'likely',
      from: { ifindex: 20_101 },
      to: { ifindex: 20_102 },
      prog: { id: 116 },
      map: { id: 33 },
    });
    expect(only(redirectError, nothing).explanation).toContain('ifindex 20102');
  });

  it('tells devices of several namespaces with the same ifindex apart by their program', () => {
    const other = { ...r0, ifname: 'other', progIds: [], netns: { ...netns.router, inode: 9 } };
    expect(only(redirectError, router({ devices: [other, r0, r1] })).from).toEqual({ ifindex: 20_101, ifname: 'r0' });
  });
});
