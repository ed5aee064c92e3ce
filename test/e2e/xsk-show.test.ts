import { describe, expect, it } from 'vitest';

import { encodeInteger } from '../../src/domain/integer.ts';
import { XskSocket } from '../../src/kernel/af-xdp/socket.ts';
import { BPF_ANY, BpfMap } from '../../src/kernel/map.ts';
import { inNetns } from '../../src/kernel/netns.ts';
import { pinObject } from '../../src/kernel/pin.ts';
import { PinFolder, startXdpctl, xdpctl } from '../support/command.ts';
import { sendFrames } from '../support/frames.ts';
import { tool } from '../support/tool.ts';
import { createWorld, type End, type World } from '../support/world.ts';

interface Row {
  readonly ifname?: string;
  readonly netns?: string | number;
  readonly queue?: number;
  readonly state: string;
  readonly pid?: number;
  readonly maps: readonly { readonly id: number; readonly key: number }[];
  readonly problems: readonly string[];
}

const small = { frames: 8, frameSize: 2048, rxSize: 8, fillSize: 8, completionSize: 8 };
const withoutRights = 'perfmon,sys_admin,sys_ptrace';

function pairIn(world: World): { readonly a: End; readonly b: End; readonly namespace: string } {
  const namespace = world.namespace();
  return { ...world.veth({ namespace }, { namespace }), namespace };
}

/** An end with two receive queues. */
function twoQueues(world: World): { readonly a: End; readonly b: End; readonly namespace: string } {
  const pair = pairIn(world);
  tool('nsenter', [`--net=/run/netns/${pair.namespace}`, 'ethtool', '-L', pair.a.name, 'rx', '2']);
  return pair;
}

function show(namespace: string, ...words: string[]): Row[] {
  const result = xdpctl(['-j', '--netns', namespace, 'xsk', 'show', ...words]);
  expect(result).toMatchObject({ status: 0, stderr: '' });
  return result.json() as Row[];
}

describe('xsk show', () => {
  it('shows socket, owner, map, rings and statistics, and the queue without a socket', async () => {
    using world = createWorld();
    const { a, b, namespace } = twoQueues(world);
    const rings = ['--rx-size', '512', '--frames', '1', '--fill-size', '1024'];
    const words = ['--netns', namespace, 'xsk', 'bind', a.name, '--queue', '0', '--attach', ...rings];
    await using command = startXdpctl(words);
    await command.ready();
    command.child.kill('SIGSTOP');
    sendFrames(b, { count: 3 });
    const map = Number(/xskmap (\d+)/.exec(command.stderr)?.[1]);
    const rows = show(namespace, a.name);
    expect(rows).toEqual([
      {
        ifname: a.name,
        ifindex: a.ifindex,
        queue: 0,
        state: 'bound',
        mode: 'copy',
        pid: expect.any(Number),
        comm: expect.any(String),
        inode: expect.any(Number),
        maps: [{ id: map, name: 'targets', key: 0 }],
        rings: { rx: 512, fill: 1024 },
        rings_at_most: { completion: 256 },
        statistics: expect.objectContaining({ rx_dropped: 2 }),
        losses: [{ code: 'xsk-fill-ring-empty', count: 2 }],
        problems: [],
      },
      { ifname: a.name, ifindex: a.ifindex, queue: 1, state: 'free', maps: [], problems: ['queue-without-socket'] },
    ]);
    expect(show(namespace, 'id', String(map))).toEqual(rows);
    const table = xdpctl(['--netns', namespace, 'xsk', 'show', a.name]).stdout;
    expect(table).toMatch(
      new RegExp(`^${a.name} +0 +bound +copy +\\S+\\(\\d+\\) +${map} key 0 +512/-/1024/<=256 +2 +xsk-fill`, 'm'),
    );
    command.child.kill('SIGCONT');
    // Looking at it has not kept the queue.
    expect((await command.stop()).status).toBe(0);
    await expect.poll(() => show(namespace, a.name).map(({ state }) => state)).toEqual(['free', 'free']);
  });

  it('names entries whose socket is not bound, or bound elsewhere', () => {
    using world = createWorld();
    using folder = new PinFolder();
    const { a, namespace } = pairIn(world);
    using map = BpfMap.create({ type: 17, name: 'sockets', keySize: 4, valueSize: 4, maxEntries: 4, flags: 0 });
    pinObject(map.fd, folder.pin('sockets'));
    using unbound = XskSocket.open(small);
    using misplaced = inNetns(namespace, () => XskSocket.open(small));
    expect(misplaced.bind(a.ifindex, 0, 'copy')).toBe(true);
    map.update(encodeInteger(1, 4), encodeInteger(unbound.fd, 4), BPF_ANY);
    map.update(encodeInteger(2, 4), encodeInteger(misplaced.fd, 4), BPF_ANY);
    const rows = show(namespace, folder.pin('sockets'));
    expect(rows).toMatchObject([
      { ifname: a.name, queue: 0, state: 'bound', maps: [{ key: 2 }], problems: ['xsk-wrong-queue'], pid: process.pid },
      { state: 'unbound', maps: [{ key: 1 }], problems: ['xsk-unbound'], pid: process.pid },
    ]);
  });

  it('finds a socket that is in no map, and names the namespace of one that is elsewhere', () => {
    using world = createWorld();
    const { a, namespace } = pairIn(world);
    using socket = inNetns(namespace, () => XskSocket.open(small));
    expect(socket.bind(a.ifindex, 0, 'copy')).toBe(true);
    expect(show(namespace, a.name)).toMatchObject([{ queue: 0, state: 'bound', maps: [], pid: process.pid }]);
    const rows = xdpctl(['-j', 'xsk', 'show']).json() as Row[];
    expect(rows.find(({ ifname }) => ifname === a.name)).toMatchObject({ netns: namespace, state: 'bound' });
  });

  it('shows the queues of an interface without sockets, and says so of an unknown one', () => {
    using world = createWorld();
    const { a, namespace } = pairIn(world);
    expect(show(namespace, 'dev', a.name)).toEqual([
      { ifname: a.name, ifindex: a.ifindex, queue: 0, state: 'free', maps: [], problems: [] },
    ]);
    expect(xdpctl(['xsk', 'show', 'nosuch0'])).toMatchObject({
      status: 3,
      stderr: expect.stringContaining("there is no interface and no map named 'nosuch0'") as string,
    });
    expect(xdpctl(['xsk', 'show', 'dev', 'nosuch0']).status).toBe(3);
    expect(xdpctl(['xsk', 'show', 'lo', 'lo']).status).toBe(2);
  });

  it('says what it cannot see, and still shows that the queue is taken', () => {
    using world = createWorld();
    const { a, namespace } = pairIn(world);
    using socket = inNetns(namespace, () => XskSocket.open(small));
    expect(socket.bind(a.ifindex, 0, 'copy')).toBe(true);
    const drop = `-${withoutRights.replaceAll(',', ',-')}`;
    const result = xdpctl(['-j', 'xsk', 'show', a.name], {
      namespace,
      wrapper: ['setpriv', `--bounding-set=${drop}`, `--inh-caps=${drop}`, '--'],
    });
    expect(result.status).toBe(0);
    expect(result.json()).toMatchObject([{ queue: 0, state: 'bound', maps: [] }]);
    expect(result.jsonErrors()).toContainEqual({ warning: { message: expect.stringContaining('CAP_SYS_ADMIN') } });
  });
});
