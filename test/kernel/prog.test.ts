import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { programTypeName } from '../../src/domain/program-type.ts';
import { bpftoolJson } from '../support/bpftool-json.ts';
import { builtinPath } from '../support/builtin-path.ts';
import { compileBpf } from '../support/clang.ts';
import { type CommandResult, PinFolder } from '../support/command.ts';
import { kernelHas } from '../support/kernel-has.ts';
import { runHere } from '../support/run-here.ts';
import { fixtureName } from '../support/run-id.ts';
import { tool } from '../support/tool.ts';

let folder: string;
let pins: PinFolder;
/** The programs of one of the files. */
const threePrograms = ['one', 'two', 'out'];
/** Files of BPF programs, by name. */
const objects: Record<string, string> = {};

const targets = (value: string): string => `
struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, ${value});
} targets SEC(".maps");`;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), fixtureName()));
  objects['three'] = compileBpf(
    folder,
    'three',
    `${targets('struct bpf_devmap_val')}
const volatile int number = 1;
SEC("xdp") int one(struct xdp_md *ctx) { return bpf_redirect_map(&targets, number, 0); }
SEC("xdp") int two(struct xdp_md *ctx) { return XDP_TX; }
SEC("xdp/devmap") int out(struct xdp_md *ctx) { return XDP_PASS; }`,
  );
  objects['bad'] = compileBpf(
    folder,
    'bad',
    'SEC("xdp") int bad(struct xdp_md *ctx) { return *(volatile int *)(long)ctx->data; }',
  );
  objects['pinned'] = compileBpf(
    folder,
    'pinned',
    `struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} ${fixtureName().replaceAll('-', '_')} SEC(".maps");
SEC("xdp") int one(struct xdp_md *ctx) { return XDP_PASS; }`,
  );
  objects['truncated'] = join(folder, 'truncated.bpf.o');
  writeFileSync(objects['truncated'], readFileSync(objects['three']).subarray(0, 700));
  objects['text'] = join(folder, 'three.bpf.c');
});

beforeEach(() => {
  pins = new PinFolder();
  for (const name of ['pass', 'egress_devmap', 'egress_cpumap']) {
    tool('bpftool', ['prog', 'load', builtinPath(name), pins.pin(name)]);
  }
  const map = (name: string, type: string, value: string): string =>
    tool('bpftool', [
      'map',
      'create',
      pins.pin(name),
      ...`type ${type} key 4 value ${value} entries 8`.split(' '),
      'name',
      name,
    ]);
  map('wide', 'devmap', '8');
  map('narrow', 'devmap', '4');
  map('hash', 'devmap_hash', '8');
});

afterEach(() => pins[Symbol.dispose]());
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs a command; `@` is the folder of pins, `~name` a file of programs, `~` the folder of those. */
function typed(command: string): Promise<CommandResult> {
  return runHere(...written(command).split(' '));
}

function written(command: string): string {
  return command
    .replaceAll('@', pins.path)
    .replaceAll(/~([a-z]+)/g, (_, name: string) => objects[name] ?? join(folder, name));
}

function shown(pin: string): Record<string, unknown> {
  return bpftoolJson('-f', 'prog', 'show', 'pinned', pins.pin(pin)) as Record<string, unknown>;
}

function everyPin(): string[] {
  return readdirSync(pins.path, { recursive: true }).map(String).toSorted();
}

async function expectRefusal(command: string, exit: number, says: string | RegExp): Promise<void> {
  const before = everyPin();
  const plain = await typed(command);
  expect({ status: plain.status, stdout: plain.stdout }).toEqual({ status: exit, stdout: '' });
  expect(plain.stderr).toMatch(says);
  expect(plain.stderr).toMatch(/^error: [^\n]*\n(hint: [^\n]*\n)?$/);
  const json = await typed(`-j ${command}`);
  expect({ status: json.status, stdout: json.stdout }).toEqual({ status: exit, stdout: '' });
  expect(json.jsonErrors()).toMatchObject([{ error: { exit } }]);
  expect(everyPin()).toEqual(before);
}

