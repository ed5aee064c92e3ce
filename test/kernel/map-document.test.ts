import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { needKernel } from '../support/kernel-has.ts';
import { bpftool, entry, expectRefusal, hex, typed, useMapTable } from '../support/map-table.ts';
import { runHere } from '../support/run-here.ts';
import { tool } from '../support/tool.ts';

const table = useMapTable();

interface Entry {
  readonly key: unknown;
  readonly value: unknown;
}

/** Writes a document into `~/document`. */
function write(type: string, entries: readonly unknown[], more: object = {}): void {
  const sizes = { bytes_key: 4, bytes_value: 8 };
  writeFileSync(
    join(table.folder, 'document'),
    JSON.stringify({ xdpctl: 1, map: { type, ...sizes, ...more }, entries }).replaceAll('@', table.pins.path),
  );
}

async function exported(words: string): Promise<Entry[]> {
  const result = await typed(`-j map export ${words}`);
  expect(result.status).toBe(0);
  const { entries, complete } = result.json() as { entries: Entry[]; complete: boolean };
  expect(complete).toBe(true);
  return entries;
}

async function imports(words: string): Promise<void> {
  expect(await typed(`map import ${words}`)).toMatchObject({ status: 0, stdout: '', stderr: '' });
}

/** All entries of a map as bpftool reads them, in an order that does not depend on the map. */
function dumped(pin: string): string[] {
  const [{ output }] = JSON.parse(bpftool(`map dump pinned @/${pin}`)) as [{ output: object[] }];
  return output.map((each) => JSON.stringify(each)).toSorted();
}

function bytes(size: number): fc.Arbitrary<number[]> {
  return fc.array(fc.integer({ min: 0, max: 255 }), { minLength: size, maxLength: size });
}

describe('map export', () => {
  it('writes names instead of numbers', async () => {
    await typed('map update @/devmap key 2 value near0 prog @/egress');
    const { status, stdout, stderr } = await typed('map export @/devmap');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toBe(`{
    "xdpctl": 1,
    "map": {"type":"devmap","name":"devmap","bytes_key":4,"bytes_value":8,"max_entries":8,"flags":128},
    "entries": [
        {"key":1,"value":{"dev":"near0"}},
        {"key":2,"value":{"dev":"near0","prog":"${table.pins.pin('egress')}"}}
    ],
    "complete": true
}
`);
    const dense = await typed('-j map export @/devmap');
    expect(dense.stdout.split('\n')).toHaveLength(2);
    expect(dense.json()).toEqual(JSON.parse(stdout));
  });

  it.each([
    ['@/cpumap', [{ key: 0, value: { qsize: 192 } }]],
    ['@/hash', [{ key: 77, value: { dev: 'near0' } }]],
    ['@/narrow', []],
    ['@/array', [0, 1, 2, 3].map((key) => ({ key, value: 0 }))],
    ['@/xskmap', []],
  ])('writes %s', async (pin, entries) => {
    expect(await exported(pin)).toEqual(entries);
  });

  it('writes keys as interfaces when asked to', async () => {
    await typed('map delete @/hash key 77');
    await typed('map update @/hash key near0 value near0');
    expect(await exported('@/hash')).toEqual([{ key: table.near, value: { dev: 'near0' } }]);
    expect(await exported('@/hash --key-names')).toEqual([{ key: 'near0', value: { dev: 'near0' } }]);
    await expectRefusal({ command: 'map export @/cpumap --key-names', exit: 2, says: 'is for maps of interfaces' });
  });

  it('leaves out, with a warning, what has no name here', async () => {
    await typed('map update @/devmap key 5 value near0');
    const args = ['--netns', table.other, 'map', 'export', table.pins.pin('devmap')];
    const { status, stdout, stderr } = await runHere(...args);
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ entries: [], complete: true });
    expect(stderr).toBe(
      `warning: 2 entries are left out, because an interface is not in this network namespace: key 1 (ifindex ${table.near}), 5 (ifindex ${table.near})\n` +
        'hint: --netns NAME exports from the namespace where the interfaces are\n',
    );
    const json = await runHere('-j', ...args);
    expect(json.jsonErrors()).toEqual([{ warning: expect.objectContaining({ hint: expect.any(String) as string }) }]);
  });

  it('names a program without a pin by its name, with a warning', async () => {
    await typed('map update @/devmap key 2 value near0 prog @/egress');
    const [{ output }] = JSON.parse(bpftool('prog show pinned @/egress')) as [{ output: { id: number } }];
    bpftool('prog pin pinned @/egress @/kept');
    tool('rm', [table.pins.pin('egress'), table.pins.pin('kept')]);
    const { status, stdout, stderr } = await runHere(
      '--netns',
      table.namespace,
      'map',
      'export',
      table.pins.pin('devmap'),
    );
    expect(status).toBe(0);
    expect((JSON.parse(stdout) as { entries: Entry[] }).entries[1]).toEqual({
      key: 2,
      value: { dev: 'near0', prog: 'name:egress' },
    });
    expect(stderr).toContain(`warning: program ${output.id} (egress) has no pin: entries name it as name:egress`);
    expect(stderr).toContain(
      `hint: pin it and export again: xdpctl --netns ${table.namespace} prog pin id ${output.id} PIN`,
    );
  });

  it.each([
    ['ringbuf', 'type ringbuf key 0 value 0 entries 4096', 'a ring buffer has no entries'],
    ['prog_array', 'type prog_array key 4 value 4 entries 4', 'stand for kernel objects'],
    ['queue', 'type queue key 0 value 4 entries 4', 'it has no keys'],
  ])('says why it cannot write a %s', async (_type, words, says) => {
    bpftool(`map create @/other ${words} name other`);
    await expectRefusal({ command: 'map export @/other', exit: 5, says });
    write('ringbuf', []);
    await expectRefusal({ command: 'map import @/other ~/document', exit: 5, says });
  });
});

