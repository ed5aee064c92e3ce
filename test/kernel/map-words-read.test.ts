import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { bpftool, entry, expectRefusal, hex, type Row, typed, useMapTable } from '../support/map-table.ts';
import { runHere } from '../support/run-here.ts';
import { fixtureName } from '../support/run-id.ts';
import { tool } from '../support/tool.ts';

/**
 * What bpftool does with good and bad input on redirect maps was measured; each row here is a case of that table, with what
 * xdpctl does instead.
 */
const table = useMapTable();

async function keyAfter(words: string): Promise<unknown> {
  return (await typed(`-j map getnext @/devmap${words}`)).json();
}

describe('lookup, dump, delete and getnext', () => {
  it('show an entry by name', async () => {
    const { status, stdout, stderr } = await typed('map lookup @/devmap key 1');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toBe(`key        1\nifindex    ${table.near}\ninterface  near0\n`);
    expect((await typed('-j map lookup @/devmap key 1 0 0 0')).json()).toEqual({
      key: ['0x01', '0x00', '0x00', '0x00'],
      value: [...new Uint8Array(Uint32Array.of(table.near, 0).buffer)].map(
        (byte) => `0x${byte.toString(16).padStart(2, '0')}`,
      ),
      formatted: { key: 1, value: { ifindex: table.near, ifname: 'near0' } },
    });
  });

  it('dump occupied slots, and all when asked to', async () => {
    const occupied = (await typed('-j map dump @/devmap')).json() as object[];
    expect(occupied).toHaveLength(1);
    const all = (await typed('-j map dump @/devmap all')).json() as { value: object }[];
    expect(all).toHaveLength(8);
    expect(all[0]?.value).toEqual({ error: 'No such file or directory' });
    expect((await typed('map dump @/devmap')).stdout).toContain('1 of 8 slots occupied\n');
  });

  it('give no name to an interface of another namespace', async () => {
    const here = (await typed('-j map dump @/devmap')).json();
    const there = (await runHere('--netns', table.other, '-j', 'map', 'dump', table.pins.pin('devmap'))).json();
    expect(here).toMatchObject([{ formatted: { value: { ifindex: table.near, ifname: 'near0' } } }]);
    expect(there).toEqual([expect.objectContaining({ formatted: { key: 1, value: { ifindex: table.near } } })]);
  });

  it('dump an xskmap instead of an error for each slot', async () => {
    expect(await typed('-j map dump @/xskmap')).toMatchObject({ status: 0, stdout: '[]\n', stderr: '' });
  });

  it('show a slot that emptied itself when its device went', async () => {
    const { a } = table.world.veth({ namespace: table.namespace }, { namespace: table.namespace });
    await typed(`map update @/devmap key 2 value ${a.name}`);
    expect(entry('devmap', 2)).toBe(hex(a.ifindex, 0));
    tool('ip', ['-n', table.namespace, 'link', 'del', a.name]);
    const result = await typed('map lookup @/devmap key 2');
    expect(result).toMatchObject({ status: 3, stderr: expect.stringContaining('has no entry at key 2') as string });
  });

  it.each([
    ['map delete @/devmap key 1', 'devmap', 1],
    ['map delete --strict @/devmap key 1', 'devmap', 1],
    ['map delete @/hash key 77', 'hash', 77],
    ['map delete @/cpumap key 0', 'cpumap', 0],
    ['map delete @/devmap key 0', 'devmap', 0],
    ['map delete @/cpumap key 1', 'cpumap', 1],
    ['map delete @/xskmap key 1', 'xskmap', 1],
  ])('%s', async (command, pin, key) => {
    expect(await typed(command)).toMatchObject({ status: 0, stdout: '', stderr: '' });
    expect(entry(pin, key)).toBeUndefined();
  });

  it('walk through the keys', async () => {
    expect(await keyAfter('')).toEqual({ key: null, next_key: ['0x00', '0x00', '0x00', '0x00'] });
    expect(await keyAfter(' key 6')).toEqual({
      key: ['0x06', '0x00', '0x00', '0x00'],
      next_key: ['0x07', '0x00', '0x00', '0x00'],
    });
    expect((await typed('-j map getnext @/hash key 5')).json()).toMatchObject({
      next_key: ['0x4d', '0x00', '0x00', '0x00'],
    });
  });

  it.each<Row>([
    { command: 'map lookup @/devmap key 0', exit: 3, says: 'the devmap has no entry at key 0 (ENOENT)' },
    { command: 'map lookup @/devmap key 8', exit: 2, says: 'key 8 is outside the devmap' },
    { command: 'map lookup @/devmap key 0 0', exit: 2, says: 'key needs 4 byte words, and there are 2' },
    { command: 'map lookup @/devmap key 0x00000000 trailing', exit: 2, says: "unexpected word 'trailing'" },
    { command: 'map lookup @/devmap', exit: 2, says: "the word 'key' is missing" },
    { command: 'map lookup @/xskmap key 1', exit: 3, says: 'has no entry at key 1' },
    { command: 'map dump @/devmap trailing', exit: 2, says: "unexpected word 'trailing'" },
    { command: 'map delete @/devmap', exit: 2, says: "the word 'key' is missing" },
    { command: 'map delete --strict @/devmap key 0', exit: 3, says: 'has no entry at key 0' },
    { command: 'map delete --strict @/cpumap key 1', exit: 3, says: 'has no entry at key 1' },
    { command: 'map delete --strict @/xskmap key 1', exit: 3, says: 'has no entry at key 1' },
    { command: 'map delete @/hash key 5 --dry-run', exit: 3, says: 'has no entry at key 5' },
    { command: 'map delete @/array key 0 --dry-run', exit: 1, says: 'entries of an array cannot be deleted' },
    { command: 'map delete @/frozen key 0 --dry-run', exit: 1, says: 'is frozen' },
    { command: 'map delete --strict @/devmap key 0 --dry-run', exit: 3, says: 'has no entry at key 0' },
    { command: 'map delete @/hash key 5', exit: 3, says: 'has no entry at key 5' },
    { command: 'map delete @/devmap key 8', exit: 2, says: 'key 8 is outside the devmap' },
    { command: 'map delete @/array key 0', exit: 1, says: 'entries of an array cannot be deleted' },
    { command: 'map delete @/frozen key 0', exit: 1, says: 'is frozen' },
    { command: 'map getnext @/devmap key 7', exit: 3, says: 'there is no key after 7' },
    { command: 'map getnext @/devmap key 8', exit: 2, says: 'key 8 is outside the devmap' },
  ])('refuse: $command', async (row) => expectRefusal(row));
});

