import { statSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { encodeInteger } from '../../src/domain/integer.ts';
import { XskSocket } from '../../src/kernel/af-xdp/socket.ts';
import { BPF_ANY, BpfMap } from '../../src/kernel/map.ts';
import { inNetns } from '../../src/kernel/netns.ts';
import { socketOwners } from '../../src/kernel/socket-owners.ts';
import { XskmapReader } from '../../src/kernel/xskmap-reader.ts';
import { expectNothingNew, kernelState } from '../support/leaks.ts';
import { createWorld, setLink } from '../support/world.ts';

const XSKMAP = 17;
const small = { frames: 8, frameSize: 2048, rxSize: 8, fillSize: 8, completionSize: 8 };

describe('the reader of XSKMAPs', () => {
  it('tells queue, device, namespace, state, mode and owner of each socket', async () => {
    const before = kernelState();
    {
      using world = createWorld();
      const namespace = world.namespace();
      const { a } = world.veth({ namespace }, { namespace });
      using map = xskmap(400);
      using bound = inNetns(namespace, () => XskSocket.open(small));
      using unbound = XskSocket.open(small);
      expect(bound.bind(a.ifindex, 0, 'auto')).toBe(true);
      enter(map, 0, unbound);
      enter(map, 399, bound);
      using reader = new XskmapReader(map);
      expect(reader.refusal).toBeUndefined();
      const [first, second, ...others] = reader.entries();
      expect(others).toEqual([]);
      expect(first).toEqual({
        key: 0,
        queue: 0,
        details: {
          ifindex: 0,
          state: 'unbound',
          netns: netnsOf('/proc/self/ns/net'),
          zeroCopy: false,
          inode: expect.any(Number),
        },
      });
      expect(second).toMatchObject({
        key: 399,
        queue: 0,
        details: { ifindex: a.ifindex, state: 'bound', netns: netnsOf(`/run/netns/${namespace}`), zeroCopy: false },
      });
      const inodes = [first, second].map((entry) => entry?.details?.inode ?? 0);
      const owners = socketOwners(new Set(inodes));
      expect(inodes.map((inode) => owners.get(inode))).toMatchObject([
        [{ pid: process.pid, fd: unbound.fd }],
        [{ pid: process.pid, fd: bound.fd }],
      ]);
      expect(reader.entry(399)).toEqual(second);
      expect(reader.entry(398)).toBeUndefined();
    }
    await expectNothingNew(before);
  });

  it('tells a socket whose device has gone from one that was never bound', () => {
    using world = createWorld();
    const namespace = world.namespace();
    const { a } = world.veth({ namespace }, { namespace });
    using map = xskmap(1);
    using socket = inNetns(namespace, () => XskSocket.open(small));
    expect(socket.bind(a.ifindex, 0, 'copy')).toBe(true);
    enter(map, 0, socket);
    setLink(namespace, 'del', a.name);
    using reader = new XskmapReader(map);
    expect(reader.entry(0)).toMatchObject({ details: { state: 'device-gone', ifindex: 0 } });
  });

  it('reads every key of a map of any size once', () => {
    using socket = XskSocket.open(small);
    for (const size of [1, 108, 109, 110, 255, 256, 257, 513]) {
      using map = xskmap(size);
      for (let key = 0; key < size; key += 1) enter(map, key, socket);
      using reader = new XskmapReader(map);
      expect([...reader.entries()].map(({ key }) => key)).toEqual(Array.from({ length: size }, (_, key) => key));
    }
  });

  it('finds a few sockets among 65,536 slots', () => {
    using socket = XskSocket.open(small);
    using map = xskmap(65_536);
    const keys = [0, 255, 256, 32_767, 65_535];
    for (const key of keys) enter(map, key, socket);
    using reader = new XskmapReader(map);
    expect([...reader.entries()].map(({ key }) => key)).toEqual(keys);
  });
});

function xskmap(maxEntries: number): BpfMap {
  return BpfMap.create({ type: XSKMAP, name: 'sockets', keySize: 4, valueSize: 4, maxEntries, flags: 0 });
}

function enter(map: BpfMap, key: number, socket: XskSocket): void {
  map.update(encodeInteger(key, 4), encodeInteger(socket.fd, 4), BPF_ANY);
}

function netnsOf(path: string): number {
  return statSync(path).ino;
}