describe('map import', () => {
  it('brings back what was exported, whatever it is', async () => {
    const maps = fc
      .tuple(fc.constantFrom(1, 2, 3, 4, 8, 9), fc.constantFrom(1, 2, 4, 5, 8, 16), fc.boolean())
      .chain(([keySize, valueSize, perCpu]) =>
        fc.record({
          keySize: fc.constant(keySize),
          valueSize: fc.constant(valueSize),
          type: fc.constant(perCpu ? 'percpu_hash' : 'hash'),
          entries: fc.uniqueArray(fc.tuple(bytes(keySize), bytes(valueSize)), {
            selector: ([key]) => key.join(' '),
            maxLength: 20,
          }),
        }),
      );
    await fc.assert(
      fc.asyncProperty(maps, async ({ type, keySize, valueSize, entries }) => {
        const spec = `type ${type} key ${keySize} value ${valueSize} entries 20`;
        bpftool(
          `map create @/from ${spec} name from`,
          `map create @/to ${spec} name to`,
          ...entries.map(([key, value]) => `map update pinned @/from key ${key.join(' ')} value ${value.join(' ')}`),
        );
        try {
          writeFileSync(join(table.folder, 'document'), (await typed('map export @/from')).stdout);
          await imports('@/to ~/document');
          expect(dumped('to')).toEqual(dumped('from'));
        } finally {
          tool('rm', [table.pins.pin('from'), table.pins.pin('to')]);
        }
      }),
      { numRuns: 25 },
    );
  });

  it('finds interfaces by name, though their numbers have changed', async () => {
    const first = table.world.veth({ namespace: table.namespace, name: 'moving0' }, { namespace: table.namespace });
    await typed('map update @/devmap key 3 value moving0');
    await typed('map update @/hash key moving0 value moving0');
    for (const [pin, words] of [
      ['devmap', '@/devmap'],
      ['hash', '@/hash --key-names'],
    ] as const) {
      writeFileSync(
        join(table.folder, pin),
        (await typed(`map export ${words}`)).stdout.replace('"key":77', '"key":1'),
      );
    }
    tool('ip', ['-n', table.namespace, 'link', 'del', 'moving0']);
    const second = table.world.veth({ namespace: table.namespace, name: 'moving0' }, { namespace: table.namespace });
    expect(second.a.ifindex).not.toBe(first.a.ifindex);
    await imports('@/devmap ~/devmap');
    expect(entry('devmap', 3)).toBe(hex(second.a.ifindex, 0));
    const document = (await typed('map export @/devmap')).stdout;
    expect(document).toContain('"moving0"');
    tool('ip', ['-n', table.namespace, 'link', 'del', 'moving0']);
  });

  it('finds programs by pin, by name and by tag', async () => {
    const [{ output }] = JSON.parse(bpftool('prog show pinned @/egress')) as [{ output: { id: number; tag: string } }];
    write('devmap', [
      { key: 0, value: { dev: 'near0', prog: '@/egress' } },
      { key: 2, value: { dev: 'near0', prog: `id:${output.id}` } },
    ]);
    await imports('@/devmap ~/document');
    for (const key of [0, 2]) expect(entry('devmap', key)).toBe(hex(table.near, output.id));
    write('cpumap', [{ key: 0, value: { qsize: 64, prog: '@/percpu' } }]);
    await imports('@/cpumap ~/document');
    expect(entry('cpumap', 0)).toMatch(/^40 00 00 00 (?!00 00 00 00)/);
  });

  it('keeps what the document does not have, and removes it with replace', async () => {
    write('devmap', [{ key: 4, value: { dev: 'near0' } }]);
    await imports('@/devmap ~/document');
    expect((await exported('@/devmap')).map(({ key }) => key)).toEqual([1, 4]);
    expect((await typed('map import @/devmap ~/document replace --dry-run')).stdout).toBe('would remove key 1\n');
    await imports('@/devmap ~/document replace');
    expect((await exported('@/devmap')).map(({ key }) => key)).toEqual([4]);
    expect((await typed('map import @/devmap ~/document replace --dry-run')).stdout).toBe('would change nothing\n');
    expect((await typed('-j map import @/devmap ~/document --dry-run')).json()).toEqual({ dry_run: true, would: [] });
    write('array', [{ key: 1, value: 5 }], { bytes_value: 4 });
    await typed('map update @/array key 2 value 9');
    await imports('@/array ~/document replace');
    expect((await exported('@/array')).map(({ value }) => value)).toEqual([0, 5, 0, 0]);
  });

  it('makes room in a full map before it adds, with replace', async () => {
    await typed('map update @/hash key 78 value near0');
    write('devmap_hash', [
      { key: 1, value: { dev: 'near0' } },
      { key: 2, value: { dev: 'near0' } },
    ]);
    await expectRefusal({
      command: 'map import @/hash ~/document',
      exit: 1,
      says: 'holds 2 entries, and there would be at least 3',
    });
    await imports('@/hash ~/document replace');
    expect((await exported('@/hash')).map(({ key }) => Number(key)).toSorted((a, b) => a - b)).toEqual([1, 2]);
  });

  it('takes values of 4 bytes for a map of 8, and of 8 for a map of 4', async () => {
    writeFileSync(join(table.folder, 'document'), (await typed('map export @/devmap')).stdout);
    await imports('@/narrow ~/document');
    expect(entry('narrow', 1)).toBe(hex(table.near));
  });

  it('under --dry-run says what it would do', async () => {
    write('devmap', [
      { key: 0, value: { dev: 'near0' } },
      { key: 1, value: { dev: 'lo', prog: '@/egress' } },
    ]);
    expect((await typed('map import @/devmap ~/document --dry-run')).stdout).toBe(
      `would add key 0: {"dev":"near0"}\nwould replace key 1: {"dev":"lo","prog":"${table.pins.pin('egress')}"}\n`,
    );
    expect(entry('devmap', 0)).toBeUndefined();
  });
});

