import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { openBuiltin } from '../../src/kernel/builtin-objects.ts';
import { knowsFragments } from '../../src/kernel/fragment-probe.ts';
import { BpfMap } from '../../src/kernel/map.ts';
import { openPin } from '../../src/kernel/pin.ts';
import { loadRedirect, type RedirectProgram } from '../../src/kernel/redirect-program.ts';
import { type CommandResult, PinFolder, xdpctl } from '../support/command.ts';
import { runHere, runWith } from '../support/run-here.ts';
import { fixtureName } from '../support/run-id.ts';
import { tool, toolJson } from '../support/tool.ts';
import { createWorld, type World } from '../support/world.ts';

/** What the manual promises of the grammar, the handles and the exit codes. */

let pins: PinFolder;
let folder: string;

beforeEach(() => {
  pins = new PinFolder();
  folder = mkdtempSync(join(tmpdir(), fixtureName()));
  tool('bpftool', ['map', 'create', pins.pin('d'), ...'type devmap key 4 value 8 entries 8 name d'.split(' ')]);
});

afterEach(() => {
  pins[Symbol.dispose]();
  rmSync(folder, { recursive: true });
});

/** Runs a command line, `@` standing for the folder of pins. */
function run(line: string): Promise<CommandResult> {
  return runHere(...line.split(' ').map((word) => word.replace(/^@/, `${pins.path}/`)));
}

async function refusal(line: string): Promise<object> {
  const { status, stdout, stderr } = await run(line);
  expect(stdout).toBe('');
  const [, error, , hint] = /^error: (.*)\n(hint: (.*)\n)?$/.exec(stderr) ?? [];
  return { status, error, ...(hint !== undefined && { hint }) };
}

describe('options', () => {
  it.each([
    '-j map show @d',
    'map -j show @d',
    'map show -j @d',
    'map show @d -j',
    'map show @d --json',
    'map show -jq @d',
    '--color never map show --json @d',
    '--color=never map show --json @d',
    'map show -j -- @d',
    '-p map show @d',
    'map show @d --pretty',
  ])('may stand anywhere: %s', async (line) => {
    const result = await run(line);
    expect(result).toMatchObject({ status: 0, stderr: '' });
    expect(result.json()).toMatchObject({ type: 'devmap', name: 'd' });
  });

  it('are ended by --', async () => {
    expect(await refusal('map show -- -j')).toMatchObject({ status: 3, error: "there is no map named '-j'" });
    expect(await refusal('-- map --help')).toMatchObject({ status: 2, error: "unknown verb of map '--help'" });
  });

  it.each([
    ['map show @d --jso', "unknown option '--jso'", 'did you mean --json?'],
    ['--colour always map show', "unknown option '--colour'", 'did you mean --color?'],
    ['--frob mapp show', "unknown option '--frob'", undefined],
    ['map show -z', "unknown option '-z'", undefined],
    ['map show --strict', "unknown option '--strict'", undefined],
    ['map show --color blue', "--color takes auto, always or never, not 'blue'", undefined],
    ['map show --netns', "option '--netns <NAME|PID|PATH>' argument missing", undefined],
    ['map show --dry-run', "--dry-run means nothing to 'map show', which changes nothing", undefined],
    ['--if-absent mapp create', "unknown object 'mapp'", 'did you mean map?'],
  ])('that are wrong are named: %s', async (line, error, hint) => {
    expect(await refusal(line)).toEqual({ status: 2, error, ...(hint !== undefined && { hint }) });
  });

  it('a wrong line is reported in the form that it asks for', async () => {
    const { status, stdout, stderr } = await run('-j mapp show');
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(JSON.parse(stderr)).toEqual({
      error: { exit: 2, message: "unknown object 'mapp'", hint: 'did you mean map?' },
    });
  });

  it('--bpffs shows the pins in a list, and who holds the maps; without it neither is looked for', async () => {
    const { id } = (await run('-j map show @d')).json() as { id: number };
    const listed = async (option: string): Promise<object | undefined> =>
      ((await run(`-j ${option} map show`.replace('  ', ' '))).json() as { id: number }[]).find((map) => map.id === id);
    expect(await listed('-f')).toMatchObject({ pinned: [pins.pin('d')], pids: [] });
    expect(Object.keys((await listed('--')) ?? {})).not.toContain('pinned');
  });

  it('--version tells the version, as JSON that of libbpf too', async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    for (const line of ['--version', '-V']) expect(xdpctl([line]).stdout).toBe(`xdpctl ${version}\n`);
    for (const line of ['-V -j', '-j version', '-jV map show']) {
      expect((await run(line)).json()).toMatchObject({
        version,
        libbpf_version: expect.stringMatching(/^1\./) as string,
      });
    }
  });
});

