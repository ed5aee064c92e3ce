import { describe, expect, it } from 'vitest';

import { encodeInteger } from '../../src/domain/integer.ts';
import { XskSocket } from '../../src/kernel/af-xdp/socket.ts';
import { BPF_ANY, BpfMap } from '../../src/kernel/map.ts';
import { inNetns } from '../../src/kernel/netns.ts';
import { pinObject } from '../../src/kernel/pin.ts';
import { PinFolder, xdpctl } from '../support/command.ts';
import { kernelHas } from '../support/kernel-has.ts';
import { createWorld, type End, type World } from '../support/world.ts';

const XSKMAP = 17;
const small = { frames: 8, frameSize: 2048, rxSize: 8, fillSize: 8, completionSize: 8 };
const withoutPerfmon = ['setpriv', '--bounding-set=-perfmon,-sys_admin', '--inh-caps=-perfmon,-sys_admin', '--'];

/** A pinned map of 300 slots with a bound socket at key 2 and one that is not bound at key 257, both of this process. */
class PinnedSockets implements Disposable {
  readonly path: string;
  readonly end: End;
  readonly #resources: Disposable[];

  constructor(world: World) {
    const namespace = world.namespace();
    this.end = world.veth({ namespace }, { namespace }).a;
    const folder = new PinFolder();
    this.path = folder.pin('sockets');
    const map = BpfMap.create({
      type: XSKMAP,
      name: 'sockets',
      keySize: 4,
      valueSize: 4,
      maxEntries: 300,
      flags: 0,
    });
    const sockets = [0, 1].map(() => inNetns(namespace, () => XskSocket.open(small)));
    this.#resources = [...sockets, map, folder];
    sockets[0]?.bind(this.end.ifindex, 0, 'copy');
    [2, 257].forEach((key, index) => {
      map.update(encodeInteger(key, 4), encodeInteger(sockets[index]?.fd ?? -1, 4), BPF_ANY);
    });
    pinObject(map.fd, this.path);
  }

  [Symbol.dispose](): void {
    for (const resource of this.#resources) resource[Symbol.dispose]();
  }
}

interface Element {
  readonly key: readonly string[];
  readonly value: unknown;
  readonly formatted: { readonly key: number; readonly value?: Readonly<Record<string, unknown>> };
}

describe('an xskmap', () => {
  it('is dumped with queue, interface, state and owner', () => {
    using world = createWorld();
    using sockets = new PinnedSockets(world);
    const { namespace = '', name, ifindex } = sockets.end;
    const dump = xdpctl(['-j', '--netns', namespace, 'map', 'dump', 'pinned', sockets.path]);
    expect(dump).toMatchObject({ status: 0, stderr: '' });
    const [bound, unbound, ...others] = dump.json() as Element[];
    expect(others).toEqual([]);
    expect(bound).toEqual({
      key: ['0x02', '0x00', '0x00', '0x00'],
      value: ['0x00', '0x00', '0x00', '0x00'],
      formatted: {
        key: 2,
        value: {
          queue: 0,
          state: 'bound',
          mode: 'copy',
          ifindex,
          ifname: name,
          netns: expect.any(Number),
          inode: expect.any(Number),
          pid: process.pid,
          comm: expect.any(String),
        },
      },
    });
    expect(unbound?.formatted).toMatchObject({ key: 257, value: { state: 'unbound', pid: process.pid } });
    expect(unbound?.formatted.value).not.toHaveProperty('queue');

    const table = xdpctl(['--netns', namespace, 'map', 'dump', 'pinned', sockets.path]).stdout.split('\n');
    expect(table[0]).toMatch(/^KEY +QUEUE +INTERFACE +STATE +MODE +OWNER$/);
    expect(table[1]).toMatch(new RegExp(`^ +2 +0 +${name} +bound +copy +.*\\(${process.pid}\\)$`));
    expect(table[2]).toMatch(new RegExp(`^257 +- +unbound +.*\\(${process.pid}\\)$`));
    expect(table[3]).toBe('2 of 300 slots occupied');

    const abroad = xdpctl(['map', 'dump', 'pinned', sockets.path]).stdout;
    expect(abroad).toMatch(new RegExp(`ifindex ${ifindex} in netns [0-9]+ `));
  });

  it('is dumped with its empty slots', () => {
    using world = createWorld();
    using sockets = new PinnedSockets(world);
    const elements = xdpctl(['-j', 'map', 'dump', 'pinned', sockets.path, 'all']).json() as Element[];
    expect(elements.map(({ formatted }) => formatted.key)).toEqual(Array.from({ length: 300 }, (_, key) => key));
    expect(elements.filter(({ formatted }) => formatted.value !== undefined)).toHaveLength(2);
    expect(elements[3]).toEqual({
      key: ['0x03', '0x00', '0x00', '0x00'],
      value: { error: 'No such file or directory' },
      formatted: { key: 3 },
    });
  });

  it('is looked up and walked through', () => {
    using world = createWorld();
    using sockets = new PinnedSockets(world);
    const map = ['pinned', sockets.path];
    const found = xdpctl(['-j', 'map', 'lookup', ...map, 'key', '2']).json() as Element;
    expect(found.formatted).toMatchObject({ key: 2, value: { state: 'bound', queue: 0, pid: process.pid } });
    expect(xdpctl(['map', 'lookup', ...map, 'key', '257']).stdout).toMatch(
      /^key +257\nqueue +-\nstate +unbound\nowner/,
    );
    const absent = xdpctl(['-j', 'map', 'lookup', ...map, 'key', '3']);
    expect(absent).toMatchObject({ status: 3, stdout: '' });
    expect(absent.jsonErrors()).toMatchObject([{ error: { exit: 3, errnoName: 'ENOENT' } }]);
    expect(xdpctl(['map', 'lookup', ...map, 'key', '300']).status).toBe(2);
    expect(xdpctl(['-j', 'map', 'getnext', ...map, 'key', '298']).json()).toMatchObject({
      next_key: ['0x2b', '0x01', '0x00', '0x00'],
    });
    expect(xdpctl(['map', 'getnext', ...map, 'key', '299']).status).toBe(3);
  });

  it('shows the queues alone, and says what is missing, without CAP_PERFMON', () => {
    using world = createWorld();
    using sockets = new PinnedSockets(world);
    const dump = xdpctl(['-j', 'map', 'dump', 'pinned', sockets.path], { wrapper: withoutPerfmon });
    // The verifier of Linux 5.10 wants CAP_PERFMON for the queues too.
    const reads = kernelHas('6.1');
    const message = expect.stringContaining('CAP_PERFMON') as string;
    expect(dump.jsonErrors()).toMatchObject([reads ? { warning: { message } } : { error: { exit: 4, message } }]);
    expect(dump.status).toBe(reads ? 0 : 4);
    const entries = JSON.parse(dump.stdout || '[]') as Element[];
    const queues = [2, 257].map((key) => ({ key, value: { queue: 0 } }));
    expect(entries.map(({ formatted }) => formatted)).toEqual(reads ? queues : []);
  });
});