describe('prog show', () => {
  it.each(['pinned @/pass', '@/pass', 'id ID'])('%s is what bpftool says', async (handle) => {
    const judge = shown('pass');
    const result = await typed(`-j prog show ${handle.replace('ID', String(judge['id']))}`);
    expect(result).toMatchObject({ status: 0, stderr: '' });
    const row = result.json() as Record<string, number>;
    expect(row).toMatchObject({ ...judge, loaded_at: expect.any(Number) as number });
    expect(Math.abs((row['loaded_at'] ?? 0) - Number(judge['loaded_at']))).toBeLessThanOrEqual(1);
    expect(Object.keys(row)).toEqual([...Object.keys(judge), 'pids']);
  });

  it('lists every program that bpftool lists', async () => {
    const judge = bpftoolJson('prog', 'show') as { id: number; type: string }[];
    const rows = (await typed('-j prog list')).json() as { id: number; type: string }[];
    const known = new Map(rows.map(({ id, type }) => [id, type]));
    // Others load and unload programs meanwhile; those of this test stay.
    for (const name of ['pass', 'egress_devmap', 'egress_cpumap']) {
      const { id } = shown(name) as { id: number };
      expect(known.get(id)).toBe('xdp');
      expect(judge.map((each) => each.id)).toContain(id);
    }
  });

  it('names the pins and holders of each with --bpffs', async () => {
    const rows = (await typed('-j -f prog show')).json() as { id: number; pinned: string[]; pids: unknown[] }[];
    const { id } = shown('pass') as { id: number };
    expect(rows.find((row) => row.id === id)).toMatchObject({ pinned: [pins.pin('pass')], pids: [] });
  });

  it('refuses a name and a tag of several, and lists their ids', async () => {
    tool('bpftool', ['prog', 'load', builtinPath('pass'), pins.pin('again')]);
    const ids = [shown('pass')['id'], shown('again')['id']].map(Number);
    const { tag } = shown('pass') as { tag: string };
    for (const handle of [`tag ${tag}`, 'name pass', 'pass']) {
      const { status, stderr } = await typed(`prog show ${handle}`);
      expect(status).toBe(2);
      for (const id of ids) expect(stderr).toMatch(new RegExp(`ids .*\\b${id}\\b`));
    }
  });

  it.each([
    ['@/none', 3, 'there is no pin'],
    ['id 4294967294', 3, 'there is no program with id 4294967294'],
    ['@/wide', 2, 'is a pinned map, not a program'],
    ['tag 0000000000000000', 3, 'there is no program with the tag'],
    ['tag xyz', 2, '16 hexadecimal digits'],
    ['id 1 more', 2, "unexpected word 'more'"],
  ])('%s is refused', (words, exit, says) => expectRefusal(`prog show ${words}`, exit, says));
});

describe('prog pin and unpin', () => {
  it('give a pin and take it away', async () => {
    expect(await typed('prog pin @/pass @/second')).toMatchObject({ status: 0, stdout: '', stderr: '' });
    expect(shown('second')['id']).toBe(shown('pass')['id']);
    expect(await typed('prog unpin @/pass @/second')).toMatchObject({ status: 0, stdout: '', stderr: '' });
    expect(existsSync(pins.pin('second'))).toBe(false);
    expect(existsSync(pins.pin('pass'))).toBe(true);
  });

  it('say under --dry-run what they would do', async () => {
    const { id } = shown('pass') as { id: number };
    const before = everyPin();
    expect((await typed('prog pin @/pass @/second --dry-run')).stdout).toBe(
      `would pin xdp program ${id} (pass) at ${pins.pin('second')}\n`,
    );
    expect((await typed('prog unpin @/pass --dry-run')).stdout).toBe(
      `would remove ${pins.pin('pass')}, a pin of xdp program ${id} (pass)\n`,
    );
    expect(everyPin()).toEqual(before);
  });

  it.each([
    ['pin @/pass @/wide', 6, 'exists already'],
    ['pin @/wide @/second', 2, 'is a pinned map'],
    ['pin @/pass @/no/second', 3, 'does not exist'],
    ['unpin @/wide', 2, 'is a pinned map, not a program'],
    ['unpin @/pass @/egress_devmap', 2, /is a pin of xdp program \d+ \(egress\), not of xdp program \d+ \(pass\)/],
    ['unpin @/none', 3, 'there is no pin'],
    ['unpin @/pass now please', 2, "unexpected word 'please'"],
  ])('%s is refused', (words, exit, says) => expectRefusal(`prog ${words}`, exit, says));
});

