import { describe, expect, it } from 'vitest';

import { KernelRefusal, type RefusalFacts } from '../../src/domain/errors.ts';
import { explain } from '../../src/domain/explain.ts';

const EPERM = 1;
const EACCES = 13;

const root = {
  capabilities: new Set(['CAP_SYS_ADMIN', 'CAP_NET_ADMIN', 'CAP_BPF', 'CAP_DAC_OVERRIDE']),
  kernelRelease: '6.18.0',
};
const nobody = { capabilities: new Set<string>(), kernelRelease: '6.18.0' };
const map = { mapType: 'devmap', mapId: 5 };

describe('a call that is not permitted', () => {
  it.each<[operation: string, errno: number, facts: RefusalFacts, kind: string, message: string]>([
    [
      'map update',
      EPERM,
      { ...map, frozen: true },
      'refused',
      'devmap 5 is frozen: user space can no longer change it',
    ],
    [
      'map delete',
      EPERM,
      { ...map, frozen: true },
      'refused',
      'devmap 5 is frozen: user space can no longer change it',
    ],
    ['map freeze', EPERM, { ...map, frozen: true }, 'conflict', 'devmap 5 is frozen already'],
    ['map update', EPERM, { ...map, flags: 8 }, 'refused', 'with the flag rdonly: user space cannot change it'],
    ['map delete', EPERM, { ...map, flags: 8 }, 'refused', 'with the flag rdonly: user space cannot change it'],
    ['map lookup', EPERM, { ...map, flags: 16 }, 'refused', 'with the flag wronly: user space cannot read it'],
    ['map getnext', EPERM, { ...map, flags: 16 }, 'refused', 'with the flag wronly: user space cannot read it'],
    ['pin', EPERM, { path: '/sys/fs/bpf/x.1' }, 'usage', "the kernel allows no '.' in names below bpffs"],
    ['pin get', EACCES, { path: '/sys/fs/bpf', directory: true }, 'usage', '/sys/fs/bpf is a directory, not a pin'],
    ['pin get', EACCES, { path: '/etc/passwd', outside: true }, 'usage', 'an ordinary file is no pin'],
  ])('for no want of capabilities: %s, errno %i, %j', (operation, errno, facts, kind, message) => {
    for (const surroundings of [root, nobody]) {
      const error = explain(new KernelRefusal(operation, errno, facts), surroundings);
      expect(error).toMatchObject({ kind, errno, operation, message: expect.stringContaining(message) as string });
    }
  });

  it.each<[operation: string, errno: number, facts: RefusalFacts, message: string]>([
    ['map next id', EPERM, {}, 'listing maps needs CAP_SYS_ADMIN, which this process does not have'],
    ['prog get by id', EPERM, { id: 7 }, 'opening the program with id 7 needs CAP_SYS_ADMIN'],
    ['map create', EPERM, map, 'needs CAP_BPF'],
    ['pin get', EACCES, { path: '/sys/fs/bpf/x' }, 'opening the pin /sys/fs/bpf/x needs CAP_DAC_OVERRIDE'],
    ['pin', EACCES, { path: '/sys/fs/bpf/x' }, 'making the pin /sys/fs/bpf/x needs CAP_DAC_OVERRIDE'],
    ['unpin', EACCES, { path: '/sys/fs/bpf/x' }, 'removing the pin /sys/fs/bpf/x needs CAP_DAC_OVERRIDE'],
    ['unpin', EPERM, { path: '/sys/fs/bpf/x' }, 'removing the pin /sys/fs/bpf/x needs CAP_FOWNER'],
    [
      'netns open',
      EACCES,
      { path: '/proc/1/ns/net' },
      'opening the network namespace /proc/1/ns/net needs CAP_SYS_PTRACE',
    ],
    ['netns open', EACCES, { path: '/x' }, 'opening the network namespace /x needs CAP_DAC_OVERRIDE'],
    ['netns enter', EPERM, { path: '/run/netns/x' }, 'entering the network namespace /run/netns/x needs CAP_SYS_ADMIN'],
  ])('names what is missing: %s, errno %i', (operation, errno, facts, message) => {
    const error = explain(new KernelRefusal(operation, errno, facts), nobody);
    expect(error).toMatchObject({ kind: 'permission', errno, message: expect.stringContaining(message) as string });
    expect(error.hint).toBe('run it as root, or with that capability');
  });

  it('names CAP_NET_ADMIN to one who has CAP_BPF', () => {
    const surroundings = { ...nobody, capabilities: new Set(['CAP_BPF']) };
    expect(explain(new KernelRefusal('map create', EPERM, map), surroundings).message).toContain('needs CAP_NET_ADMIN');
  });

  it('names the limit of locked memory before Linux 5.11, and only there', () => {
    const refusal = new KernelRefusal('map create', EPERM, map);
    expect(explain(refusal, { ...root, kernelRelease: '5.10.0-30-amd64' })).toMatchObject({
      kind: 'permission',
      message: expect.stringContaining('RLIMIT_MEMLOCK') as string,
    });
    expect(explain(refusal, { ...root, kernelRelease: '5.11.0' }).message).not.toContain('RLIMIT_MEMLOCK');
    expect(explain(refusal, { ...nobody, kernelRelease: '5.10.0' }).message).toContain('CAP_BPF');
  });

  it('says in a user namespace of its own that the host is meant', () => {
    const { kind, hint } = explain(new KernelRefusal('map next id', EPERM), { ...nobody, ownUserNamespace: true });
    expect(kind).toBe('permission');
    expect(hint).toContain('run it as root of the host');
    const other = explain(new KernelRefusal('map update', 17, map), { ...nobody, ownUserNamespace: true });
    expect(other.hint ?? '').not.toContain('host');
  });

  it('names no capability to one who has all', () => {
    for (const operation of ['map create', 'pin get', 'netns enter']) {
      const { kind, message } = explain(new KernelRefusal(operation, EACCES, { path: '/x' }), root);
      expect({ kind, message }).toEqual({
        kind: 'permission',
        message: expect.stringMatching(/^the kernel does not permit this/) as string,
      });
    }
  });
});

