import { describe, expect, it } from 'vitest';

import { noMapId, type DropCounter } from '../../src/domain/drop-counter.ts';
import type { DeviceTally, Evidence } from '../../src/domain/evidence.ts';
import type { FlowCounter } from '../../src/domain/flow-counter.ts';
import { findingsOf } from '../../src/domain/ledger.ts';
import { socketPlace } from '../../src/domain/ledger/early-socket.ts';
import type { LiveSocket, LiveSystem } from '../../src/domain/live-system.ts';
import { noXskStatistics, type XskStatistics } from '../../src/domain/xsk-statistics.ts';
import { devmap, netns, program, r0, r1, router } from './support/router.ts';

/** Frames that the driver of r1 gave back, or that an egress program dropped. */
const quiet: DropCounter = {
  event: 'xdp_devmap_xmit',
  field: 'drops',
  count: 100,
  fromIfindex: 20_101,
  toIfindex: 20_102,
  errno: 0,
};
const withEgress = { ...devmap, entries: [{ key: 0, ifindex: 20_102, progId: 7 }] };

/** What r1 counted; a veth counts exactly. */
function tally(counts: Partial<DeviceTally>): Evidence {
  return { devices: [{ ifindex: 20_102, netns: netns.router.inode, refused: 0, exact: true, ...counts }] };
}

function verdicts(counters: readonly DropCounter[], system: LiveSystem, evidence: Evidence) {
  return findingsOf(counters, system, {}, evidence).map(({ code, certainty, count }) => [code, certainty, count]);
}

describe('frames lost without an error', () => {
  it('are the egress program’s when the driver counted none', () => {
    expect(verdicts([quiet], router({ maps: [withEgress] }), tally({}))).toEqual([
      ['egress-program-drop', 'certain', 100],
    ]);
  });

  it('are divided between driver and program', () => {
    expect(verdicts([quiet], router({ maps: [withEgress] }), tally({ refused: 30 }))).toEqual([
      ['egress-program-drop', 'certain', 70],
      ['tx-ring-full', 'certain', 30],
    ]);
  });

  it('are the driver’s first where there is no egress program on the way', () => {
    const other = { ...quiet, fromIfindex: 20_103, count: 25 };
    const r2 = { ...r0, ifindex: 20_103, ifname: 'r2', progIds: [117] };
    const plain = { ...devmap, id: 34, entries: [{ key: 0, ifindex: 20_102 }] };
    const programs = [program, { id: 117, mapIds: [34] }];
    const system = router({ devices: [r0, r1, r2], maps: [withEgress, plain], programs });
    const findings = findingsOf([quiet, other], system, {}, tally({ refused: 30 }));
    expect(findings.map(({ code, from, count }) => [code, from?.ifname, count])).toEqual([
      ['egress-program-drop', 'r0', 95],
      ['tx-ring-full', 'r2', 25],
      ['tx-ring-full', 'r0', 5],
    ]);
  });

  it('are told apart by the device they came from, also where an event names only the target', () => {
    const illegal: DropCounter = { event: 'xdp_exception', count: 60, fromIfindex: 20_102, progId: 7, action: 3 };
    const other = { ...quiet, fromIfindex: 20_103, count: 50 };
    const plain = { ...quiet, fromIfindex: 20_104, count: 8 };
    const r2 = { ...r0, ifindex: 20_103, ifname: 'r2' };
    const r3 = { ...r0, ifindex: 20_104, ifname: 'r3', progIds: [117] };
    const programs = [program, { id: 117, mapIds: [34] }, { id: 7, mapIds: [] }];
    const maps = [withEgress, { ...devmap, id: 34, entries: [{ key: 0, ifindex: 20_102 }] }];
    const system = router({ devices: [r0, r1, r2, r3], programs, maps });
    const lostAt = (ifindex: number) =>
      findingsOf([plain, { ...quiet, count: 10 }, other, illegal], system, { ifindexes: [ifindex] });
    expect(lostAt(20_101)).toMatchObject([{ code: 'egress-program-bad-action', count: 10 }]);
    expect(lostAt(20_103)).toMatchObject([{ code: 'egress-program-bad-action', count: 50 }]);
    expect(lostAt(20_104)).toMatchObject([{ code: 'tx-ring-full', count: 8 }]);
    expect(lostAt(20_102).map(({ code, count }) => [code, count])).toEqual([
      ['egress-program-bad-action', 60],
      ['tx-ring-full', 8],
    ]);
  });

  it('are too long for the peer as long as its ring cannot have been full', () => {
    const short = router({ devices: [r0, { ...r1, peer: { ...r1.peer!, mtu: 1000 } }] });
    expect(verdicts([quiet], short, tally({ refused: 100, taken: 255 }))).toEqual([['peer-mtu', 'certain', 100]]);
    expect(verdicts([quiet], short, tally({ refused: 100, taken: 256 }))).toEqual([['peer-mtu', 'likely', 100]]);
    expect(verdicts([quiet], short, {})).toEqual([['peer-mtu', 'likely', 100]]);
  });

  it('stay unproven where the driver does not count each frame', () => {
    expect(verdicts([quiet], router({ maps: [withEgress] }), tally({ refused: 9, exact: false }))).toEqual([
      ['egress-program-drop', 'likely', 100],
    ]);
    const tap = router({ devices: [r0, { ...r1, kind: 'tun' }] });
    expect(verdicts([quiet], tap, tally({ refused: 9, exact: false }))).toEqual([['tx-ring-full', 'certain', 100]]);
    expect(verdicts([quiet], tap, tally({ refused: 0, exact: false }))).toEqual([['tx-ring-full', 'likely', 100]]);
  });

  it('belong to a program that is gone when neither the driver nor an entry shows it', () => {
    expect(verdicts([quiet], router(), tally({}))).toEqual([['egress-program-drop', 'likely', 100]]);
  });
});