describe('prog load', () => {
  it('pins the first program of a file', async () => {
    expect(await typed('prog load ~three @/first')).toMatchObject({ status: 0, stdout: '', stderr: '' });
    expect(shown('first')).toMatchObject({
      type: 'xdp',
      name: 'one',
      map_ids: [expect.any(Number), expect.any(Number)],
    });
  });

  it('loads all of a file below a directory that it makes, and the maps below another', async () => {
    expect(await typed('prog loadall ~three @/all pinmaps @/maps')).toMatchObject({
      status: 0,
      stdout: '',
      stderr: '',
    });
    expect(readdirSync(pins.pin('all')).toSorted()).toEqual(['one', 'out', 'two']);
    // As bpftool names them.
    tool('bpftool', ['prog', 'loadall', objects['three'] ?? '', pins.pin('judge'), 'pinmaps', pins.pin('judged')]);
    expect(readdirSync(pins.pin('maps'))).toEqual(readdirSync(pins.pin('judged')));
    const { id } = bpftoolJson('map', 'show', 'pinned', pins.pin('maps/targets')) as { id: number };
    expect(shown('all/one')['map_ids']).toContain(id);
  });

  it('loads all into a directory that is there', async () => {
    mkdirSync(pins.pin('all'));
    expect(await typed('prog loadall ~three @/all pinmaps @/all')).toMatchObject({ status: 0, stderr: '' });
    expect(readdirSync(pins.pin('all'))).toContain('targets');
  });

  it.each(['name targets', 'idx 0'])('takes a map that exists in the place of %s', async (which) => {
    const { id } = bpftoolJson('map', 'show', 'pinned', pins.pin('wide')) as { id: number };
    expect(await typed(`prog load ~three @/first map ${which} pinned @/wide`)).toMatchObject({ status: 0, stderr: '' });
    expect(shown('first')['map_ids']).toContain(id);
  });

  it('loads for entries what was written for devices', async () => {
    expect(await typed('prog load ~three @/first type xdp/devmap')).toMatchObject({ status: 0, stderr: '' });
    const { status, stderr } = await typed('prog run @/first');
    expect({ status, stderr }).toEqual({ status: 5, stderr: expect.stringContaining('entries of a devmap') as string });
  });

  it('leaves nothing when the second pin cannot be made', async () => {
    mkdirSync(pins.pin('all'));
    writeBlocker('all/out');
    await expectRefusal('prog loadall ~three @/all pinmaps @/maps', 6, '/all/out exists already');
    rmSync(pins.pin('all'), { recursive: true });
    await expect.poll(loadedPrograms).toEqual([]);
  });

  it.each([
    ['the last pin', (long: string) => `prog load ~three ${long} pinmaps @/maps`],
    ['the second directory', (long: string) => `prog loadall ~three @/maps pinmaps ${long}`],
  ])('leaves nothing when the kernel refuses %s', async (_, command) => {
    // Nobody knows before that a name of 256 characters is too long.
    await expectRefusal(command(`@/${'a'.repeat(256)}`), 1, /failed: name too long \(ENAMETOOLONG\)/);
    expect(existsSync(pins.pin('maps'))).toBe(false);
    await expect.poll(loadedPrograms).toEqual([]);
  });

  it('says under --dry-run what it would do', async () => {
    const before = everyPin();
    const { stdout } = await typed('prog loadall ~three @/all map name targets @/wide --dry-run');
    expect(stdout).toMatch(
      /^would use devmap \d+ as map 'targets'\nwould load program 'one', .*\nwould pin program 'one' at /,
    );
    expect(everyPin()).toEqual(before);
  });

  it("shows the verifier's last lines, and all of them with --debug", async () => {
    // Linux 7.2 ends with other words.
    const last = /the verifier refuses program 'bad': .* outside of the (packet|allowed memory range)/;
    await expectRefusal('prog load ~bad @/first', 1, last);
    const { stderr } = await typed('-d prog load ~bad @/first');
    expect(stderr).toMatch(/BEGIN PROG LOAD LOG/);
    expect((await typed('prog load ~bad @/first')).stderr).toMatch(/the verifier was at: .*invalid access to packet/);
  });

  it('removes also what libbpf pinned by name', async () => {
    const { stdout } = await typed('-j prog load ~pinned @/first --dry-run');
    const [path = ''] = /\/sys\/fs\/bpf\/[a-z0-9_]+(?=, as the file)/.exec(stdout) ?? [];
    try {
      expect(path).not.toBe('');
      expect(await typed('prog load ~pinned @/first')).toMatchObject({ status: 0, stderr: '' });
      expect(existsSync(path)).toBe(true);
      // The pin is there now: a second file finds the map.
      expect(await typed('prog load ~pinned @/second')).toMatchObject({ status: 0, stderr: '' });
      expect(shown('second')['type']).toBe('xdp');
    } finally {
      rmSync(path, { force: true });
    }
  });

  it.each([
    ['load ~truncated @/first', 2, 'is no BPF object that libbpf can read'],
    ['load ~text @/first', 2, 'is no BPF object that libbpf can read'],
    ['load ~none @/first', 3, 'there is no file'],
    ['load ~three @/pass', 6, '/pass exists already'],
    ['loadall ~three @/pass', 6, '/pass exists already, and is no directory'],
    ['load ~three @/no/first', 3, 'does not exist'],
    ['load ~three /tmp/first', 2, 'is not in a bpffs'],
    ['load ~three @/first map name targets @/narrow', 2, 'its size of values is 4, and the program was made for 8'],
    ['load ~three @/first map name targets @/hash', 2, 'its type is devmap_hash, and the program was made for devmap'],
    ['load ~three @/first map name nothing @/wide', 2, "has no map 'nothing'"],
    ['load ~three @/first map idx 9 @/wide', 2, 'has no map at position 9'],
    ['load ~three @/first map name targets @/none', 3, 'there is no pin'],
    ['load ~three @/first map targets @/wide', 2, "expected 'idx' or 'name'"],
    ['load ~three @/first map idx 0 @/wide map name targets @/wide', 2, 'is given twice'],
    ['load ~three @/first type nonsense', 2, "'nonsense' is no type of program"],
    ['load ~three @/first now', 2, "unknown word 'now'"],
    ['load ~three', 2, 'the pin is missing'],
  ])('%s is refused', (words, exit, says) => expectRefusal(`prog ${words}`, exit, says));
});

