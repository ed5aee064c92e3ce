import { describe, expect, it } from 'vitest';

import { type XskRow, xskRows, type XskSystem } from '../../../src/cli/xsk/show-rows.ts';
import type { LiveDevice, LiveNetns } from '../../../src/domain/live-system.ts';
import { noXskStatistics } from '../../../src/domain/xsk-statistics.ts';
import type { SurveyedSocket } from '../../../src/kernel/af-xdp/socket-survey.ts';

const here: LiveNetns = { inode: 1, current: true };
const blue: LiveNetns = { inode: 2, name: 'blue', current: false };
const nameless: LiveNetns = { inode: 3, current: false };

function device(ifindex: number, ifname: string, more: Partial<LiveDevice> = {}): LiveDevice {
  return {
    ifindex,
    ifname,
    netns: here,
    up: true,
    mtu: 1500,
    ndoXmit: 'yes',
    ndoXmitSg: 'yes',
    progIds: [],
    rxQueues: 1,
    ...more,
  };
}

const MAP = 7;
/** A socket of queue 0 of eth0, in the map at key 0. */
const bound: SurveyedSocket = {
  inode: 100,
  details: { state: 'bound', ifindex: 2, netns: 1, zeroCopy: false, inode: 100, queue: 0 },
  owners: [{ pid: 50, comm: 'app', fd: 3 }],
  places: [{ mapId: MAP, key: 0 }],
  rings: { rx: { entries: 2048, exact: true }, fill: { entries: 256, exact: false } },
  statistics: { ...noXskStatistics, rx_ring_full: 4 },
};

function socket(inode: number, details: Partial<SurveyedSocket['details']>, key?: number): SurveyedSocket {
  return {
    ...bound,
    inode,
    details: { ...bound.details!, inode, ...details },
    places: key === undefined ? [] : [{ mapId: MAP, key }],
  };
}

function systemOf(sockets: readonly SurveyedSocket[], more: Partial<XskSystem> = {}): XskSystem {
  return {
    survey: { sockets, inNamespace: undefined, mapIds: [MAP], refusal: undefined },
    devices: [device(2, 'eth0', { rxQueues: 2 }), device(3, 'eth1'), device(4, 'eth2', { netns: blue })],
    queues: undefined,
    mapNames: new Map([[MAP, 'sockets']]),
    uses: [{ mapId: MAP, ifindex: 2, netns: 1, byQueue: false }],
    ...more,
  };
}

/** What is wrong, by socket. */
function problems(rows: readonly XskRow[]): unknown {
  return rows.flatMap((row) => (row.inode === undefined ? [] : [[row.inode, ...row.problems]]));
}

