import { describe, expect, it } from 'vitest';

import { bpftool, entry, expectRefusal, hex, type Row, typed, useMapTable } from '../support/map-table.ts';

/**
 * What bpftool does with good and bad input on redirect maps was measured; each row here is a case of that table, with what
 * xdpctl does instead.
 */
const table = useMapTable();

describe('update writes', () => {
  it.each([
    ['bytes', 'map update pinned @/devmap key 0 0 0 0 value BYTES 0 0 0 0 any', 'devmap', 0],
    ['bytes after hex', 'map update @/devmap key hex 02 00 00 0x00 value BYTES 0 0 0 0', 'devmap', 2],
    ['an integer key', 'map update @/devmap key 3 value BYTES 0 0 0 0', 'devmap', 3],
    ['a key as one 0x word', 'map update @/devmap key 0x00000003 value NEAR', 'devmap', 3],
    ['an interface', 'map update @/devmap key 4 value near0', 'devmap', 4],
    ['an interface after dev', 'map update @/devmap key 4 value dev near0 any', 'devmap', 4],
    ['an ifindex', 'map update @/devmap key 1 value NEAR exist', 'devmap', 1],
    ['no program, by its bytes', 'map update @/devmap key 6 value BYTES 255 255 255 255', 'devmap', 6],
    ['value before key', 'map update @/devmap value near0 key 7', 'devmap', 7],
    ['an empty slot only', 'map update @/devmap key 0 value near0 noexist', 'devmap', 0],
    ['an occupied slot only', 'map update @/devmap key 1 value near0 exist', 'devmap', 1],
    ['a new key of a hash', 'map update @/hash key 5 value near0 noexist', 'hash', 5],
    ['a key of a hash that is there', 'map update @/hash key 77 value near0 exist', 'hash', 77],
    ['an interface as the key', 'map update @/hash key near0 value near0', 'hash', -1],
  ])('%s', async (_what, command, pin, key) => {
    const { status, stdout, stderr } = await typed(command);
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(entry(pin, key === -1 ? table.near : key)).toBe(hex(table.near, 0));
  });

  it('a program of the right kind, which is read back by its id', async () => {
    for (const [pin, value, program] of [
      ['devmap', 'near0', 'egress'],
      ['cpumap', 'qsize 64', 'percpu'],
    ] as const) {
      const { status, stderr } = await typed(`map update @/${pin} key 0 value ${value} prog @/${program}`);
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      const [{ output }] = JSON.parse(bpftool(`prog show pinned @/${program}`)) as [{ output: { id: number } }];
      expect(entry(pin, 0)).toBe(hex(pin === 'devmap' ? table.near : 64, output.id));
    }
  });

  it('what the kernel calls queues', async () => {
    for (const command of ['value 64', 'value qsize 64', 'value 64 0 0 0 0 0 0 0', 'value 64 exist']) {
      expect(await typed(`map update @/cpumap key 0 ${command}`)).toMatchObject({ status: 0, stderr: '' });
      expect(entry('cpumap', 0)).toBe(hex(64, 0));
      bpftool('map update pinned @/cpumap key 0 0 0 0 value 192 0 0 0 0 0 0 0');
    }
    expect(await typed('map update @/cpumap key 1 value 16384 noexist')).toMatchObject({ status: 0, stderr: '' });
    expect(entry('cpumap', 1)).toBe(hex(16384, 0));
  });
});