describe('a handle', () => {
  it.each<Row>([
    { command: 'map show name nosuchmap', exit: 3, says: "there is no map named 'nosuchmap'" },
    { command: 'map dump name nosuchmap', exit: 3, says: "there is no map named 'nosuchmap'" },
    { command: 'map show id 4294967294', exit: 3, says: 'there is no map with id 4294967294 (ENOENT)' },
    { command: 'map show id 4294967364', exit: 2, says: "the map's id 4294967364 is out of range" },
    { command: 'map show id -1', exit: 2, says: "the map's id cannot be negative: -1" },
    { command: 'map show id devmap', exit: 2, says: "the map's id must be a number, not 'devmap'" },
    { command: 'map show id', exit: 2, says: "the map's id is missing" },
    { command: 'map show pinned /etc/passwd', exit: 2, says: '/etc/passwd is not in a bpffs' },
    { command: 'map show pinned @', exit: 2, says: 'is a directory, not a pin' },
    { command: 'map show pinned @/none', exit: 3, says: '/none (ENOENT)' },
    { command: 'map show pinned @/pass', exit: 2, says: '/pass is a pinned program, not a map' },
    { command: 'map show @/pass', exit: 2, says: '/pass is a pinned program, not a map' },
    { command: 'map show pinned sub/dir', exit: 2, says: "pin path 'sub/dir' is relative" },
    { command: 'map show pinned ../dir', exit: 2, says: 'hint: give the whole path, or a name directly' },
    { command: 'map show pinned ./dir/x', exit: 2, says: 'give the whole path (/sys/fs/bpf/dir/x), or a name' },
    { command: 'map show pinned x"y', exit: 3, says: 'there is no pin /sys/fs/bpf/x"y' },
    { command: 'map show trailing words', exit: 2, says: "unexpected word 'words'" },
    { command: 'map dump', exit: 2, says: 'the map is missing' },
  ])('$command is refused', async (row) => expectRefusal(row));

  it('that means two maps names both', async () => {
    const name = fixtureName();
    bpftool(
      `map create @/one type array key 4 value 4 entries 1 name ${name}`,
      `map create @/two type array key 4 value 4 entries 1 name ${name}`,
    );
    const found = JSON.parse(bpftool('map show pinned @/one', 'map show pinned @/two')) as { output: { id: number } }[];
    const ids = found.map(({ output: { id } }) => id);
    await expectRefusal({
      command: `map dump name ${name}`,
      exit: 2,
      says: `2 maps are named '${name}': ids ${ids.join(', ')}`,
    });
  });

  it('may be written in every way', async () => {
    const name = fixtureName();
    bpftool(`map create @/one type array key 4 value 4 entries 1 name ${name}`);
    const [{ output }] = JSON.parse(bpftool('map show pinned @/one')) as [{ output: { id: number } }];
    for (const handle of [`id ${output.id}`, `name ${name}`, name, 'pinned @/one', '@/one', '@/one/']) {
      expect((await typed(`-j map show ${handle}`)).json()).toMatchObject({ id: output.id, name });
    }
  });

  it('of nothing that shows everything is a list, also when it is empty', async () => {
    expect((await typed('-j map show')).json()).toEqual(expect.any(Array));
    expect((await typed('-j map show @/devmap')).json()).toMatchObject({ type: 'devmap', flags: 128, frozen: 0 });
    expect((await typed('-j map show @/frozen')).json()).toMatchObject({ frozen: 1 });
  });
});

it('an ordinary file is no pin', async () => {
  const file = join(table.folder, 'file');
  writeFileSync(file, '');
  await expectRefusal({ command: 'map dump ~/file', exit: 2, says: 'is not in a bpffs: an ordinary file is no pin' });
  rmSync(file);
});