describe('xsk show', () => {
  it('puts all that is known of a socket in its row, and a row for the queue beside it that has none', () => {
    expect(xskRows(systemOf([bound]), {})).toEqual([
      {
        ifname: 'eth0',
        ifindex: 2,
        queue: 0,
        state: 'bound',
        mode: 'copy',
        pid: 50,
        comm: 'app',
        inode: 100,
        maps: [{ id: MAP, name: 'sockets', key: 0 }],
        // A ring that fits one page could have any of several sizes.
        rings: { rx: 2048 },
        rings_at_most: { fill: 256 },
        statistics: bound.statistics,
        losses: [{ code: 'xsk-rx-ring-full', count: 4 }],
        problems: [],
      },
      { ifname: 'eth0', ifindex: 2, queue: 1, state: 'free', maps: [], problems: ['queue-without-socket'] },
    ]);
  });

  it('says zero-copy where it is, and lists all holders where there are several', () => {
    const shared = { ...socket(100, { zeroCopy: true }, 0), owners: [...bound.owners, { pid: 51, comm: 'b', fd: 9 }] };
    expect(xskRows(systemOf([shared]), {})[0]).toMatchObject({
      mode: 'zerocopy',
      pid: 50,
      pids: [
        { pid: 50, comm: 'app' },
        { pid: 51, comm: 'b' },
      ],
    });
  });

  it.each([
    ['at the key of its queue', [socket(100, {}, 0)], [[100]]],
    ['at another key', [socket(100, {}, 1)], [[100, 'xsk-wrong-queue']]],
    ['on a device whose program does not use the map', [socket(100, { ifindex: 3 }, 0)], [[100, 'xsk-wrong-queue']]],
    ['on a device of that number elsewhere', [socket(100, { netns: 2 }, 0)], [[100, 'xsk-wrong-queue']]],
    ['not bound', [socket(100, { state: 'unbound', ifindex: 0 }, 0)], [[100, 'xsk-unbound']]],
    ['whose device has gone', [socket(100, { state: 'device-gone', ifindex: 0 }, 0)], [[100, 'xsk-unbound']]],
    ['not bound, and in no map', [socket(100, { state: 'unbound', ifindex: 0 })], [[100]]],
    ['one of several that share a queue', [socket(100, {}, 0), socket(101, {}, 1)], [[100], [101]]],
    [
      'one of two that have different queues, crossed',
      [socket(100, { queue: 1 }, 0), socket(101, {}, 1)],
      [
        [101, 'xsk-wrong-queue'],
        [100, 'xsk-wrong-queue'],
      ],
    ],
  ])('knows what is wrong with a socket %s', (_, sockets, expected) => {
    expect(problems(xskRows(systemOf(sockets), {}))).toEqual(expected);
  });

  it('knows that our own programs look up by queue, however many sockets share one', () => {
    const system = systemOf([socket(100, {}, 0), socket(101, {}, 1)], {
      uses: [{ mapId: MAP, ifindex: 2, netns: 1, byQueue: true }],
    });
    expect(problems(xskRows(system, {}))).toEqual([[100], [101, 'xsk-wrong-queue']]);
  });

  it('finds nothing wrong in a map that no attached program uses, unless the key is not the queue', () => {
    expect(problems(xskRows(systemOf([socket(100, { ifindex: 3 }, 0)], { uses: [] }), {}))).toEqual([[100]]);
    expect(problems(xskRows(systemOf([socket(100, {}, 3)], { uses: [] }), {}))).toEqual([[100, 'xsk-wrong-queue']]);
  });

  it('shows queues that have a socket which could not be found, and calls no other free', () => {
    const system = systemOf([], { queues: [{ ifindex: 2, queue: 1 }] });
    expect(xskRows(system, { ifindex: 2 }).map(({ queue, state }) => [queue, state])).toEqual([
      [0, 'free'],
      [1, 'bound'],
    ]);
  });

  it('shows the queue of a socket that was found once', () => {
    const system = systemOf([bound], { queues: [{ ifindex: 2, queue: 0 }] });
    expect(xskRows(system, { ifindex: 2 }).map(({ queue, inode }) => [queue, inode])).toEqual([
      [0, 100],
      [1, undefined],
    ]);
  });

  it('names the namespace of a socket that is elsewhere, by its number where it has no name', () => {
    const system = systemOf(
      [socket(100, { ifindex: 4, netns: 2 }), socket(101, { ifindex: 5, netns: 3 }), socket(102, { netns: 9 })],
      {
        uses: [],
        devices: [device(4, 'eth2', { netns: blue }), device(5, 'eth3', { netns: nameless })],
      },
    );
    expect(xskRows(system, {}).map(({ ifname, ifindex, netns }) => [ifname, ifindex, netns])).toEqual([
      ['eth3', 5, 3],
      [undefined, 2, 9],
      ['eth2', 4, 'blue'],
    ]);
  });

  it('shows of a device all its queues and nothing else, and of a map its sockets and the queues that want one', () => {
    const system = systemOf([bound, socket(101, { ifindex: 3 }), socket(102, { ifindex: 2, netns: 2 })]);
    expect(xskRows(system, { ifindex: 3 }).map(({ inode }) => inode)).toEqual([101]);
    expect(xskRows(system, { ifindex: 2 }).map(({ inode, state }) => [inode, state])).toEqual([
      [100, 'bound'],
      [undefined, 'free'],
    ]);
    expect(xskRows(system, { mapId: MAP }).map(({ inode, queue }) => [inode, queue])).toEqual([
      [100, 0],
      [undefined, 1],
    ]);
    expect(xskRows(system, { mapId: 8 })).toEqual([]);
  });

  it('shows a socket that may not be looked at as far as it is known', () => {
    const { details: _, statistics: __, rings: ___, ...hidden } = bound;
    expect(xskRows(systemOf([hidden], { uses: [] }), {})).toEqual([
      {
        state: 'unknown',
        pid: 50,
        comm: 'app',
        inode: 100,
        maps: [{ id: MAP, name: 'sockets', key: 0 }],
        problems: [],
      },
    ]);
  });
});