describe('update refuses', () => {
  it.each<Row>([
    { command: '@/devmap key 0 value 3', exit: 3, says: 'there is no interface with ifindex 3' },
    {
      command: '@/devmap key 0 0 0 value near0',
      exit: 2,
      says: "key needs 4 byte words, and there are 3 before 'value'",
    },
    { command: '@/devmap key 0 0 0 0 value 3 0', exit: 2, says: 'value needs 8 byte words, and there are 2' },
    {
      command: '@/devmap key 0 0 0 0 0 value near0',
      exit: 2,
      says: "key is 4 bytes, and there are more byte words: '0'",
    },
    { command: '@/narrow key 0 value BYTES 0', exit: 2, says: "value is 4 bytes, and there are more byte words: '0'" },
    { command: '@/devmap key hex 0 0 0 0 0 value near0', exit: 2, says: 'there are more byte words' },
    {
      command: '@/devmap key 256 0 0 0 value near0',
      exit: 2,
      says: 'byte 0 of the key 256 is out of range: at most 255',
    },
    { command: '@/devmap key 0x1ff 0 0 0 value near0', exit: 2, says: 'byte 0 of the key 0x1ff is out of range' },
    { command: '@/devmap key hex 100 0 0 0 value near0', exit: 2, says: "'100' is not a hexadecimal byte of the key" },
    { command: '@/devmap key 010 0 0 0 value near0', exit: 2, says: 'begins with a zero' },
    { command: '@/devmap key -1 value near0', exit: 2, says: 'the key cannot be negative: -1' },
    { command: '@/devmap key -1 0 0 0 value near0', exit: 2, says: 'cannot be negative: -1' },
    { command: '@/devmap key 4294967296 value near0', exit: 2, says: 'the key 4294967296 is out of range' },
    { command: '@/devmap key  value near0', exit: 2, says: 'empty word' },
    { command: '@/devmap key 8 value near0', exit: 2, says: 'key 8 is outside the devmap: its 8 keys go from 0 to 7' },
    { command: '@/cpumap key 64 value 64', exit: 2, says: 'key 64 is outside the cpumap' },
    { command: '@/xskmap key 8 value fd 0', exit: 2, says: 'key 8 is outside the xskmap' },
    { command: '@/array key 4 value 1', exit: 2, says: 'key 4 is outside the array' },
    { command: '@/devmap value near0', exit: 2, says: "the word 'key' is missing" },
    { command: '@/devmap key 0', exit: 2, says: "the word 'value' is missing" },
    { command: '@/devmap key 0 value', exit: 2, says: 'the value is missing' },
    { command: '@/devmap key 0 value 999999', exit: 3, says: 'there is no interface with ifindex 999999' },
    { command: '@/devmap key 0 value 999999 --dry-run', exit: 3, says: 'there is no interface with ifindex 999999' },
    { command: '@/devmap key 0 value FAR', exit: 3, says: 'in this network namespace' },
    { command: '@/devmap key 0 value far0', exit: 3, says: "there is no interface 'far0' in this network namespace" },
    { command: '@/devmap key 0 value near0\0', exit: 3, says: 'there is no interface' },
    { command: '@/devmap key 0 value near0\0 --dry-run', exit: 3, says: 'there is no interface' },
    { command: '@/devmap key far0 value near0', exit: 3, says: "there is no interface 'far0'" },
    { command: '@/devmap key 1 value 0', exit: 2, says: 'ifindex 0 is no interface' },
    { command: '@/devmap key 1 value 0 0 0 0 0 0 0 0', exit: 2, says: 'map delete' },
    { command: '@/hash key 77 value 0', exit: 2, says: 'ifindex 0 is no interface' },
    {
      command: '@/devmap key 1 value near0 noexist',
      exit: 6,
      says: 'key 1 of the devmap has an entry already (EEXIST)',
    },
    { command: '@/devmap key 0 value near0 exist', exit: 3, says: 'key 0 of the devmap has no entry (ENOENT)' },
    { command: '@/hash key 77 value near0 noexist', exit: 6, says: 'has an entry at this key already' },
    { command: '@/hash key 5 value near0 exist', exit: 3, says: 'key 5 of the devmap_hash has no entry' },
    { command: '@/cpumap key 0 value 64 noexist', exit: 6, says: 'key 0 of the cpumap has an entry already' },
    { command: '@/cpumap key 1 value 64 exist', exit: 3, says: 'key 1 of the cpumap has no entry' },
    { command: '@/cpumap key 63 value 64', exit: 2, says: 'CPU 63 is no possible CPU of this machine' },
    { command: '@/cpumap key 0 value 16385', exit: 2, says: 'qsize 16385 is out of range: at most 16384' },
    { command: '@/cpumap key 0 value 0', exit: 2, says: 'qsize 0 would remove the entry' },
    { command: '@/cpumap key 0 value 0 0 0 0 0 0 0 0', exit: 2, says: 'map delete' },
    { command: '@/xskmap key 0 value 15 39 0 0', exit: 2, says: 'descriptor 9999 is no open socket' },
    { command: '@/xskmap key 0 value fd 9999', exit: 2, says: 'descriptor 9999 is no open socket of this process' },
    { command: '@/xskmap key 0 value near0', exit: 2, says: "is an AF_XDP socket, not 'near0'" },
    { command: '@/devmap key 0 value BYTES 110 2 0 0', exit: 2, says: 'descriptor 622, in bytes 4 to 7 of the value' },
    {
      command: '@/cpumap key 0 value 64 0 0 0 110 2 0 0',
      exit: 2,
      says: 'descriptor 622, in bytes 4 to 7 of the value',
    },
    { command: '@/devmap key 0 value BYTES pinned @/egress', exit: 2, says: "before 'pinned'" },
    { command: '@/devmap key 0 value near0 prog @/pass', exit: 2, says: 'was not loaded for xdp/devmap' },
    { command: '@/devmap key 0 value near0 prog @/percpu', exit: 2, says: 'was not loaded for xdp/devmap' },
    { command: '@/devmap key 0 value near0 prog @/pass --dry-run', exit: 2, says: 'was not loaded for xdp/devmap' },
    { command: '@/cpumap key 0 value 64 prog @/egress', exit: 2, says: 'was not loaded for xdp/cpumap' },
    { command: '@/cpumap key 0 value 64 prog @/pass', exit: 2, says: 'was not loaded for xdp/cpumap' },
    { command: '@/narrow key 0 value near0 prog @/egress', exit: 2, says: 'values of 4 bytes, which have no room' },
    { command: '@/devmap key 0 value near0 prog @/devmap', exit: 2, says: 'is a pinned map, not a program' },
    { command: '@/devmap key 0 value near0 prog @/none', exit: 3, says: 'there is no pin' },
    {
      command: '@/devmap key 0 value near0 prog id 4294967294',
      exit: 3,
      says: 'there is no program with id 4294967294',
    },
    { command: '@/frozen key 0 value near0', exit: 1, says: 'is frozen: user space can no longer change it (EPERM)' },
    { command: '@/frozen key 0 value near0 --dry-run', exit: 1, says: 'is frozen' },
    { command: '@/devmap key 0 value near0 any trailing', exit: 2, says: "unexpected word 'trailing'" },
    { command: '@/devmap key 0 value near0 sometimes', exit: 2, says: "unexpected word 'sometimes'" },
    { command: '@/devmap ky 0 value near0', exit: 2, says: "expected 'key', not 'ky'" },
    { command: '@/array key 0 value 4294967296', exit: 2, says: 'the value 4294967296 is out of range' },
    { command: '@/array key 0 value near0', exit: 2, says: "the value must be a number, not 'near0'" },
  ])('$command', ({ command, ...row }) => expectRefusal({ command: `map update ${command}`, ...row }));

  it('a devmap_hash that is full', async () => {
    bpftool(`map update pinned @/hash key 78 0 0 0 value BYTES 0 0 0 0`);
    await expectRefusal({
      command: 'map update @/hash key 79 value near0',
      exit: 1,
      says: 'is full: it holds 2 entries',
    });
  });
});