describe('map import changes nothing when the document', () => {
  const good = Array.from({ length: 7 }, (_, key) => ({ key, value: { dev: 'near0' } }));

  it.each<[what: string, last: unknown, exit: number, says: string]>([
    ['ends with an unknown interface', { key: 7, value: { dev: 'none' } }, 3, "there is no interface 'none'"],
    ['ends with an interface of another namespace', { key: 7, value: { dev: 'far0' } }, 3, "no interface 'far0'"],
    ['ends with a key outside', { key: 8, value: { dev: 'near0' } }, 2, 'key 8 is outside the devmap'],
    ['has a key twice', { key: 3, value: { dev: 'near0' } }, 2, 'an earlier entry has the same key'],
    ['has a key twice, in two forms', { key: [3, 0, 0, 0], value: { dev: 'near0' } }, 2, 'has the same key'],
    ['names a program that is not there', { key: 7, value: { dev: 'lo', prog: '@/none' } }, 3, 'there is no pin'],
    [
      'names a program of no use there',
      { key: 7, value: { dev: 'lo', prog: '@/pass' } },
      2,
      'was not loaded for xdp/devmap',
    ],
    ['names one for a cpumap', { key: 7, value: { dev: 'lo', prog: '@/percpu' } }, 2, 'was not loaded for xdp/devmap'],
    ['names a map as a program', { key: 7, value: { dev: 'lo', prog: '@/hash' } }, 2, 'is a pinned map, not a program'],
    ['has a name with a zero byte', { key: 7, value: { dev: 'lo\0' } }, 3, "there is no interface 'lo"],
    ['has a name that is too long', { key: 7, value: { dev: 'near0near0near0near0' } }, 3, 'there is no interface'],
    ['has an empty name', { key: 7, value: { dev: '' } }, 3, "there is no interface ''"],
    ['has a number for a name', { key: 7, value: { dev: 7 } }, 2, '"dev" must be the name of an interface'],
    ['has an unknown field', { key: 7, value: { dev: 'lo', x: 1 } }, 2, 'the value has an unknown key "x"'],
    ['has no value', { key: 7 }, 2, 'the value must be an object with "dev"'],
    ['has no key', { value: { dev: 'near0' } }, 2, 'the key must be'],
    ['has a string for an entry', 'x', 2, 'an entry must be an object'],
  ])('%s', async (_what, last, exit, says) => {
    write('devmap', [...good, last]);
    await expectRefusal({ command: 'map import @/devmap ~/document', exit, says });
    const { stderr } = await typed('map import @/devmap ~/document replace');
    expect(stderr).toMatch(/^error: entries\[7\]/);
  });

  it('has a key of ever more lists', async () => {
    const depth = 200_000;
    write('devmap', ['HERE']);
    const file = join(table.folder, 'document');
    const text = readFileSync(file, 'utf8');
    const deep = `{"key": ${'['.repeat(depth)}${']'.repeat(depth)}, "value": {"dev": "lo"}}`;
    writeFileSync(file, text.replace('"HERE"', deep));
    await expectRefusal({ command: 'map import @/devmap ~/document', exit: 2, says: 'entries[0]: ' });
  });

  it.each<[map: string, type: string, entries: unknown[], exit: number, says: string]>([
    ['@/devmap', 'devmap_hash', [], 2, 'is of another kind of map: type devmap_hash instead of devmap'],
    ['@/array', 'array', [], 2, 'size of a value 8 instead of 4'],
    ['@/narrow', 'devmap', [{ key: 0, value: { dev: 'near0', prog: '@/egress' } }], 2, 'have no room for a program'],
    ['@/cpumap', 'cpumap', [{ key: 63, value: { qsize: 64 } }], 2, 'CPU 63 is no possible CPU'],
    ['@/cpumap', 'cpumap', [{ key: 1, value: { qsize: 16_385 } }], 2, 'from 1 to 16384'],
    ['@/cpumap', 'cpumap', [{ key: 1, value: { qsize: 0 } }], 2, 'from 1 to 16384'],
    ['@/cpumap', 'cpumap', [{ key: 1, value: { dev: 'near0' } }], 2, 'unknown key "dev"'],
    ['@/xskmap', 'xskmap', [], 5, 'are entered by the processes that made them'],
    ['@/frozen', 'devmap', [], 1, 'is frozen'],
    ['@/hash', 'devmap_hash', [1, 2, 3].map((key) => ({ key, value: { dev: 'near0' } })), 1, 'does not fit'],
    ['@/none', 'devmap', [], 3, 'there is no pin'],
  ])('is not for %s (%s)', async (map, type, entries, exit, says) => {
    write(type, entries);
    await expectRefusal({ command: `map import ${map} ~/document`, exit, says });
  });

  it.each([
    ['map import @/devmap ~/none', 3, 'there is no file'],
    ['map import @/devmap ~', 2, 'is a directory, not a file'],
    ['map import @/devmap', 2, 'the file is missing'],
    ['map import @/devmap ~/document keep', 2, "unexpected word 'keep'"],
    ['map import @/devmap -', 2, 'standard input is no JSON document'],
  ])('cannot be had: %s', async (command, exit, says) => expectRefusal({ command, exit, says }));
});