describe('words', () => {
  it.each([
    ['mapp show', "unknown object 'mapp'", 'did you mean map?'],
    ['ma show', "unknown object 'ma'", 'did you mean map?'],
    ['m show', "unknown object 'm'", 'see: xdpctl help'],
    ['map shwo', "unknown verb of map 'shwo'", 'did you mean show?'],
    ['map s', "unknown verb of map 's'", 'see: xdpctl map help'],
    ['map updat @d key 0 value 1', "unknown verb of map 'updat'", 'did you mean update?'],
    ['map Show', "unknown verb of map 'Show'", 'did you mean show?'],
    ['batch fil x', "unknown verb of batch 'fil'", 'did you mean file?'],
    ['map lookup @d k 0', "expected 'key', not 'k'", undefined],
    [
      'map create @n t devmap entries 1',
      "unexpected word 't'",
      expect.stringContaining('keywords are type,') as string,
    ],
    ['help mapp', "unknown object 'mapp'", 'did you mean map?'],
    ['map help shwo', "unknown verb of map 'shwo'", 'did you mean show?'],
  ])('are never abbreviated, and the right one is guessed: %s', async (line, error, hint) => {
    expect(await refusal(line)).toEqual({ status: 2, error, ...(hint !== undefined && { hint }) });
  });

  it.each([
    ['feature probe', "unknown object 'feature'", /: xdpctl net features; the rest is for bpftool feature$/],
    ['btf list', "unknown object 'btf'", /^that is for bpftool btf$/],
    ['prog dump xlated id 1', "unknown verb of prog 'dump'", /bpftool prog dump xlated/],
    ['prog attach @p xdp', "unknown verb of prog 'attach'", /: xdpctl net attach xdpdrv PROG dev IF;/],
    ['prog detach @p xdp', "unknown verb of prog 'detach'", /: xdpctl net detach xdpdrv dev IF;/],
    ['map push @d value 1', "unknown verb of map 'push'", /bpftool map/],
    ['net attach tcx_ingress @p dev lo', /'tcx_ingress' is no type of XDP attachment/, /tc is for bpftool net$/],
    ['map create @n type devmap entries 4 offload_dev lo', /'offload_dev' makes maps for a card/, /leave it out/],
    [
      'prog load x.o @p autoattach',
      /'autoattach' names no interface/,
      / net attach xdpdrv pinned @p dev IF; .* redirect attach IF --object x\.o$/,
    ],
    [
      'prog load x.o @p dev lo',
      /'dev' loads programs for a card/,
      / net attach xdpdrv pinned @p dev IF; .* xdpoffload pinned @p dev IF$/,
    ],
    [
      'prog load x.o @p offload_dev lo',
      /'offload_dev' loads programs for a card/,
      / net attach xdpdrv pinned @p dev IF;/,
    ],
    [
      'prog loadall x.o @p xdpmeta_dev lo',
      /'xdpmeta_dev' binds programs/,
      /bpftool prog load, then attach: .* pinned @p\/NAME dev IF$/,
    ],
    ['prog load x.o @p kernel_btf y', /'kernel_btf' is for kernels/, /leave it out/],
    ['redirect delete eth0', "unknown verb of redirect 'delete'", /: xdpctl redirect detach DEV$/],
    ['redirect add eth0', "unknown verb of redirect 'add'", /: xdpctl redirect attach DEV --to DEV$/],
    ['redirect attach lo lo', "unexpected word 'lo': only the interface", /--to, once for each/],
    ['redirect attach lo --to lo --mode xdpdrv', "--mode takes native, generic, not 'xdpdrv'", /--mode native$/],
    ['redirect attach lo --to lo --mode skb', "--mode takes native, generic, not 'skb'", /--mode generic$/],
    ['prog load x.o @p now', "unknown word 'now'", /keywords are type, map, pinmaps/],
  ])('of other tools that are not ours are refused with what to type instead: %s', async (line, error, hint) => {
    const refused = (await refusal(line)) as { status: number; error: string; hint: string };
    expect(refused.status).toBe(2);
    expect(refused.error).toMatch(error);
    expect(refused.hint.replaceAll(`${pins.path}/`, '@')).toMatch(hint);
  });

  it('exceptions from what bpftool takes are in the manual', () => {
    const manual = readFileSync('man/xdpctl.8', 'utf8');
    for (const what of ['abbreviated words', 'ambiguous names', 'octal numbers', 'relative pin paths']) {
      expect(manual).toContain(what);
    }
  });
});

