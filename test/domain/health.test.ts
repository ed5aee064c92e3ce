import { describe, expect, it } from 'vitest';

import { pathProblems } from '../../src/domain/health.ts';
import type { LiveDevice, LiveEntry, LiveMap, LiveProgram, LiveSystem } from '../../src/domain/live-system.ts';
import { observedPaths } from '../../src/domain/observed-path.ts';
import {
  netns,
  nic as bareNic,
  type Parts,
  program as foreign,
  r0 as plainR0,
  r1 as plainR1,
  router,
} from './support/router.ts';

/*
 * s0 (netns S) – r0, r1 – d0 (netns D): a router of which nothing is wrong. Each case breaks it in one way.
 */

const ends = { ndoXmit: 'yes', ndoXmitSg: 'yes', nativeXdp: true } as const;
const r0: LiveDevice = { ...plainR0, ...ends, peer: { ...plainR0.peer!, txChecksum: false } };
const r1: LiveDevice = { ...plainR1, ...ends, peer: { ...plainR1.peer!, gro: true } };
const own: LiveProgram = { ...foreign, name: 'redirect', keySource: 'ingress', onMiss: 'aborted' };
const toR1: LiveEntry = { key: r0.ifindex, ifindex: r1.ifindex };
const hash: LiveMap = {
  id: 33,
  name: 'targets',
  type: 'devmap_hash',
  maxEntries: 32,
  pinned: ['/p/t'],
  entries: [toR1],
};
const { entries: _, ...unreadable } = hash;
const cpumap: LiveMap = { ...hash, type: 'cpumap', entries: [{ key: 1, qsize: 192 }] };
const xskmap: LiveMap = { ...hash, type: 'xskmap', maxEntries: 4, entries: [socket(0)] };

function socket(key: number, parts: Partial<NonNullable<LiveEntry['socket']>> = {}): LiveEntry {
  return { key, socket: { queue: key, state: 'bound', ifindex: r0.ifindex, netns: 1, zeroCopy: false, ...parts } };
}

function member(key: number, ifindex: number): LiveEntry {
  return { key, ifindex };
}

/** Everything that is found about the path that begins at r0. */
function found(parts: Parts) {
  const system = router({ devices: [r0, r1], programs: [own], maps: [hash], ...parts });
  const paths = observedPaths(system);
  const path = paths.find(({ device }) => device.ifindex === r0.ifindex);
  return path === undefined ? [] : pathProblems(path, system, paths);
}

interface Case {
  readonly title: string;
  readonly parts: Parts;
  /** Code, certainty, a part of the sentence, and the command. */
  readonly says: readonly (readonly [code: string, certainty: string, sentence: RegExp, fix?: string])[];
}

const write = 'xdpctl map update pinned /p/t key';
const toNative =
  'xdpctl prog pin id 116 PIN && xdpctl net detach xdpgeneric dev r0 && xdpctl net attach xdpdrv pinned PIN dev r0';
const broadcast: LiveProgram = { ...own, broadcast: { excludeIngress: true } };
const r2: LiveDevice = { ...r1, ifindex: 20_202, ifname: 'r2' };
const down: LiveDevice = { ...r1, up: false };
const generic: LiveDevice = { ...r0, xdpMode: 'generic' };
const nic: LiveDevice = { ...bareNic, ...ends, driver: 'ice', txQueues: 2 };
const toNic: LiveMap = { ...hash, entries: [member(r0.ifindex, nic.ifindex)] };