describe('an entry that the kernel refuses half way', () => {
  it('undoes what was done before, programs included', async (context) => {
    needKernel(context, '5.18'); // fragments
    // The first program of a map decides whether those after it may handle fragments: builtin ones do, bpftool's do not.
    expect(await typed('map update @/devmap key 0 value near0 prog builtin egress_devmap')).toMatchObject({
      status: 0,
    });
    write('devmap', [
      { key: 0, value: { dev: 'lo' } },
      { key: 1, value: { dev: 'lo' } },
      { key: 2, value: { dev: 'near0' } },
      { key: 3, value: { dev: 'near0', prog: '@/egress' } },
      { key: 4, value: { dev: 'near0' } },
    ]);
    for (const replace of ['', ' replace']) {
      await expectRefusal({
        command: `map import @/devmap ~/document${replace}`,
        exit: 2,
        says: 'do not go together: one handles fragments (xdp.frags), the other does not; 3 changes made before it were undone',
      });
    }
    expect(entry('devmap', 0)).toMatch(new RegExp(`^${hex(table.near)} (?!00 00 00 00)`));
    expect((await typed('map import @/devmap ~/document')).stderr).toMatch(
      /^error: entries\[3\] \(key 3\): program \d+ \(egress\) and devmap \d+ /,
    );
  });
});