describe('help', () => {
  it.each([
    ['', /^Usage: xdpctl/],
    ['help', /^Usage: xdpctl/],
    ['--help', /^Usage: xdpctl/],
    ['-h', /^Usage: xdpctl/],
    ['map help', /^xdpctl map: /],
    ['help map', /^xdpctl map: /],
    ['map --help', /^xdpctl map: /],
    ['map create --help', /^Usage:\n {2}xdpctl map create/],
    ['map help create', /^Usage:\n {2}xdpctl map create/],
    ['help map create', /^Usage:\n {2}xdpctl map create/],
    ['map create nonsense -h', /^Usage:\n {2}xdpctl map create/],
    ['-j map --help', /^xdpctl map: /],
  ])('goes to stdout: %s', async (line, text) => {
    const { status, stdout, stderr } = await runHere(...line.split(' ').filter((word) => word !== ''));
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toMatch(text);
  });
});

describe('a pin', () => {
  it('without a slash lies directly under bpffs, whatever the working directory', () => {
    const name = fixtureName();
    const path = `/sys/fs/bpf/${name}`;
    try {
      const made = xdpctl(['map', 'create', name, 'type', 'devmap', 'entries', '4', 'name', 'm'], { cwd: pins.path });
      expect(made).toMatchObject({ status: 0, stderr: '' });
      expect(toolJson('bpftool', ['-j', 'map', 'show', 'pinned', path])).toMatchObject({ name: 'm' });
      expect(xdpctl(['map', 'show', 'pinned', name], { cwd: folder })).toMatchObject({ status: 0 });
      expect(xdpctl(['map', 'unpin', name], { cwd: folder })).toMatchObject({ status: 0 });
    } finally {
      rmSync(path, { force: true });
    }
  });

  it('can be opened by nobody but its owner', () => {
    expect(xdpctl(['map', 'create', pins.pin('own'), 'type', 'cpumap', 'entries', '1']).status).toBe(0);
    expect(xdpctl(['map', 'pin', pins.pin('own'), pins.pin('other')]).status).toBe(0);
    expect(tool('stat', ['-c', '%a', pins.pin('own'), pins.pin('other')])).toBe('600\n600\n');
  });

  it('whose folder or object has a name for a shell is quoted in what is to be typed', async () => {
    expect(await refusal('map create @$(id)/x type cpumap entries 1')).toMatchObject({
      status: 3,
      hint: `make it: mkdir '${pins.path}/$(id)'`,
    });
    const object = join(import.meta.dirname, '..', '..', 'bpf-objects', 'pass.bpf.o');
    tool('bpftool', ['prog', 'load', object, pins.pin('a;b')]);
    expect(await refusal('map show @a;b')).toMatchObject({
      status: 2,
      hint: `see: xdpctl prog show pinned '${pins.path}/a;b'`,
    });
  });
});

