import { describe, expect, it } from 'vitest';

import { unnamed, wishOf } from '../../src/domain/path-document.ts';
import { asKey, checkWish } from '../../src/domain/path-wish.ts';
import type { DeviceEntry, RedirectPath } from '../../src/domain/redirect-path.ts';

const device = { ifindex: 2, ifname: 'eth0' };

function path(targets: RedirectPath['targets'], more: Partial<RedirectPath> = {}): RedirectPath {
  const program = {
    kind: 'builtin',
    key: targets.kind === 'sockets' ? 'queue' : 'ingress',
    onMiss: targets.kind === 'sockets' ? 'pass' : 'aborted',
  } as const;
  return { device, mode: 'native', link: false, program, targets, ...more };
}

function devices(entries: readonly DeviceEntry[], broadcast = false, excludeIngress = false): RedirectPath['targets'] {
  return { kind: 'devices', broadcast, excludeIngress, entries };
}

function to(key: number, ifindex: number, more: Partial<DeviceEntry> = {}): DeviceEntry {
  return { key, ifindex, ifname: `eth${ifindex - 2}`, ...more };
}

const mac = { kind: 'own', action: 'pass', dstMac: '02:00:00:00:00:01' } as const;
const foreign = { kind: 'existing', id: 9, handle: '/sys/fs/bpf/e' } as const;

describe('a path in a document', () => {
  it.each<[string, RedirectPath, object]>([
    ['one target', path(devices([to(2, 3)])), { to: ['eth1'] }],
    [
      'by queue',
      path(devices([to(1, 4), to(0, 3)]), { program: { kind: 'builtin', key: 'queue', onMiss: 'drop' } }),
      { to: ['eth1', 'eth2'], key: 'queue', on_miss: 'drop' },
    ],
    [
      'by a key',
      path(devices([to(7, 3)]), { program: { kind: 'builtin', key: { fixed: 7 }, onMiss: 'aborted' } }),
      { to: ['eth1'], key: 7 },
    ],
    ['an entry of somebody else', path(devices([to(2, 3), to(9, 4)])), { to: ['eth1', { dev: 'eth2', key: 9 }] }],
    [
      'a broadcast',
      path(devices([to(3, 3), to(4, 4)], true, true)),
      { to: ['eth1', 'eth2'], broadcast: true, exclude_ingress: true },
    ],
    [
      'the same addresses for all',
      path(devices([to(3, 3, { program: mac }), to(4, 4, { program: mac })], true)),
      { to: ['eth1', 'eth2'], broadcast: true, dst_mac: mac.dstMac },
    ],
    [
      'a program for one',
      path(devices([to(3, 3, { program: foreign }), to(4, 4)], true)),
      { to: [{ dev: 'eth1', egress: foreign.handle }, 'eth2'], broadcast: true },
    ],
    [
      'a counting program',
      path(devices([to(2, 3, { program: { kind: 'own', action: 'pass' } })])),
      { to: ['eth1'], egress: 'builtin:pass' },
    ],
    [
      'CPUs',
      path({
        kind: 'cpus',
        spread: [1, 0],
        entries: [
          { key: 0, qsize: 2048 },
          { key: 1, qsize: 2048 },
        ],
      }),
      { cpus: [1, 0] },
    ],
    [
      'CPUs with a queue',
      path({ kind: 'cpus', spread: [0], entries: [{ key: 0, qsize: 64, program: { kind: 'own', action: 'drop' } }] }),
      { cpus: [0], qsize: 64, prog: 'builtin:drop' },
    ],
    [
      'CPUs that differ',
      path({
        kind: 'cpus',
        spread: [0, 1],
        entries: [
          { key: 0, qsize: 64 },
          { key: 1, qsize: 65, program: foreign },
        ],
      }),
      {
        cpus: [
          { cpu: 0, qsize: 64 },
          { cpu: 1, qsize: 65, prog: foreign.handle },
        ],
      },
    ],
    [
      'sockets',
      path({ kind: 'sockets', queues: 0 }, { mode: 'generic', link: true }),
      { xsk: true, mode: 'generic', link: true },
    ],
    [
      'a map',
      path(
        { kind: 'map', id: 5, type: 'devmap', handle: '/sys/fs/bpf/m', cpus: [] },
        { program: { kind: 'builtin', key: 'queue', onMiss: 'aborted' } },
      ),
      { map: '/sys/fs/bpf/m' },
    ],
    [
      'a map by ingress',
      path({ kind: 'map', id: 5, type: 'devmap_hash', handle: '/sys/fs/bpf/m', cpus: [] }),
      { map: '/sys/fs/bpf/m' },
    ],
    [
      'a cpumap',
      path({ kind: 'map', id: 5, type: 'cpumap', handle: '/sys/fs/bpf/m', cpus: [0] }),
      { map: '/sys/fs/bpf/m' },
    ],
    [
      'a program of the user',
      path({ kind: 'own-maps' }, { program: { kind: 'object', file: '/p.o', name: 'p' } }),
      { object: '/p.o', program: 'p' },
    ],
    [
      'its targets',
      path(devices([to(0, 3)]), { program: { kind: 'object', file: '/p.o', name: 'p' } }),
      { to: [{ dev: 'eth1', key: 0 }], object: '/p.o', program: 'p' },
    ],
  ])('%s', (_, live, wish) => {
    const omitted: string[] = [];
    const made = wishOf(live, (reason) => omitted.push(reason));
    expect(made).toEqual({ dev: 'eth0', ...wish });
    expect(omitted).toEqual([]);
    // What is exported can be applied.
    expect(() => checkWish(made, asKey)).not.toThrow();
  });

  it('says what outlives no boot', () => {
    const omitted: string[] = [];
    const entries = [
      to(2, 3),
      to(5, 4, { ifname: unnamed(4) }),
      to(6, 5, { program: { kind: 'existing', id: 9, handle: 'id:9' } }),
    ];
    expect(wishOf(path(devices(entries)), (reason) => omitted.push(reason))).toEqual({
      dev: 'eth0',
      to: ['eth1', { dev: 'eth3', key: 6, egress: 'id:9' }],
    });
    wishOf(path({ kind: 'map', id: 5, type: 'devmap_hash', handle: 'id:5', cpus: [] }), (reason) =>
      omitted.push(reason),
    );
    expect(omitted).toEqual([
      'ifindex 4, the target of key 5, is not in this network namespace',
      'program 9 has no pin',
      'map 5 has no pin',
    ]);
  });
});