describe('an errno that stands for several reasons', () => {
  it.each<[operation: string, errno: number, facts: RefusalFacts, kind: string, message: string]>([
    ['map update', 7, { ...map, maxEntries: 8 }, 'usage', 'the key is outside the devmap: keys go from 0 to 7'],
    [
      'map update',
      7,
      { mapType: 'devmap_hash', mapId: 5, maxEntries: 8 },
      'refused',
      'devmap_hash 5 is full: it holds 8',
    ],
    ['map update', 19, { mapType: 'cpumap', cpu: 9, possibleCpus: '0' }, 'usage', 'CPU 9 is no possible CPU'],
    ['map update', 75, { mapType: 'cpumap' }, 'usage', 'qsize is at most 16384'],
    ['map update', 17, map, 'conflict', 'devmap 5 has an entry at this key already'],
    ['map update', 2, map, 'not-found', 'devmap 5 has no entry at this key'],
    ['map lookup', 95, { mapType: 'queue' }, 'unsupported', 'does not let user space look up entries of a queue'],
    ['map delete', 22, { mapType: 'array' }, 'refused', 'entries of an array cannot be deleted'],
    ['map getnext', 524, { mapType: 'queue' }, 'unsupported', 'a queue has no keys to walk through'],
    ['map create', 12, { mapType: 'devmap', maxEntries: 9 }, 'refused', 'not enough memory for a devmap of 9 entries'],
    [
      'map create',
      22,
      { mapType: 'hash', keySize: 4, valueSize: 4, maxEntries: 4, flags: 0x8000_0000 | 0 },
      'usage',
      '4 entries and flags 0x80000000',
    ],
    ['map freeze', 16, map, 'conflict', 'is being written to, or is mapped for writing'],
    ['pin', 17, { path: '/p' }, 'conflict', '/p exists already'],
    ['pin', 2, { path: '/p' }, 'not-found', 'the directory of /p does not exist'],
    ['pin get', 2, { path: '/p' }, 'not-found', 'there is no pin /p'],
    ['pin get', 22, { path: '/p' }, 'usage', '/p is an ordinary file, not a pin'],
    ['map get by id', 2, { id: 3 }, 'not-found', 'there is no map with id 3'],
    ['something new', 2, {}, 'not-found', 'something new failed: '],
    ['something new', 17, {}, 'conflict', 'something new failed: '],
    ['something new', 93, {}, 'unsupported', 'something new failed: '],
    ['something new', 95, {}, 'unsupported', 'something new failed: '],
    ['something new', 5, {}, 'refused', 'something new failed: '],
  ])('%s, errno %i, %j', (operation, errno, facts, kind, message) => {
    const error = explain(new KernelRefusal(operation, errno, facts), root);
    expect(error).toMatchObject({ kind, errno, operation, message: expect.stringContaining(message) as string });
  });
});

it('a map that is too large may be one that later kernels take', () => {
  const facts = { mapType: 'hash', keySize: 8, valueSize: 2_000_000, maxEntries: 10_000 };
  const { kind, message, hint } = explain(new KernelRefusal('map create', 7, facts), root);
  expect({ kind, message, hint }).toEqual({
    kind: 'usage',
    message: 'a hash of 10000 entries, keys of 8 and values of 2000000 bytes is more than the kernel allows',
    hint: 'ask for fewer entries, or smaller ones; before Linux 5.11 all of a map must be less than 4 GiB',
  });
});

describe('a system call that is missing', () => {
  it.each(['map next id', 'map update', 'pin get', 'object load', 'xdp link', 'prog get by id'])(
    'is bpf(2) for %s',
    (operation) => {
      const error = explain(new KernelRefusal(operation, 38, { path: '/p' }), root);
      expect(error).toMatchObject({
        kind: 'unsupported',
        errno: 38,
        message: expect.stringContaining('this kernel has no such system call') as string,
        hint: expect.stringContaining('CONFIG_BPF_SYSCALL') as string,
      });
    },
  );

  it('is another one elsewhere', () => {
    const { kind, hint } = explain(new KernelRefusal('xsk socket', 38, {}), root);
    expect({ kind, hint }).toEqual({ kind: 'unsupported', hint: expect.not.stringContaining('BPF_SYSCALL') as string });
  });
});