describe('a missed look-up that a program of ours counted', () => {
  const aborted: DropCounter = { event: 'xdp_exception', count: 10, fromIfindex: 20_101, progId: 116, action: 0 };
  const misses = new Map([
    [
      116,
      new Map([
        [3, 6],
        [5, 3],
      ]),
    ],
  ]);

  it('is certain, and told by key; the rest is not', () => {
    const findings = findingsOf([aborted], router(), {}, { misses });
    expect(findings.map(({ code, certainty, count, key }) => [code, certainty, count, key])).toEqual([
      ['map-miss', 'certain', 6, 3],
      ['map-miss', 'certain', 3, 5],
      ['map-miss', 'likely', 1, undefined],
    ]);
  });

  it('tells what the key held before, and that the kernel took it away', () => {
    const before = router({ maps: [{ ...devmap, entries: [{ key: 3, ifindex: 20_102 }] }] });
    const now = router({ maps: [{ ...devmap, entries: [] }], devices: [r0] });
    const [first] = findingsOf([{ ...aborted, count: 6 }], now, {}, { misses, before });
    expect(first?.explanation).toBe(
      'the devmap dev has no entry at key 3, and none at all; it held r1 when counting began: the kernel removes the entry of a device that goes or moves to another network namespace',
    );
  });

  it('needs no fix when the entry is there by now', () => {
    const full = router({ maps: [{ ...devmap, entries: [{ key: 3, ifindex: 20_102 }] }] });
    const [first] = findingsOf([{ ...aborted, count: 6 }], full, {}, { misses });
    expect(first).toMatchObject({ code: 'map-miss', certainty: 'certain' });
    expect(first).not.toHaveProperty('fix');
  });
});

/** Evidence for which every address is in one function. */
function inFunction(name: string): Evidence {
  return { functionAt: () => name };
}

/** Frames of the router's namespace that were thrown away without a reason. */
function unspecified(fromIfindex: number): DropCounter {
  const reason = { reason: 'NOT_SPECIFIED', where: 1n };
  return { event: 'kfree_skb', count: 5, fromIfindex, netns: netns.router.inode, ...reason };
}

