import { describe, expect, it } from 'vitest';

import { asKey, asOption, checkWish, type PathWish } from '../../src/domain/path-wish.ts';

describe('a path as it is written', () => {
  it.each<Omit<PathWish, 'dev'>>([
    { to: ['eth1'] },
    { to: ['eth1'], key: 'queue' },
    { to: ['eth1', 'eth2'], key: 'queue' },
    { to: ['eth1', 'eth1'], key: 'queue' },
    { to: ['eth1', 'eth2'], broadcast: true, exclude_ingress: true },
    { to: ['eth1', { dev: 'eth2', key: 7 }] },
    { to: ['eth1'], dst_mac: '02:00:00:00:00:01', src_mac: '02:00:00:00:00:0A' },
    { to: ['eth1'], egress: 'builtin:drop', broadcast: true },
    { cpus: [0, { cpu: 1, qsize: 16384 }], qsize: 1, prog: 'builtin:drop' },
    { xsk: true },
    { xsk: true, key: 3, on_miss: 'drop' },
    { map: '/sys/fs/bpf/m', key: 0, mode: 'generic', link: true },
    { object: 'p.o' },
    { object: 'p.o', program: 'p', to: ['eth1', 'eth2'], key: 'queue' },
    { object: 'p.o', cpus: [0] },
  ])('is taken: %j', (wish) => {
    expect(() => checkWish({ dev: 'eth0', ...wish }, asOption)).not.toThrow();
  });

  it.each<[Omit<PathWish, 'dev'>, string]>([
    [{}, 'the target is missing'],
    [{ key: 1 }, 'the target is missing'],
    [{ to: [] }, '--to names nothing'],
    [{ cpus: [] }, '--cpus names nothing'],
    [{ to: ['eth1'], xsk: true }, '--to and --xsk exclude each other'],
    [{ cpus: [0], map: 'm' }, '--cpus and --map exclude each other'],
    [{ xsk: true, broadcast: true }, '--broadcast goes with --to only'],
    [{ to: ['eth1'], exclude_ingress: true }, '--exclude-ingress goes with --broadcast only'],
    [{ map: 'm', egress: 'p' }, '--egress goes with --to only'],
    [{ xsk: true, dst_mac: 'x' }, '--dst-mac goes with --to only'],
    [{ to: ['eth1'], qsize: 5 }, '--qsize goes with --cpus only'],
    [{ to: ['eth1'], program: 'p' }, '--program goes with --object only'],
    [
      { to: ['eth1'], egress: 'p', dst_mac: '02:00:00:00:00:01' },
      '--dst-mac does not go with --egress: they rewrite in an egress program of their own',
    ],
    [
      { to: ['eth1'], broadcast: true, key: 'queue' },
      '--key does not go with --broadcast: a broadcast ignores the key',
    ],
    [
      { to: ['eth1'], broadcast: true, on_miss: 'pass' },
      '--on-miss does not go with --broadcast: a broadcast misses nothing',
    ],
    [
      { object: 'p.o', on_miss: 'pass' },
      "--on-miss does not go with --object: what happens on a miss is for the program's own code to decide",
    ],
    [
      { object: 'p.o', to: ['eth1'], broadcast: true },
      '--object does not go with --broadcast: whether to broadcast is for the program to decide',
    ],
    [{ cpus: [0], key: 0 }, '--key does not go with --cpus: the CPU is chosen by the flow'],
    [{ xsk: true, key: 'ingress' }, '--key ingress does not go with --xsk: a socket is bound to a queue'],
    [{ to: ['eth1', 'eth2'] }, '2 targets, and nothing says which frames go where'],
    [{ to: ['eth1', 'eth1'], broadcast: true }, 'the target eth1 is named twice'],
    [{ object: 'p.o', to: ['eth1'] }, '--to with --object needs --key'],
    [{ cpus: [0], qsize: 0 }, 'qsize 0 is out of range: 1 to 16384'],
    [{ cpus: [{ cpu: 0, qsize: 16385 }] }, 'qsize 16385 is out of range: 1 to 16384'],
    [{ to: ['eth1'], src_mac: '02:00:00:00:00' }, "'02:00:00:00:00' is no MAC address"],
    [{ to: [{ dev: 'eth1', dst_mac: '02-00-00-00-00-01' }] }, "'02-00-00-00-00-01' is no MAC address"],
    [
      { to: [{ dev: 'eth1', egress: 'p', src_mac: '02:00:00:00:00:01' }] },
      'the target eth1 has both an egress program and MAC addresses',
    ],
  ])('is refused: %j', (wish, message) => {
    expect(() => checkWish({ dev: 'eth0', ...wish }, asOption)).toThrow(message);
  });

  it('is talked about as it was written', () => {
    const wish = { dev: 'eth0', to: ['eth1'], exclude_ingress: true };
    expect(() => checkWish(wish, asOption)).toThrow('--exclude-ingress goes with --broadcast only');
    expect(() => checkWish(wish, asKey)).toThrow('"exclude_ingress" goes with "broadcast" only');
  });
});