describe('--if-absent', () => {
  it.each([
    ['type devmap entries 8', 0],
    ['type devmap key 4 value 8 entries 8 flags 0x80', 0],
    ['type devmap entries 9', 6],
    ['type devmap_hash entries 8', 6],
    ['type devmap value 4 entries 8', 6],
    ['type devmap entries 8 name other', 6],
    ['type devmap entries 8 flags rdonly', 6],
  ])('%s: exit %i', async (words, exit) => {
    const before = (await run('-j map show @d')).stdout;
    const { status, stderr } = await run(`map create @d ${words} --if-absent`);
    expect(status).toBe(exit);
    expect(stderr).toContain(exit === 0 ? '' : 'exists already with another specification: ');
    expect((await run('-j map show @d')).stdout).toBe(before);
  });

  it('makes a map where there is none', async () => {
    expect(await run('map create @new type cpumap entries 1 --if-absent')).toMatchObject({ status: 0 });
    expect((await run('-j map show @new')).json()).toMatchObject({ type: 'cpumap', name: 'new' });
  });
});

describe('what bpftool shows of a map', () => {
  it.each(['devmap', 'devmap_hash', 'cpumap', 'xskmap', 'hash', 'array', 'lru_hash', 'percpu_array'])(
    'is shown under the same keys: %s',
    async (type) => {
      const value = type === 'xskmap' ? '4' : '8';
      tool('bpftool', [
        'map',
        'create',
        pins.pin('m'),
        'type',
        type,
        'key',
        '4',
        'value',
        value,
        'entries',
        '2',
        'name',
        'm',
      ]);
      // bpftool says who holds a map only where it was built for that.
      const { pids, ...theirs } = toolJson('bpftool', ['-j', '-f', 'map', 'show', 'pinned', pins.pin('m')]) as Record<
        string,
        unknown
      >;
      expect(pids ?? []).toEqual([]);
      expect((await run('-j map show @m')).json()).toEqual({ ...theirs, pids: [] });
    },
  );
});

describe('exit codes', () => {
  it.each([
    ['map show', 0],
    ['map create @big type devmap entries 4294967295', 1],
    ['map show id -1', 2],
    ['map show @none', 3],
    ['map getnext @d key 7', 3],
    ['--netns nosuchnamespace map show', 3],
    ['batch file /nosuchfile', 3],
    ['map create @d type devmap entries 1', 6],
    ['map lookup @d key 1', 3],
  ])('%s: %i', async (line, exit) => {
    const { status } = await run(line);
    expect(status).toBe(exit);
  });

  it('5 where the kernel does not let user space read a map', async () => {
    tool('bpftool', ['map', 'create', pins.pin('r'), ...'type ringbuf key 0 value 0 entries 4096 name r'.split(' ')]);
    expect(await refusal('map dump @r')).toMatchObject({ status: 5 });
  });

  it('70 for a bug, whose stack shows only with --debug', async () => {
    for (const [words, shows] of [
      [['batch', 'file', '-'], false],
      [['-d', 'batch', 'file', '-'], true],
      [['-j', 'batch', 'file', '-'], false],
    ] as const) {
      const { status, stderr } = await runWith(words, brokenInput);
      expect(status).toBe(70);
      expect(stderr).toContain('unexpected failure: the test broke it');
      expect(/^ {4}at /m.test(stderr)).toBe(shows);
    }
  });
});