/** The router in generic mode, with another peer of r1. */
function peerIs(peer: object): LiveSystem {
  return router({
    devices: [
      { ...r0, xdpMode: 'generic' },
      { ...r1, peer: { ...r1.peer!, ...peer } },
    ],
  });
}

describe('skbs that are thrown away', () => {
  const generic = router({ devices: [{ ...r0, xdpMode: 'generic' }, r1] });
  const freed: DropCounter = {
    event: 'kfree_skb',
    count: 4,
    fromIfindex: 20_103,
    netns: netns.d.inode,
    reason: 'OTHERHOST',
  };
  it('are of a redirect when it happens at the other end of its target', () => {
    expect(findingsOf([freed], router())).toMatchObject([
      {
        code: 'delivered-other-host',
        certainty: 'likely',
        count: 4,
        event: 'kfree_skb',
        from: { ifindex: 20_101, ifname: 'r0' },
        to: { ifindex: 20_102, ifname: 'r1' },
        map: { id: 33 },
      },
    ]);
  });

  it('are certain when nothing else left through the target', () => {
    expect(verdicts([freed], router(), tally({ taken: 10, sent: 10 }))).toEqual([
      ['delivered-other-host', 'certain', 4],
    ]);
    expect(verdicts([freed], router(), tally({ taken: 10, sent: 11 }))).toEqual([
      ['delivered-other-host', 'likely', 4],
    ]);
  });

  it('are nobody’s business elsewhere', () => {
    const elsewhere = [
      { ...freed, netns: netns.s.inode },
      { ...freed, fromIfindex: 20_102 },
      { ...freed, reason: 'NO_SOCKET' },
      unspecified(20_103),
    ];
    expect(findingsOf(elsewhere, router(), {}, inFunction('dev_map_generic_redirect'))).toEqual([]);
  });

  it('without a namespace, as a UDP socket leaves them, go by the number of the device', () => {
    const { netns: _, ...counter } = freed;
    const findings = findingsOf([{ ...counter, reason: 'UDP_CSUM' }], router());
    expect(findings).toMatchObject([{ code: 'delivered-bad-checksum', fix: 'ip netns exec S ethtool -K s0 tx off' }]);
  });

  it('are of an egress program where the kernel runs one in generic mode', () => {
    const system = { ...generic, maps: new Map([[33, withEgress]]) };
    expect(verdicts([unspecified(20_101)], system, inFunction('dev_map_generic_redirect'))).toEqual([
      ['egress-program-drop', 'certain', 5],
    ]);
    expect(verdicts([unspecified(20_101)], system, inFunction('tcp_v4_rcv'))).toEqual([]);
    expect(verdicts([unspecified(20_101)], generic, inFunction('dev_map_generic_redirect'))).toEqual([]);
  });

  it('are not counted again when the egress program’s action was illegal', () => {
    const system = { ...generic, maps: new Map([[33, withEgress]]) };
    const exception: DropCounter = { event: 'xdp_exception', count: 5, fromIfindex: 20_102, progId: 7, action: 0 };
    expect(verdicts([unspecified(20_101), exception], system, inFunction('dev_map_generic_redirect'))).toEqual([
      ['egress-program-bad-action', 'certain', 5],
    ]);
  });

  it('were not taken by the peer of a target in generic mode', () => {
    const evidence = inFunction('__dev_forward_skb2');
    expect(verdicts([unspecified(20_102)], peerIs({ up: false }), evidence)).toEqual([
      ['target-no-carrier', 'certain', 5],
    ]);
    expect(verdicts([unspecified(20_102)], peerIs({ mtu: 900 }), evidence)).toEqual([['peer-mtu', 'certain', 5]]);
    expect(verdicts([unspecified(20_102)], peerIs({}), evidence)).toEqual([['target-no-carrier', 'likely', 5]]);
    expect(verdicts([unspecified(20_102)], router(), evidence)).toEqual([]);
  });

  it('found the ring of a target in generic mode full, when they were at its peer already', () => {
    const { peer } = generic.devices[1]!;
    const arriving = { ...unspecified(peer!.ifindex), netns: peer!.netns!.inode };
    const [finding] = findingsOf([arriving], generic, {}, inFunction('veth_xmit'));
    expect(finding).toMatchObject({ code: 'tx-ring-full', certainty: 'certain', count: 5, to: { ifname: 'r1' } });
    expect(verdicts([arriving], generic, inFunction('veth_poll'))).toEqual([]);
    expect(verdicts([arriving], router(), inFunction('veth_xmit'))).toEqual([]);
  });
});

