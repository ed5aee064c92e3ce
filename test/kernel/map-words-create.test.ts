import { readdirSync, readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { bpftool, expectRefusal, type Row, typed, useMapTable } from '../support/map-table.ts';
import { fixtureName } from '../support/run-id.ts';
import { tool } from '../support/tool.ts';

/**
 * What bpftool does with good and bad input on redirect maps was measured; each row here is a case of that table, with what
 * xdpctl does instead.
 */
const table = useMapTable();

describe('create makes', () => {
  it.each([
    ['devmap 4/4', 'type devmap key 4 value 4 entries 8 name n', { type: 'devmap', bytes_value: 4 }],
    ['devmap 4/8', 'type devmap key 4 value 8 entries 8 name n', { type: 'devmap', bytes_value: 8 }],
    ['devmap_hash 4/4', 'type devmap_hash key 4 value 4 entries 8', { type: 'devmap_hash', bytes_value: 4 }],
    ['devmap_hash 4/8', 'type devmap_hash key 4 value 8 entries 8', { type: 'devmap_hash', bytes_value: 8 }],
    ['cpumap 4/4', 'type cpumap key 4 value 4 entries 8', { type: 'cpumap', bytes_value: 4 }],
    ['cpumap 4/8', 'type cpumap key 4 value 8 entries 8', { type: 'cpumap', bytes_value: 8 }],
    ['xskmap 4/4', 'type xskmap key 4 value 4 entries 8', { type: 'xskmap', bytes_value: 4 }],
    ['a devmap from no more than type and entries', 'type devmap entries 8', { bytes_key: 4, bytes_value: 8 }],
    ['an xskmap from no more', 'entries 8 type xskmap', { bytes_key: 4, bytes_value: 4 }],
    ['a map with the name of the pin', 'type cpumap entries 1', { name: 'new' }],
    ['a map with the flags that show prints', 'type devmap entries 8 flags 128', { flags: 128 }],
    ['a map with flags by name', 'type hash key 4 value 4 entries 8 flags no_prealloc', { flags: 1 }],
    ['a map on a node', 'type cpumap entries 1 numa_node 0', { flags: 4 }],
    ['the largest name', 'type cpumap entries 1 name abcdefghijklmno', { name: 'abcdefghijklmno' }],
  ])('%s', async (_what, words, expected) => {
    const { status, stdout, stderr } = await typed(`map create @/new ${words}`);
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
    const [{ output }] = JSON.parse(bpftool('map show pinned @/new')) as [{ output: object }];
    expect(output).toMatchObject({ max_entries: words.includes('entries 1') ? 1 : 8, ...expected });
  });
});

describe('create refuses', () => {
  const rows: Row[] = [
    { command: 'type devmap key 8 entries 8', exit: 2, says: 'the key of a devmap is 4 bytes, not 8' },
    { command: 'type devmap value 16 entries 8', exit: 2, says: 'is 4 bytes, or 8 with a program, not 16' },
    { command: 'type devmap_hash key 2 entries 8', exit: 2, says: 'the key of a devmap_hash is 4 bytes, not 2' },
    { command: 'type cpumap value 16 entries 8', exit: 2, says: 'is 4 bytes, or 8 with a program, not 16' },
    { command: 'type xskmap value 8 entries 8', exit: 2, says: 'the value of an xskmap is 4 bytes, not 8' },
    { command: 'type devmap entries 0', exit: 2, says: 'entries must be at least 1' },
    { command: 'type devmap', exit: 2, says: "the number of entries is missing: 'entries N'" },
    { command: 'entries 8', exit: 2, says: "the map's type is missing: 'type TYPE'" },
    { command: 'type bogus entries 8', exit: 2, says: "'bogus' is no map type" },
    { command: 'type dev entries 8', exit: 2, says: "'dev' is no map type" },
    { command: 'type DEVMAP entries 8', exit: 2, says: "'DEVMAP' is no map type" },
    { command: 'type cpumap entries 1000000', exit: 2, says: 'a cpumap has at most ' },
    { command: 'type devmap_hash entries 4294967295', exit: 2, says: 'at most 2147483648 entries' },
    { command: 'type devmap entries 99999999999', exit: 2, says: 'entries 99999999999 is out of range: at most' },
    { command: 'type devmap entries -1', exit: 2, says: 'entries cannot be negative: -1' },
    { command: 'type devmap entries 010', exit: 2, says: 'begins with a zero, which C programs take for octal' },
    { command: 'type devmap entries 8 name bad-name', exit: 2, says: "'bad-name' is no map name" },
    { command: 'type devmap entries 8 name abcdefghijklmnop', exit: 2, says: 'is no map name: 1 to 15 letters' },
    { command: 'type devmap entries 8 name a name b', exit: 2, says: "'name' is given twice" },
    { command: 'type devmap entries 8 key 4 key 4', exit: 2, says: "'key' is given twice" },
    { command: 'type devmap entries 8 flags nosuch', exit: 2, says: "'nosuch' is no map flag" },
    { command: 'type cpumap entries 8 flags 4', exit: 2, says: "the flag numa_node needs the node: 'numa_node N'" },
    { command: 'type xskmap key 8 entries 8', exit: 2, says: 'the key of an xskmap is 4 bytes, not 8' },
    { command: 'type array_of_maps entries 8', exit: 2, says: "an array_of_maps needs 'inner_map MAP'" },
    { command: 'type array entries 8 inner_map @/array', exit: 2, says: 'an array takes no inner_map' },
    { command: 'type cpumap entries 8 numa_node 1023', exit: 2, says: 'numa_node 1023 is not online on this machine' },
    { command: 'type cpumap entries 8 flags wronly', exit: 2, says: 'a cpumap takes neither rdonly nor wronly' },
    { command: 'type devmap_hash entries 2147483649', exit: 2, says: 'at most 2147483648 entries, not 2147483649' },
    {
      command: 'type devmap entries 4294967296',
      exit: 2,
      says: 'entries 4294967296 is out of range: at most 4294967295',
    },
    { command: 'type cpumap entries 8 flags rdonly', exit: 2, says: 'a cpumap takes neither rdonly nor wronly' },
    { command: 'type devmap entries 8 trailing', exit: 2, says: "unexpected word 'trailing'" },
  ];

  it.each(rows)('$command', ({ command, ...row }) => expectRefusal({ command: `map create @/new ${command}`, ...row }));

  it.each<Row>([
    { command: 'map create @/devmap type devmap entries 8', exit: 6, says: '/devmap exists already (EEXIST)' },
    { command: 'map create @/none/new type devmap entries 8', exit: 3, says: '/none does not exist' },
    { command: 'map create @/x.1 type devmap entries 8', exit: 2, says: "allows no '.' in a name below bpffs: 'x.1'" },
    { command: 'map create ~/new type devmap entries 8', exit: 2, says: 'is not in a bpffs' },
    { command: '-n map create ~/new type devmap entries 8', exit: 2, says: 'is not in a bpffs' },
    { command: 'map create @/devmap/new type devmap entries 8', exit: 2, says: '/devmap is not a directory' },
    { command: 'map create a/new type devmap entries 8', exit: 2, says: "pin path 'a/new' is relative" },
    { command: 'map create @/very_long_pin_name type devmap entries 8', exit: 2, says: "'name NAME'" },
  ])('$command', async (row) => {
    const before = mounts();
    await expectRefusal(row);
    expect(mounts()).toEqual(before);
    expect(readdirSync(table.folder)).toEqual([]);
  });

  it('a pin that exists before it makes a map', async () => {
    const name = fixtureName();
    await expectRefusal({
      command: `map create @/devmap type devmap entries 8 name ${name}`,
      exit: 6,
      says: 'exists already',
    });
    expect(tool('bpftool', ['map', 'show'])).not.toContain(name);
  });
});

/** What is mounted, but for the network namespaces of others, which come and go. */
function mounts(): string[] {
  return readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .filter((line) => !line.startsWith('nsfs '));
}
