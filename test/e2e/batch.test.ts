import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { faultyObject } from '../kernel/support/lossy-path.ts';
import { builtinPath } from '../support/builtin-path.ts';
import { compileBpf } from '../support/clang.ts';
import { PinFolder, startXdpctl, xdpctl } from '../support/command.ts';
import { expectNothingNew, kernelState } from '../support/leaks.ts';
import { peekEntry } from '../support/peek.ts';
import { fixtureName } from '../support/run-id.ts';
import { tool, toolJson } from '../support/tool.ts';
import { createWorld } from '../support/world.ts';

let pins: PinFolder;
let folder: string;

beforeEach(() => {
  pins = new PinFolder();
  folder = mkdtempSync(join(tmpdir(), fixtureName()));
});

afterEach(() => {
  pins[Symbol.dispose]();
  rmSync(folder, { recursive: true });
});

/** A file with these lines, `@` standing for the folder of pins. */
function batchFile(...lines: readonly string[]): string {
  const file = join(folder, 'batch');
  writeFileSync(file, `${lines.join('\n').replaceAll('@', pins.path)}\n`);
  return file;
}

/** A hash map by bpftool, with keys and values of 4 bytes. */
function hashMap(pin: string, size = 16): string {
  const path = pins.pin(pin);
  tool('bpftool', ['map', 'create', path, ...`type hash key 4 value 4 entries ${size} name ${pin}`.split(' ')]);
  return path;
}

/** The entries of a map as bpftool reads them, integers of 4 bytes. */
function entries(pin: string): Record<number, number> {
  const list = toolJson('bpftool', ['-j', 'map', 'dump', 'pinned', pins.pin(pin)]) as Record<
    'key' | 'value',
    string[]
  >[];
  return Object.fromEntries(list.map(({ key, value }) => [integer(key), integer(value)]));
}

function integer(bytes: readonly string[]): number {
  return Buffer.from(bytes.map(Number)).readUInt32LE();
}

/** The words of a line, as they stand in the JSON. */
function words(line: string): string[] {
  return line.replaceAll('@', pins.path).split(' ');
}