describe('--netns', () => {
  let world: World;
  let namespace: string;
  let ifindex: number;

  beforeAll(() => {
    world = createWorld();
    namespace = world.namespace();
    ({ ifindex } = world.veth({ namespace, name: '5' }, { namespace, name: '$(id)' }).a);
  });

  afterAll(() => world[Symbol.dispose]());

  it('takes a name, a path and a process id', async () => {
    const sleeper = tool('sh', ['-c', `ip netns exec ${namespace} sleep 60 > /dev/null 2>&1 & echo $!`]).trim();
    try {
      for (const netns of [namespace, `/run/netns/${namespace}`, sleeper]) {
        await untilInside(sleeper, namespace);
        const result = await run(`-q --netns ${netns} map update @d key 1 value dev 5`);
        expect(result).toMatchObject({ status: 0, stderr: '' });
        const dump = (await run(`-j --netns ${netns} map dump @d`)).json();
        expect(dump).toMatchObject([{ formatted: { value: { ifindex, ifname: '5' } } }]);
      }
    } finally {
      process.kill(Number(sleeper));
    }
  });

  it('digits are a number, and dev makes them a name, in keys and values', async () => {
    await run('map create @h type devmap_hash entries 4');
    const go = (words: string): Promise<CommandResult> => run(`-q --netns ${namespace} map ${words}`);
    expect(await go('update @h key dev 5 value dev 5 any')).toMatchObject({ status: 0, stderr: '' });
    expect(await go('update @h key 5 value dev $(id)')).toMatchObject({ status: 0, stderr: '' });
    const keys = ((await go('dump @h -j')).json() as { formatted: { key: number } }[]).map(
      ({ formatted }) => formatted.key,
    );
    expect(keys.toSorted((a, b) => a - b)).toEqual([5, ifindex]);
    expect(await go('lookup @h key dev 5')).toMatchObject({ status: 0 });
    expect(await go('delete @h key dev 5')).toMatchObject({ status: 0 });
    expect(await go('lookup @h key dev 5')).toMatchObject({ status: 3 });
    expect(await go('update @h key dev 6 value 6')).toMatchObject({ status: 3 });
  });

  it('names for a shell are quoted in what is to be typed', async () => {
    const { stderr } = await run(`-j --netns ${namespace} map update @d key 1 value dev 5`);
    const hints = stderr
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => (JSON.parse(line) as { warning: { hint: string } }).warning.hint);
    expect(hints.length).toBeGreaterThan(0);
    for (const hint of hints) expect(hint.replaceAll("'$(id)'", '')).not.toContain('$(id)');
    expect(hints.join()).toContain("'$(id)'");
  });
});

/** A child of `ip netns exec` is inside only after a while. */
async function untilInside(pid: string, namespace: string): Promise<void> {
  const { ino } = statSync(`/run/netns/${namespace}`);
  while (statSync(`/proc/${pid}/ns/net`).ino !== ino) await sleep(5);
}

// oxlint-disable-next-line require-yield
async function* brokenInput(): AsyncGenerator<Uint8Array> {
  throw new TypeError('the test broke it');
}

// Of the redirect maps the kernel binds these two to a kind of program (map_type_contains_progs, include/linux/bpf.h).
describe.skipIf(!knowsFragments())('a map that was only looked at', () => {
  it.each(['devmap', 'cpumap'].flatMap((type) => [true, false].map((fragments) => ({ type, fragments }))))(
    'a $type is free for a first program with fragments $fragments',
    async ({ type, fragments }) => {
      const object = join(import.meta.dirname, '..', '..', 'bpf-objects', 'pass.bpf.o');
      tool('bpftool', ['prog', 'load', object, pins.pin('pass')]);
      await run(`map create @m type ${type} entries 2`);
      const value = type === 'cpumap' ? '64' : 'lo';
      expect(await run(`map update @m key 0 value ${value}`)).toMatchObject({ status: 0 });
      // The kind of the program is found out with a map of our own.
      expect(await run(`map update @m key 0 value ${value} prog @pass`)).toMatchObject({ status: 2 });
      for (const verb of ['show', 'dump', 'getnext']) expect(await run(`map ${verb} @m`)).toMatchObject({ status: 0 });
      const file = join(folder, 'document');
      writeFileSync(file, (await run('map export @m')).stdout);
      expect(await run(`map import @m ${file}`)).toMatchObject({ status: 0 });
      expect(await run('redirect show')).toMatchObject({ status: 0 });

      using map = new BpfMap(openPin(pins.pin('m')).fd);
      using first = loaded(type, map, fragments);
      expect(first.program.info.id).toBeGreaterThan(0);
      // That one has decided: the other kind comes too late.
      expect(() => loaded(type, map, !fragments)).toThrow('object load');
    },
  );
});

/** A program that redirects through the map. */
function loaded(type: string, targets: BpfMap, fragments: boolean): RedirectProgram {
  const name = `redirect_${type}`;
  using object = openBuiltin(name);
  const config = object.map('.rodata')?.initialValue() ?? new Uint8Array();
  return loadRedirect(name, { config, maxEntries: 2, targets, fragments });
}