/** What is said of flows from r0, with nothing in the map when absent. */
function lost(flows: readonly FlowCounter[], system = router({ maps: [{ ...devmap, entries: [] }] })) {
  return findingsOf([], system, {}, { flows });
}

describe('conservation', () => {
  const redirected: FlowCounter = { kind: 'redirected', count: 50, fromIfindex: 20_101, progId: 116, mapId: 33 };
  const transmitted: FlowCounter = { kind: 'transmitted', count: 50, fromIfindex: 20_101, toIfindex: 20_102 };
  it('finds nothing when every frame had a target', () => {
    expect(lost([redirected, transmitted])).toEqual([]);
    expect(lost([redirected, { ...transmitted, count: 120 }])).toEqual([]);
    expect(lost([])).toEqual([]);
  });

  it('finds what had none, and why', () => {
    expect(lost([redirected, { ...transmitted, count: 20 }])).toMatchObject([
      {
        code: 'broadcast-no-target',
        certainty: 'certain',
        count: 30,
        event: 'xdp_redirect',
        from: { ifname: 'r0' },
        map: { id: 33 },
        fix: 'xdpctl map update id 33 key KEY value dev DEV',
      },
    ]);
    const down = router({ devices: [r0, { ...r1, ndoXmit: 'yes', up: false }] });
    expect(lost([redirected], down)).toMatchObject([
      { certainty: 'certain', explanation: expect.stringContaining('r1 is administratively down') as string },
    ]);
    const fine = router({ devices: [r0, { ...r1, ndoXmit: 'yes' }] });
    expect(lost([redirected], fine)).toMatchObject([{ certainty: 'likely' }]);
  });

  it('says nothing of maps that lead to no device, and of generic mode', () => {
    expect(lost([redirected], router({ maps: [{ ...devmap, type: 'cpumap' }] }))).toEqual([]);
    expect(lost([redirected], router({ devices: [{ ...r0, xdpMode: 'generic' }, r1] }))).toEqual([]);
  });

  it('counts what bpf_redirect() redirected', () => {
    expect(lost([redirected, { ...redirected, mapId: noMapId, count: 7 }, { ...transmitted, count: 57 }])).toEqual([]);
  });
});