const cases: readonly Case[] = [
  { title: 'a path that works', parts: {}, says: [] },
  {
    title: 'the key of our program has no entry, or none any more',
    parts: { maps: [{ ...hash, entries: [member(1, r1.ifindex)] }] },
    says: [
      [
        'map-miss',
        'certain',
        /no entry at key 20101, the ifindex of r0: the frames are lost$/,
        `${write} 20101 value dev DEV`,
      ],
    ],
  },
  {
    title: 'the same, with a program that passes the frames on',
    parts: { programs: [{ ...own, onMiss: 'pass' }], maps: [{ ...hash, entries: [] }] },
    says: [['map-miss', 'certain', /the frames go to the network stack$/, `${write} 20101 value dev DEV`]],
  },
  {
    title: 'a receive queue of our program has no entry',
    parts: {
      devices: [{ ...r0, rxQueues: 2 }, r1],
      programs: [{ ...own, keySource: 'queue' }],
      maps: [{ ...hash, type: 'devmap', entries: [member(0, r1.ifindex)] }],
    },
    says: [['map-miss', 'certain', /no entry at key 1, a receive queue of r0/, `${write} 1 value dev DEV`]],
  },
  {
    title: 'a map of others is empty',
    parts: { programs: [foreign], maps: [{ ...hash, entries: [] }] },
    says: [
      [
        'map-miss',
        'likely',
        /the devmap_hash targets has no entry: whatever r_dev looks up/,
        `${write} KEY value dev DEV`,
      ],
    ],
  },
  {
    title: 'a map of others that has an entry for other frames',
    parts: { programs: [foreign], maps: [{ ...hash, entries: [member(7, r1.ifindex)] }] },
    says: [],
  },
  {
    title: 'a map that cannot be read',
    parts: { maps: [unreadable] },
    says: [],
  },
  {
    title: 'a veth whose peer does not poll',
    parts: { devices: [r0, { ...r1, ndoXmit: 'no', ndoXmitSg: 'no', peer: { ...r1.peer!, gro: false } }] },
    says: [
      [
        'target-no-xmit',
        'certain',
        /its peer d0 \(netns D\) has neither GRO on nor an XDP program/,
        'ip netns exec D ethtool -K d0 gro on',
      ],
    ],
  },
  {
    title: 'the same in generic mode',
    parts: { devices: [generic, { ...r1, ndoXmit: 'no', ndoXmitSg: 'no' }] },
    says: [],
  },
  {
    title: 'a target that is down',
    parts: { devices: [r0, down] },
    says: [['target-down', 'certain', /r1 is administratively down/, 'ip link set dev r1 up']],
  },
  {
    title: 'a veth whose peer is down',
    parts: { devices: [r0, { ...r1, carrier: false, peer: { ...r1.peer!, up: false } }] },
    says: [
      ['target-no-carrier', 'certain', /its peer d0 \(netns D\) is down/, 'ip netns exec D ip link set dev d0 up'],
    ],
  },
  {
    title: 'a target with a smaller MTU than the frames',
    parts: { devices: [{ ...r0, mtu: 1600 }, r1] },
    says: [
      [
        'frame-exceeds-mtu',
        'certain',
        /MTU of 1500, and frames of up to 1600/,
        'ip link set dev r1 mtu 1600 && ip netns exec D ip link set dev d0 mtu 1600',
      ],
    ],
  },
  {
    title: 'a veth whose peer has a smaller MTU',
    parts: { devices: [r0, { ...r1, peer: { ...r1.peer!, mtu: 1300 } }] },
    says: [
      ['peer-mtu', 'certain', /its peer d0 \(netns D\) has only 1300/, 'ip netns exec D ip link set dev d0 mtu 1500'],
    ],
  },
  {
    title: 'frames of several buffers for a target without NDO_XMIT_SG',
    parts: {
      devices: [
        { ...r0, mtu: 9000 },
        { ...r1, mtu: 9000, kind: 'tun', ndoXmitSg: 'no' },
      ],
    },
    says: [['target-no-sg', 'likely', /not those of several buffers/, 'ip link set dev r0 mtu 3498']],
  },
  {
    title: 'fewer transmit rings than CPUs, of a driver that needs one each',
    parts: { cpus: 8, devices: [r0, nic], maps: [toNic] },
    says: [
      [
        'target-no-carrier',
        'likely',
        /2 transmit queues for 8 CPUs, and its driver ice needs one for each/,
        'ethtool -L enp1s0 combined 8',
      ],
    ],
  },
  {
    title: 'the same of a driver that shares them',
    parts: { cpus: 8, devices: [r0, { ...nic, driver: 'virtio_net' }], maps: [toNic] },
    says: [],
  },
  {
    title: 'a card that has a program in generic mode, and needs one in native mode',
    parts: { devices: [r0, { ...nic, ndoXmit: 'no', xdpMode: 'generic', progIds: [9] }], maps: [toNic] },
    says: [
      [
        'mode-conflict',
        'likely',
        /enp1s0 has a program in generic mode/,
        'xdpctl net detach xdpgeneric dev enp1s0 && xdpctl net attach xdpdrv builtin pass dev enp1s0',
      ],
      [
        'target-no-xmit',
        'certain',
        /only while an XDP program is attached/,
        'xdpctl net attach xdpdrv builtin pass dev enp1s0',
      ],
    ],
  },
  {
    title: 'there in generic mode, back in native mode',
    parts: {
      devices: [generic, { ...r1, progIds: [117], xdpMode: 'native', peer: { ...r1.peer!, txChecksum: false } }],
      programs: [
        { ...own, pinned: ['/p/prog'] },
        { ...own, id: 117, mapIds: [34] },
      ],
      maps: [hash, { ...hash, id: 34, entries: [member(r1.ifindex, r0.ifindex)] }],
    },
    says: [
      [
        'mode-conflict',
        'likely',
        /r0 redirects in generic mode, and r1, which it leads to, in native mode/,
        'xdpctl net detach xdpgeneric dev r0 && xdpctl net attach xdpdrv pinned /p/prog dev r0',
      ],
    ],
  },
  {
    title: 'two ways through one map in different modes, by a program without a pin',
    parts: {
      devices: [generic, r1, { ...r2, progIds: [117], xdpMode: 'native' }],
      programs: [own, { ...own, id: 117 }],
      maps: [{ ...hash, entries: [toR1, member(r2.ifindex, r1.ifindex)] }],
    },
    says: [['mode-conflict', 'likely', /and r2, which shares its map, in native mode/, toNative]],
  },
  {
    title: 'a cpumap in generic mode before 5.15',
    parts: { kernel: { major: 5, minor: 14 }, devices: [generic], programs: [foreign], maps: [cpumap] },
    says: [['mode-conflict', 'certain', /cannot redirect through the cpumap targets before Linux 5.15/, toNative]],
  },
  {
    title: 'a zero-copy socket behind a program in generic mode',
    parts: { devices: [generic], programs: [foreign], maps: [{ ...xskmap, entries: [socket(0, { zeroCopy: true })] }] },
    says: [['mode-conflict', 'likely', /bound in zero-copy mode/, toNative]],
  },
  {
    title: 'a program in the entry that takes no fragments, behind one that does',
    parts: {
      devices: [
        { ...r0, mtu: 9000 },
        { ...r1, mtu: 9000, peer: { ...r1.peer!, mtu: 9000 } },
      ],
      programs: [
        { ...own, fragments: true },
        { id: 61, name: 'egress', mapIds: [], fragments: false },
      ],
      maps: [{ ...hash, entries: [{ ...toR1, progId: 61 }] }],
    },
    says: [
      [
        'frags-clash',
        'certain',
        /^egress, at key 20101 of the devmap_hash targets, was not loaded for frames of several buffers/,
        'ip link set dev r0 mtu 3498',
      ],
    ],
  },
  {
    title: 'the same where all frames fit into one buffer',
    parts: {
      programs: [
        { ...own, fragments: true },
        { id: 61, name: 'egress', mapIds: [], fragments: false },
      ],
      maps: [{ ...hash, entries: [{ ...toR1, progId: 61 }] }],
    },
    says: [],
  },
  { title: 'a cpumap that works', parts: { programs: [foreign], maps: [cpumap] }, says: [] },
  {
    title: 'a CPU that is not online',
    parts: { offlineCpus: [1], programs: [foreign], maps: [cpumap] },
    says: [
      [
        'cpu-offline',
        'certain',
        /CPU 1, to which the cpumap targets leads, is not online: other CPUs serve its frames/,
        `chcpu -e 1 && ${write} 1 value qsize 192`,
      ],
    ],
  },
  {
    title: 'a CPU of ours without an entry',
    parts: { programs: [{ id: 116, name: 'redirect', mapIds: [33], cpus: [0, 1], onMiss: 'drop' }], maps: [cpumap] },
    says: [
      [
        'map-miss',
        'certain',
        /no entry for CPU 0, over which redirect spreads frames: the frames are dropped/,
        `${write} 0 value qsize 2048`,
      ],
    ],
  },
  {
    title: 'a cpumap of others without any entry',
    parts: { programs: [foreign], maps: [{ ...cpumap, entries: [] }] },
    says: [['map-miss', 'likely', /the cpumap targets has no entry/, `${write} CPU value qsize 2048`]],
  },
  {
    title: 'a device that lets nothing in',
    parts: { devices: [{ ...r0, up: false }, r1] },
    says: [['ingress-down', 'certain', /^r0 is administratively down: no frame comes in$/, 'ip link set dev r0 up']],
  },
  {
    title: 'a libxdp dispatcher whose components are not known',
    parts: { programs: [{ id: 116, name: 'xdp_dispatcher', mapIds: [] }] },
    says: [
      [
        'dispatcher-in-front',
        'likely',
        /no link tells which programs it calls/,
        'xdpctl redirect detach r0 --force 116',
      ],
    ],
  },
  {
    title: 'a component of a dispatcher, which has a map with a dead end',
    parts: {
      devices: [r0, down],
      programs: [
        { id: 116, name: 'xdp_dispatcher', mapIds: [], components: [120] },
        { ...own, id: 120 },
      ],
    },
    says: [['target-down', 'certain', /r1 is administratively down/, 'ip link set dev r1 up']],
  },
  {
    title: 'a member of a broadcast that will be left out',
    parts: {
      devices: [r0, down, r2],
      programs: [broadcast],
      maps: [{ ...hash, entries: [member(1, r1.ifindex), member(2, r2.ifindex)] }],
    },
    says: [
      [
        'target-down',
        'certain',
        /r1 is administratively down; the broadcast leaves it out without a word/,
        'ip link set dev r1 up',
      ],
    ],
  },
  {
    title: 'a broadcast that nobody gets',
    parts: {
      devices: [r0, down],
      programs: [broadcast],
      maps: [{ ...hash, entries: [member(1, r0.ifindex), member(2, r1.ifindex)] }],
    },
    says: [
      [
        'broadcast-no-target',
        'certain',
        /no member of the devmap_hash targets besides r0 itself can receive now/,
        'ip link set dev r1 up',
      ],
      ['target-down', 'certain', /leaves it out/, 'ip link set dev r1 up'],
    ],
  },
  {
    title: 'a broadcast without members',
    parts: { programs: [broadcast], maps: [{ ...hash, entries: [member(1, r0.ifindex)] }] },
    says: [
      [
        'broadcast-no-target',
        'certain',
        /has no member besides r0 itself that a broadcast could go to/,
        `${write} KEY value dev DEV`,
      ],
    ],
  },
  {
    title: 'a broadcast in generic mode that ends at a bad member',
    parts: {
      devices: [generic, down, r2],
      programs: [broadcast],
      maps: [{ ...hash, entries: [member(1, r1.ifindex), member(2, r2.ifindex)] }],
    },
    says: [
      ['target-down', 'certain', /^r1 is administratively down$/, 'ip link set dev r1 up'],
      [
        'broadcast-starved',
        'certain',
        /r2 gets nothing: in generic mode the broadcast ends at r1, before it/,
        'ip link set dev r1 up',
      ],
    ],
  },
  {
    title: 'the same in generic mode, where the bad member is the last',
    parts: {
      devices: [generic, down, r2],
      programs: [broadcast],
      maps: [{ ...hash, entries: [member(1, r2.ifindex), member(2, r1.ifindex)] }],
    },
    says: [['target-down', 'certain', /^r1 is administratively down$/, 'ip link set dev r1 up']],
  },
  { title: 'sockets for all queues', parts: { programs: [foreign], maps: [xskmap] }, says: [] },
  {
    title: 'a receive queue without a socket',
    parts: {
      devices: [{ ...r0, rxQueues: 2 }],
      programs: [{ ...own, keySource: 'queue', onMiss: 'pass' }],
      maps: [xskmap],
    },
    says: [
      [
        'queue-without-socket',
        'certain',
        /for receive queue 1 of r0: the frames go to the network stack/,
        'xdpctl xsk bind r0 --queue 1 --map /p/t',
      ],
    ],
  },
  {
    title: 'the same of a program of others, which may look sockets up by something else',
    parts: { devices: [{ ...r0, rxQueues: 2 }], programs: [foreign], maps: [xskmap] },
    says: [['queue-without-socket', 'likely', /receive queue 1/, 'xdpctl xsk bind r0 --queue 1 --map /p/t']],
  },
  {
    title: 'a queue beyond the map',
    parts: { devices: [{ ...r0, rxQueues: 2 }], programs: [foreign], maps: [{ ...xskmap, maxEntries: 1 }] },
    says: [['queue-without-socket', 'likely', /receive queue 1 of r0 \(its keys end at 0\)/, 'ethtool -L r0 rx 1']],
  },
  {
    title: 'a socket at a key that is no queue',
    parts: { programs: [foreign], maps: [{ ...xskmap, entries: [socket(0), socket(3, { queue: 0 })] }] },
    says: [['xsk-wrong-queue', 'likely', /takes nothing that comes by queue 3/, 'xdpctl map delete pinned /p/t key 3']],
  },
  {
    title: 'several sockets that share a queue, among which a program of others chooses',
    parts: {
      programs: [foreign],
      maps: [{ ...xskmap, entries: [socket(0, { inode: 7 }), socket(3, { queue: 0, inode: 8 })] }],
    },
    says: [],
  },
  {
    title: 'several sockets that share a queue, where our program looks up by queue',
    parts: {
      devices: [{ ...r0, rxQueues: 2 }],
      programs: [{ ...own, keySource: 'queue' }],
      maps: [{ ...xskmap, entries: [socket(0, { inode: 7 }), socket(1, { queue: 0, inode: 8 })] }],
    },
    says: [
      [
        'xsk-wrong-queue',
        'certain',
        /takes nothing that comes by queue 1/,
        'xdpctl map delete pinned /p/t key 1 && xdpctl xsk bind r0 --queue 1 --map /p/t',
      ],
    ],
  },
  {
    title: 'more receive queues than a devmap has keys',
    parts: {
      devices: [{ ...r0, rxQueues: 2 }, r1],
      programs: [{ ...own, keySource: 'queue' }],
      maps: [{ ...hash, type: 'devmap', maxEntries: 1, entries: [member(0, r1.ifindex)] }],
    },
    says: [
      ['map-miss', 'certain', /no entry at key 1, a receive queue of r0 \(its keys end at 0\)/, 'ethtool -L r0 rx 1'],
    ],
  },
  {
    title: 'no socket at the only key',
    parts: { programs: [{ ...own, keySource: { key: 2 } }], maps: [{ ...xskmap, entries: [] }] },
    says: [
      ['map-miss', 'certain', /no socket at key 2: the frames are lost/, 'xdpctl xsk bind r0 --queue 2 --map /p/t'],
    ],
  },
  {
    title: 'a socket on the wrong queue',
    parts: {
      programs: [{ ...own, keySource: 'queue' }],
      maps: [{ ...xskmap, entries: [socket(0, { queue: 1, pid: 7, comm: 'app' })] }],
    },
    says: [
      [
        'xsk-wrong-queue',
        'certain',
        /the AF_XDP socket at key 0 of the xskmap targets \(app 7\) is bound to receive queue 1, and takes nothing that comes by queue 0 of r0/,
        'xdpctl map delete pinned /p/t key 0 && xdpctl xsk bind r0 --queue 0 --map /p/t',
      ],
    ],
  },
  {
    title: 'a socket at the only key, where frames come by other queues as well',
    parts: {
      devices: [{ ...r0, rxQueues: 3, peer: { ...r0.peer!, txQueues: 2 } }],
      programs: [{ ...own, keySource: { key: 2 } }],
      maps: [{ ...xskmap, entries: [socket(2, { queue: 0, pid: 7, comm: 'app' })] }],
    },
    says: [
      [
        'xsk-wrong-queue',
        'certain',
        /at key 2 of the xskmap targets \(app 7\) is bound to receive queue 0, and gets the frames of all 3 that r0 has: those of receive queues 1, 2 are lost$/,
        'ip netns exec S ethtool -L s0 tx 1 && ethtool -L r0 rx 1',
      ],
    ],
  },
  {
    title: 'the same where it is not the first queue that has the socket',
    parts: {
      devices: [{ ...generic, rxQueues: 2 }],
      programs: [{ ...own, keySource: { key: 1 } }],
      maps: [{ ...xskmap, entries: [socket(1)] }],
    },
    says: [
      [
        'xsk-wrong-queue',
        'certain',
        /those of receive queue 0 are lost$/,
        'xdpctl redirect attach r0 --map /p/t --key queue --mode generic --replace',
      ],
    ],
  },
  {
    title: 'the same where nothing tells whether the socket is bound',
    parts: {
      devices: [{ ...r0, rxQueues: 2 }],
      programs: [{ ...own, keySource: { key: 0 } }],
      maps: [{ ...xskmap, entries: [{ key: 0, socket: { queue: 0 } }] }],
    },
    says: [['xsk-wrong-queue', 'likely', /those of receive queue 1 are lost$/, 'ethtool -L r0 rx 1']],
  },
  {
    title: 'a socket at the only key, of the only queue',
    parts: { programs: [{ ...own, keySource: { key: 3 } }], maps: [{ ...xskmap, entries: [socket(3, { queue: 0 })] }] },
    says: [],
  },
  {
    title: 'a socket on another device',
    parts: { programs: [foreign], maps: [{ ...xskmap, entries: [socket(0, { ifindex: r1.ifindex })] }] },
    says: [
      [
        'xsk-wrong-queue',
        'certain',
        /bound to receive queue 0 of r1/,
        'xdpctl map delete pinned /p/t key 0 && xdpctl xsk bind r0 --queue 0 --map /p/t',
      ],
    ],
  },
  {
    title: 'a socket that is not bound',
    parts: { programs: [foreign], maps: [{ ...xskmap, entries: [socket(0, { state: 'unbound', ifindex: 0 })] }] },
    says: [
      [
        'xsk-unbound',
        'certain',
        /is not bound to any device/,
        'xdpctl map delete pinned /p/t key 0 && xdpctl xsk bind r0 --queue 0 --map /p/t',
      ],
    ],
  },
  {
    title: 'a socket whose device is gone',
    parts: { programs: [foreign], maps: [{ ...xskmap, entries: [socket(0, { state: 'device-gone', ifindex: 0 })] }] },
    says: [
      [
        'xsk-unbound',
        'certain',
        /was bound to a device that is gone/,
        'xdpctl map delete pinned /p/t key 0 && xdpctl xsk bind r0 --queue 0 --map /p/t',
      ],
    ],
  },
  {
    title: 'a socket of which only the queue is known',
    parts: { programs: [foreign], maps: [{ ...xskmap, entries: [{ key: 0, socket: { queue: 0 } }] }] },
    says: [],
  },
  {
    title: 'a sender that leaves checksums to be filled in',
    parts: { devices: [{ ...r0, peer: { ...r0.peer!, txChecksum: true } }, r1] },
    says: [
      [
        'delivered-bad-checksum',
        'likely',
        /its peer s0 \(netns S\) leaves checksums to be filled in/,
        'ip netns exec S ethtool -K s0 tx off',
      ],
    ],
  },
  {
    title: 'the same in generic mode',
    parts: { devices: [{ ...generic, peer: { ...r0.peer!, txChecksum: true } }, r1] },
    says: [],
  },
  {
    title: 'a target in another network namespace',
    parts: { devices: [r0, { ...r1, netns: netns.d, ifname: 'd9' }] },
    says: [
      [
        'target-in-other-netns',
        'likely',
        /leads to ifindex 20102, which the network namespace of r0 does not have: d9 \(netns D\)/,
        `${write} 20101 value dev DEV`,
      ],
    ],
  },
  {
    title: 'a target that cannot be found',
    parts: { devices: [r0] },
    says: [
      [
        'target-in-other-netns',
        'likely',
        /a network namespace that cannot be looked into/,
        `${write} 20101 value dev DEV`,
      ],
    ],
  },
];

describe('pathProblems', () => {
  it.each(cases)('$title', ({ parts, says }) => {
    const problems = found(parts);
    expect(problems.map(({ code, certainty, fix }) => ({ code, certainty, fix }))).toEqual(
      says.map(([code, certainty, , fix]) => ({ code, certainty, fix })),
    );
    problems.forEach(({ sentence }, index) => expect(sentence).toMatch(says[index]![2]));
  });

  it('finds no path where no program redirects', () => {
    expect(observedPaths(router({ programs: [{ id: 116, name: 'pass', mapIds: [] }] }))).toEqual([]);
  });

  it('leads into the namespace of --netns from where commands are typed', () => {
    const there = { ...netns.router, name: 'R', shell: false };
    const system: LiveSystem = router({
      devices: [
        { ...r0, netns: there },
        { ...down, netns: there },
      ],
      programs: [own],
      maps: [hash],
    });
    const [path] = observedPaths(system);
    expect(pathProblems(path!, system, [path!])).toMatchObject([{ fix: 'ip netns exec R ip link set dev r1 up' }]);
  });
});