describe('a batch', () => {
  const lines = [
    '# two entries',
    'map create @/m type hash key 4 value 4 entries 4 name first',
    'map update pinned @/m key 1 0 0 0 value 2 0 0 0 any',
    'map update \\',
    '  pinned "@/m" \\',
    '  key 2 value 9   # the second',
    'map lookup @/m key 2',
  ];

  it('runs its lines one after another', () => {
    const { status, stdout, stderr } = xdpctl(['batch', 'file', batchFile(...lines)]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toBe('key    2\nvalue  9\nprocessed 4 commands\n');
    expect(entries('m')).toEqual({ 1: 2, 2: 9 });
  });

  it('says as JSON what each command gave', () => {
    const result = xdpctl(['-j', 'batch', 'file', batchFile(...lines)]);
    expect(result).toMatchObject({ status: 0, stderr: '' });
    expect(result.json()).toEqual([
      { command: words('map create @/m type hash key 4 value 4 entries 4 name first'), output: null },
      { command: words('map update pinned @/m key 1 0 0 0 value 2 0 0 0 any'), output: null },
      { command: words('map update pinned @/m key 2 value 9'), output: null },
      {
        command: words('map lookup @/m key 2'),
        output: {
          key: ['0x02', '0x00', '0x00', '0x00'],
          value: ['0x09', '0x00', '0x00', '0x00'],
          formatted: { key: 2, value: 9 },
        },
      },
    ]);
    const pretty = xdpctl(['-p', 'batch', 'file', batchFile('map lookup @/m key 2', 'map show @/m', 'map dump @/m')]);
    expect(pretty.json()).toMatchObject([{ output: { formatted: { key: 2 } } }, { output: { name: 'first' } }, {}]);
    expect(pretty.stdout.split('\n').length).toBeGreaterThan(20);
  });

  it('leaves out the last line with --quiet', () => {
    hashMap('m');
    const file = batchFile('map update @/m key 1 value 1');
    expect(xdpctl(['-q', 'batch', 'file', file])).toMatchObject({ status: 0, stdout: '', stderr: '' });
  });

  it('of nothing is no failure', () => {
    expect(xdpctl(['batch', 'file', '-'])).toMatchObject({ status: 0, stdout: 'processed 0 commands\n' });
    expect(xdpctl(['-j', 'batch', 'file', batchFile('# nothing')])).toMatchObject({ status: 0, stdout: '[]\n' });
  });

  it('may have lines longer than bpftool takes', () => {
    const path = pins.pin('wide');
    tool('bpftool', ['map', 'create', path, ...'type hash key 4 value 40000 entries 1 name wide'.split(' ')]);
    const value = Array.from({ length: 40_000 }, (_, index) => index % 256);
    const { status, stderr } = xdpctl(['batch', 'file', batchFile(`map update @/wide key 1 value ${value.join(' ')}`)]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const [entry] = toolJson('bpftool', ['-j', 'map', 'dump', 'pinned', path]) as { value: string[] }[];
    expect(entry?.value.map(Number)).toEqual(value);
  });

  it('opens more maps than a process may hold', () => {
    const names = Array.from({ length: 150 }, (_, index) => `m${index}`);
    const creations = names.map((name) => `map create @/${name} type array key 4 value 4 entries 1`);
    expect(xdpctl(['batch', 'file', batchFile(...creations)])).toMatchObject({ status: 0 });
    const updates = names.map((name) => `map update @/${name} key 0 value 7`);
    const wrapper = ['prlimit', '--nofile=170'];
    expect(xdpctl(['batch', 'file', batchFile(...updates)], { wrapper })).toMatchObject({ status: 0, stderr: '' });
    for (const name of names) expect(entries(name)).toEqual({ 0: 7 });
  });
});

describe('a broken line in the middle', () => {
  const lines = [
    'map update @/m key 1 value 1',
    'map update @/m key 2 value 2',
    '',
    'map update @/m key 3 value 256 0 0 0',
    'map update @/m key 4 value 4',
    'map lookup @/m key 77',
  ];
  const broken = 'map update @/m key 3 value 256 0 0 0';

  it('ends the batch with its error, which says where and what was applied', () => {
    hashMap('m');
    const file = batchFile(...lines);
    const { status, stdout, stderr } = xdpctl(['batch', 'file', file]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toBe(
      `error: ${file}:4: ${words(broken).join(' ')} (2 commands applied before): byte 0 of the value 256 is out of range: at most 255\n`,
    );
    expect(entries('m')).toEqual({ 1: 1, 2: 2 });
  });

  it('closes the JSON array, and says the same in the error', () => {
    hashMap('m');
    const file = batchFile(...lines);
    const result = xdpctl(['-j', 'batch', 'file', file]);
    expect(result.status).toBe(2);
    expect(result.json()).toEqual([
      { command: words('map update @/m key 1 value 1'), output: null },
      { command: words('map update @/m key 2 value 2'), output: null },
    ]);
    expect(result.jsonErrors()).toEqual([
      {
        error: {
          exit: 2,
          message: expect.stringContaining('256 is out of range') as string,
          batch: { file, line: 4, command: words(broken), applied: 2 },
        },
      },
    ]);
  });

  it('is reported and passed over with --keep-going, and gives the exit code', () => {
    hashMap('m');
    const file = batchFile(...lines);
    const result = xdpctl(['-j', 'batch', 'file', file, '--keep-going']);
    expect(result.status).toBe(2);
    expect(result.json()).toHaveLength(3);
    expect(result.jsonErrors()).toMatchObject([
      { error: { exit: 2, batch: { line: 4, applied: 2 } } },
      { error: { exit: 3, errnoName: 'ENOENT', operation: 'map lookup', batch: { line: 6, applied: 3 } } },
      { error: { exit: 2, message: `2 of 5 commands of ${file} failed, the first on line 4` } },
    ]);
    expect(entries('m')).toEqual({ 1: 1, 2: 2, 4: 4 });
  });

  it.each([
    ['map updaet @/m key 1 value 1', 2, "unknown verb of map 'updaet'"],
    ['mpa update @/m key 1 value 1', 2, "unknown object 'mpa'"],
    ['map help', 2, "'map help' is no command for a batch"],
    ['map update @/m key 1 value "1', 2, 'a quote has no end'],
    ['batch file other', 2, 'a batch has no place in a batch'],
    ['debug drops --duration 1', 2, 'it has no place in a batch'],
    ['map update @/none key 1 value 1', 3, 'there is no pin'],
    ['map update @/m key 1 value 1 noexist', 6, 'has an entry at this key already'],
    ['map update @/full key 1 value 1', 1, 'is full'],
    ['map lookup @/m key 1 --json', 2, 'the option --json holds for the whole batch'],
    ['map lookup @/m key 1 --dry-run', 2, '--dry-run means nothing to'],
    ['map lookup @/m key 1 --help', 2, '--help has no place in a batch'],
    ['map import @/m -', 2, 'standard input is the batch itself'],
    ['map update @/m key 1 value \\', 2, 'ends with a backslash'],
  ])('%s', (line, exit, message) => {
    hashMap('m');
    hashMap('full', 1);
    tool('bpftool', ['map', 'update', 'pinned', pins.pin('full'), ...'key 9 0 0 0 value 9 0 0 0'.split(' ')]);
    const input = `map update ${pins.path}/m key 1 value 5\n${line.replaceAll('@', pins.path)}\n`;
    const { status, stderr } = xdpctl(['batch', 'file', '-'], { input });
    expect({ status, stderr }).toEqual({ status: exit, stderr: expect.stringContaining(message) as string });
    expect(stderr).toMatch(/^error: standard input:2: .*\(1 command applied before\): /);
    expect(entries('m')).toEqual({ 1: 5 });
  });
});

describe('a line', () => {
  it('may have options of its verb, and of its own', () => {
    hashMap('m');
    using world = createWorld();
    const namespace = world.namespace();
    const { a } = world.veth({ namespace, name: 'batch0' }, { namespace });
    const file = batchFile(
      'map create @/d type devmap entries 4 --if-absent',
      'map create @/d type devmap entries 4 --if-absent',
      `--netns ${namespace} map update @/d key 1 value dev batch0 --quiet`,
      `map update @/d key 1 value dev batch0 --netns ${namespace}`,
      'map delete @/d key 1 --dry-run',
      'map delete --strict @/m key 1',
    );
    const result = xdpctl(['-j', '-q', 'batch', 'file', file, '--keep-going']);
    expect(result.status).toBe(2);
    expect(result.json()).toMatchObject([
      { output: null },
      { output: null },
      { command: words(`map update @/d key 1 value dev batch0 --netns ${namespace}`), output: null },
      { output: { dry_run: true, would: [expect.stringContaining('remove key 1')] } },
    ]);
    const errors = result.jsonErrors().filter((line) => Object.hasOwn(line as object, 'error'));
    expect(errors).toMatchObject([
      { error: { message: expect.stringContaining('the option --quiet holds for the whole batch') as string } },
      { error: { exit: 3, batch: { line: 6 } } },
      {},
    ]);
    expect(tool('bpftool', ['map', 'lookup', 'pinned', pins.pin('d'), 'key', '1', '0', '0', '0'])).toContain(
      Buffer.from(Uint32Array.of(a.ifindex).buffer).toString('hex').match(/../g)?.join(' '),
    );
  });

  it('sees what the lines before it did to pins', () => {
    const path = hashMap('m');
    tool('bpftool', ['map', 'pin', 'pinned', path, pins.pin('old')]);
    hashMap('other');
    const { status, stderr } = xdpctl([
      'batch',
      'file',
      batchFile(
        'map update @/m key 1 value 1',
        'map unpin @/m',
        'map create @/m type hash key 4 value 4 entries 4',
        'map update @/m key 2 value 2',
        'map unpin @/m',
        'map pin @/other @/m',
        'map update @/m key 3 value 3',
      ),
    ]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(entries('old')).toEqual({ 1: 1 });
    expect(entries('other')).toEqual({ 3: 3 });
    expect(entries('m')).toEqual({ 3: 3 });
  });

  it('sees what the lines before it did to names', () => {
    const name = fixtureName();
    const file = batchFile(
      `map create @/one type hash key 4 value 4 entries 4 name ${name}`,
      `map update name ${name} key 1 value 1`,
      `map create @/two type hash key 4 value 4 entries 4 name ${name}`,
      `map update name ${name} key 2 value 2`,
    );
    const { status, stderr } = xdpctl(['batch', 'file', file]);
    expect({ status, stderr }).toEqual({
      status: 2,
      stderr: expect.stringContaining(`2 maps are named '${name}': ids `) as string,
    });
    expect(stderr).toContain(`${file}:4: `);
    expect([entries('one'), entries('two')]).toEqual([{ 1: 1 }, {}]);
  });
});

function expectedError(line: number, exit: number, message: string): object {
  return {
    error: expect.objectContaining({
      exit,
      message: expect.stringContaining(message) as string,
      batch: expect.objectContaining({ line }) as object,
    }) as object,
  };
}

describe('--dry-run', () => {
  it('checks every line and changes nothing', () => {
    hashMap('m');
    const file = batchFile(
      'map create @/new type devmap entries 4',
      'map update @/new key 9 value dev lo',
      'map update @/m key 1 value 1',
      'map lookup @/m key 1',
      'map unpin @/m',
      'map update @/m key 1 value 1',
      'map create @/m type devmap entries 1',
      'map update @/m key 0 value dev lo',
      'map pin @/new @/new2',
      'map update @/new2 key 3 value dev lo',
      'map update @/m key 0 value dev none',
    );
    const result = xdpctl(['-j', 'batch', 'file', file, '--dry-run']);
    expect(result.status).toBe(2);
    expect((result.json() as { output: object }[]).map(({ output }) => output)).toEqual(
      [1, 3, 5, 7, 8, 9, 10].map(() => ({ dry_run: true, would: expect.any(Array) as unknown[] })),
    );
    expect(result.jsonErrors()).toEqual([
      expectedError(2, 2, 'key 9 is outside the devmap'),
      {
        warning: {
          message: expect.stringContaining('has no entry at key 1; the lines before it may change') as string,
        },
      },
      expectedError(6, 3, 'there is no pin'),
      expectedError(11, 3, "there is no interface 'none'"),
      { error: { exit: 2, message: `3 of 11 commands of ${file} failed, the first on line 2` } },
    ]);
    expect(readdirSync(pins.path)).toEqual(['m']);
    expect(entries('m')).toEqual({});
  });

  it('warns of a line that removes what an earlier one would have made', () => {
    hashMap('m');
    const file = batchFile('map update @/m key 1 value 1', 'map delete @/m key 1');
    const { status, stderr } = xdpctl(['batch', 'file', '--dry-run', file]);
    expect(status).toBe(0);
    expect(stderr).toBe(
      `warning: ${file}:2: ${words('map delete @/m key 1').join(' ')}: the hash has no entry at key 1; the lines before it may change that\n`,
    );
    expect(xdpctl(['batch', 'file', '--dry-run', batchFile('map delete @/m key 1')]).status).toBe(3);
  });

  it('knows the programs that earlier lines would have loaded and pinned', async () => {
    tool('bpftool', ['map', 'create', pins.pin('dm'), ...'type devmap key 4 value 8 entries 4 name dm'.split(' ')]);
    const aware = compileBpf(
      folder,
      'aware',
      `struct {
  __uint(type, BPF_MAP_TYPE_DEVMAP);
  __uint(max_entries, 4);
  __type(key, __u32);
  __type(value, struct bpf_devmap_val);
} targets SEC(".maps");
SEC("xdp.frags") int redirect(struct xdp_md *ctx) { return bpf_redirect_map(&targets, 0, 0); }`,
    );
    const before = kernelState();
    const file = batchFile(
      `prog load ${builtinPath('pass')} @/pass`,
      'prog pin pinned @/pass @/pass2',
      'net attach xdpgeneric pinned @/pass2 dev lo',
      'prog run pinned @/pass2',
      `prog load ${builtinPath('pass')} @/pass`,
      'prog unpin @/pass',
      'prog run pinned @/pass',
      'map lookup pinned @/pass2 key 0',
      `prog loadall ${builtinPath('egress_devmap')} @/all pinmaps @/all`,
      'map update @/dm key 0 value dev lo prog pinned @/all/egress',
      `prog load ${aware} @/redirect map name targets pinned @/dm`,
      'net attach xdpgeneric pinned @/redirect dev lo',
      'net attach xdpgeneric pinned @/dm dev lo',
    );
    const result = xdpctl(['-j', 'batch', 'file', file, '--dry-run']);
    expect(result.jsonErrors()).toEqual([
      expectedError(5, 6, 'exists already'),
      expectedError(7, 3, 'there is no pin'),
      expectedError(8, 2, 'is a pinned program, not a map'),
      expectedError(13, 2, 'is a pinned map, not a program'),
      { error: { exit: 6, message: `4 of 13 commands of ${file} failed, the first on line 5` } },
    ]);
    expect(readdirSync(pins.path)).toEqual(['dm']);
    await expectNothingNew(before);
    // No program has touched the map: one that is not aware of fragments may still use it.
    expect(
      xdpctl(['prog', 'load', faultyObject, pins.pin('plain'), 'map', 'name', 'targets', 'pinned', pins.pin('dm')]),
    ).toMatchObject({ status: 0 });
  });

  it('says how many lines it checked', () => {
    hashMap('m');
    tool('bpftool', ['map', 'update', 'pinned', pins.pin('m'), ...'key 1 0 0 0 value 9 0 0 0'.split(' ')]);
    const { status, stdout, stderr } = xdpctl([
      'batch',
      'file',
      '--dry-run',
      batchFile('map update @/m key 1 value 1', 'map delete @/m key 1', 'map freeze @/m'),
    ]);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(
      /^would write key 1 of hash \d+ \(any\)\nwould remove key 1 of hash \d+\nwould freeze hash \d+\nchecked 3 commands\n$/,
    );
  });
});

describe('standard input', () => {
  it('is answered line by line, so that a program can talk with a batch', async () => {
    hashMap('m');
    await using batch = startXdpctl(['-j', 'batch', 'file', '-'], { keepInputOpen: true });
    batch.child.stdin?.write(`map update ${pins.path}/m key 1 value 5\nmap lookup ${pins.path}/m key 1\n`);
    await batch.untilStdout(/"formatted":\{"key":1,"value":5\}/);
    // Another process changes what the pin means.
    rmSync(pins.pin('m'));
    hashMap('m');
    tool('bpftool', ['map', 'update', 'pinned', pins.pin('m'), ...'key 1 0 0 0 value 6 0 0 0'.split(' ')]);
    batch.child.stdin?.write(`map lookup ${pins.path}/m key 1\n`);
    await batch.untilStdout(/"formatted":\{"key":1,"value":6\}/);
    batch.child.stdin?.end();
    const result = await batch.result();
    expect(result).toMatchObject({ status: 0, stderr: '' });
    expect(result.json()).toHaveLength(3);
  });

  it('may be interrupted while nothing comes', async () => {
    hashMap('m');
    await using batch = startXdpctl(['-j', 'batch', 'file', '-'], { keepInputOpen: true });
    batch.child.stdin?.write(`map update ${pins.path}/m key 1 value 5\nmap lookup ${pins.path}/m key 1\n`);
    await batch.untilStdout(/"value":5/);
    const result = await batch.stop('SIGTERM');
    expect(result.signal).toBe('SIGTERM');
    expect(result.json()).toHaveLength(2);
    expect(result.jsonErrors()).toEqual([
      { warning: { message: 'interrupted after line 2 of standard input: 2 commands were applied' } },
    ]);
  });
});

describe('a signal between two lines', () => {
  it('stops the batch, which says how far it came and dies of it', async () => {
    const path = pins.pin('c');
    tool('bpftool', ['map', 'create', path, ...'type cpumap key 4 value 4 entries 1 name c'.split(' ')]);
    // Each line starts a kernel thread, which takes long enough to be interrupted.
    const file = batchFile(...Array.from({ length: 16_384 }, (_, index) => `map update @/c key 0 value ${index + 1}`));
    await using batch = startXdpctl(['batch', 'file', file]);
    while (qsize() < 100) await sleep(1);
    const { signal, stdout, stderr } = await batch.stop('SIGINT');
    expect({ signal, stdout }).toEqual({ signal: 'SIGINT', stdout: '' });
    const applied = qsize();
    expect(applied).toBeLessThan(16_384);
    expect(stderr).toBe(`interrupted after line ${applied} of ${file}: ${applied} commands were applied\n`);

    function qsize(): number {
      return peekEntry(path, 0) ?? 0;
    }
  });
});

describe('a reader that leaves', () => {
  it('does not keep the batch from finishing its work', async () => {
    hashMap('m', 2000);
    const lines = Array.from({ length: 2000 }, (_, index) => [
      `map update @/m key ${index} value 1`,
      `map lookup @/m key ${index}`,
    ]);
    await using batch = startXdpctl(['batch', 'file', '-'], { keepInputOpen: true });
    batch.child.stdout?.destroy();
    batch.child.stdin?.end(`${lines.flat().join('\n').replaceAll('@', pins.path)}\n`);
    expect(await batch.result()).toMatchObject({ status: 0, stderr: '' });
    expect(Object.keys(entries('m'))).toHaveLength(2000);
  });
});

describe('eight batches at once', () => {
  it('lose nothing in one map', async () => {
    const each = 2000;
    hashMap('m', 8 * each);
    const results = await Promise.all(
      Array.from({ length: 8 }, async (_, worker) => {
        const lines = Array.from(
          { length: each },
          (__, index) => `map update ${pins.path}/m key ${index * 8 + worker} value ${worker} noexist`,
        );
        await using batch = startXdpctl(['-q', 'batch', 'file', '-'], { input: `${lines.join('\n')}\n` });
        return await batch.result();
      }),
    );
    for (const result of results) expect(result).toMatchObject({ status: 0, stderr: '' });
    const found = entries('m');
    expect(Object.keys(found)).toHaveLength(8 * each);
    expect(Object.entries(found).filter(([key, worker]) => Number(key) % 8 !== worker)).toEqual([]);
  });

  it('lose nothing in a devmap, whose entries they also remove', async () => {
    const each = 500;
    tool('bpftool', ['map', 'create', pins.pin('d'), ...'type devmap key 4 value 4 entries 8000 name d'.split(' ')]);
    const results = await Promise.all(
      Array.from({ length: 8 }, async (_, worker) => {
        const lines = Array.from({ length: each }, (__, index) => {
          const key = index * 8 + worker;
          const update = `map update ${pins.path}/d key ${key} value lo`;
          return index % 2 === 0 ? update : `${update}\nmap delete ${pins.path}/d key ${key}`;
        }).join('\n');
        await using batch = startXdpctl(['-q', 'batch', 'file', '-'], { input: `${lines}\n` });
        return await batch.result();
      }),
    );
    for (const result of results) expect(result).toMatchObject({ status: 0, stderr: '' });
    const dumped = xdpctl(['-j', 'map', 'dump', pins.pin('d')]).json() as { key: string[] }[];
    const keys = dumped.map(({ key }) => Buffer.from(key.map(Number)).readUInt32LE());
    const kept = Array.from({ length: 8 * each }, (_, key) => key).filter((key) => Math.floor(key / 8) % 2 === 0);
    expect(new Set(keys)).toEqual(new Set(kept));
  });
});