describe('conservation before Linux 5.14', () => {
  const redirected: FlowCounter = { kind: 'redirected', count: 50, fromIfindex: 20_101, progId: 116, mapId: 33 };
  const transmitted: FlowCounter = { kind: 'transmitted', count: 20, fromIfindex: 20_101, toIfindex: 20_102 };
  const kernel = { major: 5, minor: 10 };
  const flows = [redirected, transmitted];

  it('finds what the program in an entry dropped', () => {
    expect(lost(flows, router({ kernel, maps: [withEgress] }))).toMatchObject([
      {
        code: 'egress-program-drop',
        certainty: 'certain',
        count: 30,
        from: { ifname: 'r0' },
        to: { ifname: 'r1' },
        map: { id: 33 },
        key: 0,
      },
    ]);
  });

  it('cannot tell which of several programs did', () => {
    const entries = [...withEgress.entries, { key: 1, ifindex: 20_103, progId: 8 }];
    const [finding, ...others] = lost(flows, router({ kernel, maps: [{ ...devmap, entries }] }));
    expect(finding).toMatchObject({ code: 'egress-program-drop', certainty: 'likely', map: { id: 33 } });
    expect(finding).not.toHaveProperty('key');
    expect(others).toEqual([]);
  });

  it('finds what a program dropped that is gone since', () => {
    expect(lost(flows, router({ kernel }))).toMatchObject([{ code: 'egress-program-drop', certainty: 'likely' }]);
  });

  it('knows the map with such a program among several', () => {
    const plain = { ...devmap, id: 34 };
    const system = router({ kernel, maps: [plain, withEgress] });
    expect(lost([{ ...redirected, mapId: 34 }, redirected, transmitted], system)).toMatchObject([{ map: { id: 33 } }]);
  });

  it('leaves to the driver what the driver got', () => {
    expect(verdicts([quiet], router({ kernel, maps: [withEgress] }), {})).toEqual([['tx-ring-full', 'likely', 100]]);
    expect(verdicts([quiet], router({ kernel, maps: [withEgress] }), tally({ refused: 100 }))).toEqual([
      ['tx-ring-full', 'certain', 100],
    ]);
  });

  it('does not count frames again that were given an illegal action', () => {
    const exception: DropCounter = { event: 'xdp_exception', count: 30, fromIfindex: 20_102, progId: 7, action: 3 };
    expect(verdicts([exception], router({ kernel, maps: [withEgress] }), { flows })).toEqual([
      ['egress-program-bad-action', 'certain', 30],
    ]);
  });
});

/** What the socket at key 2 of map 36 counted. */
function counted(statistics: Partial<XskStatistics>): Evidence {
  return { sockets: new Map([[socketPlace(36, 2), { ...noXskStatistics, ...statistics }]]) };
}

describe('AF_XDP sockets before Linux 5.19', () => {
  const kernel = { major: 5, minor: 10 };
  const error = { event: 'xdp_redirect_err', fromIfindex: 20_101, progId: 116, mapId: 36, mapIndex: 2 } as const;
  const noRoom: DropCounter = { ...error, count: 30, errno: 28 };
  const notBound: DropCounter = { ...error, count: 9, errno: 22 };
  const xskmap = { id: 36, name: 'xsk', type: 'xskmap', maxEntries: 8, pinned: [] };
  const system = withSocket();

  function withSocket(socket?: LiveSocket): LiveSystem {
    const entries = socket === undefined ? [] : [{ key: 2, socket }];
    return router({ kernel, programs: [{ ...program, mapIds: [36] }], maps: [{ ...xskmap, entries }] });
  }

  it('are told apart by what they count', () => {
    expect(verdicts([noRoom], system, counted({ rx_ring_full: 30 }))).toEqual([['xsk-rx-ring-full', 'certain', 30]]);
    const empty = counted({ rx_dropped: 30, rx_fill_ring_empty_descs: 30 });
    expect(verdicts([noRoom], system, empty)).toEqual([['xsk-fill-ring-empty', 'certain', 30]]);
    expect(verdicts([noRoom], system, counted({ rx_dropped: 30 }))).toEqual([['xsk-frame-too-large', 'certain', 30]]);
  });

  it('share frames among their causes, and leave the rest open', () => {
    const evidence = counted({ rx_ring_full: 4, rx_dropped: 12, rx_fill_ring_empty_descs: 7 });
    expect(verdicts([noRoom], system, evidence)).toEqual([
      ['xsk-rx-ring-full', 'likely', 14],
      ['xsk-fill-ring-empty', 'certain', 7],
      ['xsk-frame-too-large', 'certain', 5],
      ['xsk-rx-ring-full', 'certain', 4],
    ]);
  });

  it('need not be told apart later', () => {
    const recent = { ...system, kernel: { major: 6, minor: 1 } };
    expect(verdicts([noRoom], recent, counted({ rx_ring_full: 30 }))).toEqual([['xsk-frame-too-large', 'certain', 30]]);
  });

  const here = { ifindex: r0.ifindex, netns: r0.netns.inode };

  it.each<[LiveSocket | undefined, string, string]>([
    [undefined, 'xsk-wrong-queue', 'likely'],
    [{ queue: 0, state: 'unbound' }, 'xsk-unbound', 'certain'],
    [{ queue: 0, state: 'device-gone' }, 'xsk-unbound', 'certain'],
    [{ queue: 0, state: 'bound', ...here, ifindex: r1.ifindex }, 'xsk-wrong-queue', 'certain'],
    [{ queue: 0, state: 'bound', ...here }, 'xsk-unbound', 'likely'],
  ])('%j: EINVAL is %s, %s', (socket, code, certainty) => {
    expect(verdicts([notBound], withSocket(socket), {})).toEqual([[code, certainty, 9]]);
  });

  it('may be bound to another queue of the same device', () => {
    const bound = withSocket({ queue: 0, state: 'bound', ...here });
    const several = { ...bound, devices: [{ ...r0, rxQueues: 4 }, r1] };
    const verdict = (before?: LiveSystem) => verdicts([notBound], several, before === undefined ? {} : { before });
    expect(verdict()).toEqual([['xsk-wrong-queue', 'likely', 9]]);
    expect(verdict(bound)).toEqual([['xsk-wrong-queue', 'certain', 9]]);
    expect(verdict(withSocket({ queue: 0, state: 'unbound' }))).toEqual([['xsk-unbound', 'likely', 9]]);
  });
});