describe('prog run', () => {
  it.each([
    ['~three', 0, 'XDP_ABORTED'],
    ['@/pass', 2, 'XDP_PASS'],
  ])('names the action of %s', async (which, retval, action) => {
    if (which === '~three') await typed('prog load ~three @/first');
    const pin = which === '~three' ? '@/first' : which;
    const json = (await typed(`-j prog run ${pin} repeat 3`)).json();
    expect(json).toEqual({ retval, action, duration: expect.any(Number) as number });
    expect((await typed(`prog run ${pin}`)).stdout).toMatch(new RegExp(`^returned  ${retval} \\(${action}\\)\n`));
  });

  it('is not ended by a signal that ends nothing', async () => {
    // Its SIGCHLD comes to this thread, which is in the kernel at that time.
    const child = spawn('sleep', ['0.1']);
    const ended = once(child, 'exit');
    await once(child, 'spawn');
    const { status, stderr } = await typed('prog run @/pass repeat 20000000');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    await ended;
  });

  it('gives the frame back as bpftool does', async () => {
    const frame = Uint8Array.from({ length: 70 }, (_, index) => index);
    writeFileSync(join(folder, 'frame'), frame);
    const words = ['prog', 'run', 'pinned', pins.pin('pass'), 'data_in', join(folder, 'frame'), 'data_out', '-'];
    const judge = bpftoolJson(...words) as { data_out: number[]; retval: number };
    const result = (await runHere('-j', ...words)).json();
    expect(result).toMatchObject({ data_out: judge.data_out, retval: judge.retval });
    expect(await typed('prog run @/pass data_in ~frame data_out ~out')).toMatchObject({ status: 0, stderr: '' });
    expect(readFileSync(join(folder, 'out'))).toEqual(Buffer.from(frame));
    expect((await typed('prog run @/pass data_in ~frame data_out -')).stdout).toMatch(
      /^0000 {2}00 01 02 .*\n0010 {2}10 11/,
    );
  });

  it.runIf(kernelHas('5.15'))('takes and gives a context', async () => {
    writeFileSync(join(folder, 'frame'), new Uint8Array(64));
    const context = new Uint8Array(24);
    new DataView(context.buffer).setUint32(4, 64, true);
    writeFileSync(join(folder, 'context'), context);
    const result = await typed('-j prog run @/pass data_in ~frame ctx_in ~context ctx_out -');
    expect(result.json()).toMatchObject({ retval: 2, ctx_out: [...context] });
    new DataView(context.buffer).setUint32(4, 65, true);
    writeFileSync(join(folder, 'context'), context);
    await expectRefusal('prog run @/pass data_in ~frame ctx_in ~context', 2, 'the kernel refuses the context');
  });

  it('runs nothing under --dry-run', async () => {
    expect((await typed('prog run @/pass repeat 5 --dry-run')).stdout).toMatch(
      /^would run xdp program \d+ \(pass\) 5 times on 64 bytes\n$/,
    );
  });

  // 5.10 takes such frames, 6.1 does not.
  it.each([...(kernelHas('6.1') ? [''] : []), ' --dry-run'])(
    'refuses frames that the kernel does not take%s',
    async (rehearsed) => {
      writeFileSync(join(folder, 'short'), new Uint8Array(13));
      await expectRefusal(`prog run @/pass data_in ~short${rehearsed}`, 2, 'at least 14 bytes, not 13');
    },
  );

  it.runIf(kernelHas('5.18'))('refuses frames of more pages than the kernel has room for', async () => {
    writeFileSync(join(folder, 'long'), new Uint8Array(1 << 20));
    await expectRefusal('prog run @/pass data_in ~long', 2, 'the kernel has no room for a frame of 1048576 bytes');
  });

  it.each([
    ['@/egress_devmap', 5, 'is for the entries of a devmap'],
    ['@/egress_cpumap', 5, 'is for the entries of a cpumap'],
    ['@/egress_devmap --dry-run', 5, 'is for the entries of a devmap'],
    ['@/egress_cpumap --dry-run', 5, 'is for the entries of a cpumap'],
    ['@/wide', 2, 'is a pinned map'],
    ['@/pass data_in ~none', 3, 'there is no file'],
    ['@/pass repeat 0', 2, 'repeat must be at least 1'],
    ['@/pass repeat 4294967296', 2, 'out of range'],
    ['@/pass ctx_out -', 2, "'ctx_out' needs 'ctx_in FILE'"],
    ['@/pass data_size_out 5', 2, "'data_size_out' needs 'data_out FILE'"],
    ['@/pass repeat 2 repeat 3', 2, "'repeat' is given twice"],
    ['@/pass often', 2, "unknown word 'often'"],
  ])('%s is refused', (words, exit, says) => expectRefusal(`prog run ${words}`, exit, says));
});

/** The programs of `three` that are loaded; the kernel frees them a little after the last that holds them. */
function loadedPrograms(): string[] {
  const names = (bpftoolJson('prog', 'show') as { name?: string }[]).map(({ name = '' }) => name);
  return names.filter((name) => threePrograms.includes(name));
}

/** Something is pinned where a pin should be. */
function writeBlocker(name: string): void {
  tool('bpftool', ['map', 'pin', 'pinned', pins.pin('wide'), pins.pin(name)]);
}

describe('the types of programs', () => {
  it('have the names that bpftool gives them', () => {
    const names = tool('bpftool', ['feature', 'list_builtins', 'prog_types']).trim().split('\n');
    expect(names.length).toBeGreaterThan(30);
    expect(names.map((_, number) => programTypeName(number))).toEqual(names);
  });
});