describe('what older kernels say with other words', () => {
  const old = router({ kernel: { major: 5, minor: 10 }, programs: [{ ...program, mapIds: [] }] });

  it('XDP_REDIRECT without a helper call is EINVAL, to ifindex 0', () => {
    const error = { event: 'xdp_redirect_err', count: 6, fromIfindex: 20_101, progId: 116, errno: 22 } as const;
    const counter = { ...error, mapId: 0, mapIndex: 0, toIfindex: 0 };
    expect(verdicts([counter], old, {})).toEqual([['no-redirect-call', 'likely', 6]]);
    expect(verdicts([{ ...counter, toIfindex: 9 }], old, {})).toEqual([['no-such-interface', 'certain', 6]]);
  });

  it('what the stack of another CPU drops looks as if there were no memory', () => {
    const counter = { event: 'xdp_cpumap_kthread', field: 'drops', count: 5, mapId: 35, toCpu: 1 } as const;
    expect(verdicts([counter], old, {})).toEqual([['unknown', 'likely', 5]]);
    expect(verdicts([counter], router(), {})).toEqual([['cpumap-alloc-failed', 'certain', 5]]);
  });
});

describe('two interfaces with the same ifindex', () => {
  const twin = { ...r0, ifname: 'twin', netns: netns.d, progIds: [999] };
  const error: DropCounter = {
    event: 'xdp_redirect_err',
    count: 3,
    fromIfindex: 20_101,
    progId: 1000,
    mapId: 33,
    mapIndex: 0,
    toIfindex: 20_102,
    errno: 95,
  };
  const system = router({ devices: [r0, r1, twin] });

  it('are told apart by their namespaces', () => {
    const here = { ...error, netns: netns.router.inode };
    const there = { ...error, netns: netns.d.inode, count: 2 };
    const gone = { ...error, netns: 77, count: 1 };
    expect(findingsOf([here, there, gone], system).map(({ from }) => from)).toEqual([
      { ifindex: 20_101, ifname: 'r0' },
      { ifindex: 20_101, ifname: 'twin', netns: 'D' },
      { ifindex: 20_101 },
    ]);
  });

  it('are told apart by the filter', () => {
    const counters = [
      { ...error, netns: netns.router.inode },
      { ...error, netns: netns.d.inode, count: 2 },
    ];
    const filter = { ifindexes: [20_101], netns: netns.router.inode };
    expect(findingsOf(counters, system, filter).map(({ count }) => count)).toEqual([3]);
  });
});
