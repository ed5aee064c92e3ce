import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';

import { loadBuiltinProgram } from '../../src/kernel/builtin-objects.ts';
import { inNetns } from '../../src/kernel/netns.ts';
import { attachXdp } from '../../src/kernel/xdp-attachment.ts';
import { builtinPath } from '../support/builtin-path.ts';
import { PinFolder } from '../support/command.ts';
import { needKernel } from '../support/kernel-has.ts';
import { expectNothingNew, kernelState } from '../support/leaks.ts';
import { type Arrivals, Router } from '../support/router.ts';
import { runPrefix } from '../support/run-id.ts';
import { tool } from '../support/tool.ts';

let router: Router;
let folder: PinFolder;
let file: string;

beforeAll(() => {
  router = new Router();
  folder = new PinFolder();
  file = join(mkdtempSync(join(tmpdir(), runPrefix())), 'redirects.json');
});

afterAll(() => {
  rmSync(join(file, '..'), { recursive: true });
  folder[Symbol.dispose]();
  router[Symbol.dispose]();
});

afterEach(async () => {
  await router.clear();
});

interface Change {
  readonly ifname: string;
  readonly change: string;
  readonly gap: boolean;
}

/** Runs `redirect VERB FILE …` with a document of these paths. */
function declare(...redirects: object[]): void {
  writeFileSync(file, JSON.stringify({ xdpctl: 1, redirects }));
}

async function apply(...words: string[]): Promise<Change[]> {
  return (await router.done('apply', file, ...words)) as Change[];
}

async function exported(): Promise<object[]> {
  return ((await router.done('export')) as { redirects: object[] }).redirects;
}

async function expectArrivals(expected: Arrivals): Promise<void> {
  expect(await router.arrivals(expected, { count: 20 })).toEqual(expected);
}

describe('redirect apply', () => {
  it('makes what is declared, and nothing the second time', async (context) => {
    needKernel(context, '5.14');
    const { a, b, c } = router;
    const paths = [
      { dev: a.name, to: [b.name] },
      { dev: b.name, to: [a.name, c.name], broadcast: true },
      { dev: c.name, cpus: [0, 1], qsize: 256 },
    ];
    declare(...paths);
    expect((await apply()).map(({ ifname, change }) => [ifname, change])).toEqual([
      [a.name, 'attach'],
      [b.name, 'attach'],
      [c.name, 'attach'],
    ]);
    await expectArrivals({ right: 20, other: 0 });
    const ids = [a, b, c].map(({ name }) => router.attached(name)?.id);
    expect(await router.done('diff', file, '--exit-code')).toEqual([]);
    expect(await apply('--prune')).toEqual([]);
    expect([a, b, c].map(({ name }) => router.attached(name)?.id)).toEqual(ids);
    expect(sorted(await exported())).toEqual(sorted(paths));
  });

  it('writes an entry that differs in its place, without a new program', async () => {
    const { a, b, c } = router;
    declare({ dev: a.name, to: [b.name] });
    await apply();
    const { id } = router.attached(a.name)!;
    declare({ dev: a.name, to: [c.name] });
    expect(await router.done('diff', file)).toMatchObject([{ ifname: a.name, change: 'update', gap: false }]);
    expect(await apply()).toMatchObject([{ ifname: a.name, change: 'update', gap: false }]);
    expect(router.attached(a.name)?.id).toBe(id);
    await expectArrivals({ right: 0, other: 20 });
  });

  it('adds and removes members of a broadcast in place', async (context) => {
    needKernel(context, '5.14');
    const { a, b, c } = router;
    declare({ dev: a.name, to: [b.name], broadcast: true });
    await apply();
    const { id } = router.attached(a.name)!;
    declare({ dev: a.name, to: [b.name, c.name], broadcast: true });
    expect(await apply()).toMatchObject([{ change: 'update' }]);
    await expectArrivals({ right: 20, other: 20 });
    declare({ dev: a.name, to: [c.name], broadcast: true });
    expect(await apply()).toMatchObject([{ change: 'update' }]);
    await expectArrivals({ right: 0, other: 20 });
    expect(router.attached(a.name)?.id).toBe(id);
  });

  it.for([
    ['on_miss', (): object => ({ on_miss: 'drop' }), false],
    ['key', (): object => ({ key: 5 }), false],
    ['broadcast', (): object => ({ broadcast: true }), false],
    ['dst_mac', (): object => ({ dst_mac: '02:00:00:00:00:07' }), false],
    ['mode', (): object => ({ mode: 'generic' }), true],
    ['link', (): object => ({ link: true }), true],
  ] as const)('replaces the program where %s differs', async ([what, more, gap], context) => {
    if (what === 'broadcast') needKernel(context, '5.14');
    const { a, b } = router;
    declare({ dev: a.name, to: [b.name] });
    await apply();
    declare({ dev: a.name, to: [b.name], ...more() });
    const { status, stdout, stderr } = await router.redirect('apply', file);
    expect({ status, gaps: stderr.includes('in between frames go to the stack') }).toEqual({ status: 0, gaps: gap });
    expect(JSON.parse(stdout)).toMatchObject([{ ifname: a.name, change: 'replace', gap }]);
    await expectArrivals({ right: 20 });
    expect(await exported()).toEqual([{ dev: a.name, to: [b.name], ...more() }]);
    expect(await apply()).toEqual([]);
  });

  it('leaves paths alone that are not declared, unless it is to prune', async () => {
    const { a, b, c } = router;
    await router.done('attach', a.name, '--to', b.name);
    declare({ dev: c.name, to: [b.name] });
    expect(await router.done('diff', file, '--prune')).toMatchObject([
      { change: 'attach' },
      { ifname: a.name, change: 'detach' },
    ]);
    expect(await apply()).toMatchObject([{ ifname: c.name, change: 'attach' }]);
    expect(router.attached(a.name)).toBeDefined();
    expect(await apply('--prune')).toMatchObject([{ ifname: a.name, change: 'detach' }]);
    expect(router.attached(a.name)).toBeUndefined();
    expect(router.attached(c.name)).toBeDefined();
  });

  it('never touches what others have attached', async () => {
    const { a, b, c } = router;
    const id = inNetns(router.netns, () => {
      using pass = loadBuiltinProgram('pass');
      attachXdp(a.ifindex, pass.fd, 'native');
      return pass.info.id;
    });
    declare({ dev: c.name, to: [b.name] }, { dev: a.name, to: [b.name] });
    expect(await router.refused('apply', file)).toMatchObject({
      exit: 6,
      message: expect.stringMatching(/redirects\[1\]: .* xdpctl did not attach/),
      hint: expect.stringContaining(`--force ${id}`),
    });
    expect(router.attached(c.name)).toBeUndefined();
    declare();
    expect(await apply('--prune')).toEqual([]);
    expect(router.attached(a.name)?.id).toBe(id);
    expect(await exported()).toEqual([]);
    expect(await router.done('stats', a.name)).toMatchObject([{ prog: { id }, counted: false, keys: [], egress: [] }]);
  });

  it('takes back everything when a step fails', async () => {
    const { a, b, c } = router;
    await router.done('attach', b.name, '--to', c.name);
    declare({ dev: b.name, to: [a.name] });
    const before = kernelState();
    router.tool('ip', 'link', 'add', 'br0', 'type', 'bridge');
    onTestFinished(() => void router.tool('ip', 'link', 'del', 'br0'));
    // The bridge, which has no native XDP, refuses only when it is its turn.
    declare({ dev: a.name, to: [b.name] }, { dev: b.name, to: [a.name] }, { dev: 'br0', to: [c.name] });
    expect(await router.refused('apply', file)).toMatchObject({ exit: 5 });
    expect(router.attached(a.name)).toBeUndefined();
    expect(await exported()).toEqual([{ dev: b.name, to: [c.name] }]);
    await expectNothingNew(before);
  });

  it('changes nothing in a dry run', async () => {
    const { a, b } = router;
    declare({ dev: a.name, to: [b.name] });
    const before = kernelState();
    expect(await router.done('apply', file, '--dry-run')).toEqual({
      dry_run: true,
      would: [`attach ${a.name} -> ${b.name} in native mode`, `point key ${a.ifindex} at ${b.name}`],
    });
    expect(router.attached(a.name)).toBeUndefined();
    await expectNothingNew(before);
  });

  it('brings a path of the user up to date', async () => {
    const { a, b, c } = router;
    declare({
      dev: a.name,
      object: builtinPath('redirect_devmap'),
      program: 'redirect',
      to: [{ dev: b.name, key: 0 }],
    });
    await apply();
    await expectArrivals({ right: 20 });
    expect(await apply()).toEqual([]);
    declare({
      dev: a.name,
      object: builtinPath('redirect_devmap'),
      to: [
        { dev: c.name, key: 0 },
        { dev: b.name, key: 1 },
      ],
    });
    expect(await apply()).toMatchObject([{ change: 'update' }]);
    await expectArrivals({ right: 0, other: 20 });
    declare({ dev: a.name, object: builtinPath('redirect_devmap') });
    expect(await apply()).toEqual([]);
  });

  it('goes through maps that exist, and knows them by their pins', async () => {
    const { a, b } = router;
    const map = folder.pin('forward');
    const words = ['type', 'devmap', 'key', '4', 'value', '8', 'entries', '4', 'name', 'forward'];
    tool('bpftool', ['map', 'create', map, ...words]);
    onTestFinished(() => rmSync(map, { force: true }));
    declare({ dev: a.name, map, key: 2, on_miss: 'pass' });
    // Which tells that the map is empty, were it asked to.
    await apply('--quiet');
    router.tool(
      ...`bpftool map update pinned ${map} key 2 0 0 0 value`.split(' '),
      ...le(b.ifindex),
      '0',
      '0',
      '0',
      '0',
    );
    await expectArrivals({ right: 20 });
    expect(await apply()).toEqual([]);
    expect(await exported()).toEqual([{ dev: a.name, map, key: 2, on_miss: 'pass' }]);
  });

  it('knows programs in entries by their pins', async (context) => {
    needKernel(context, '5.14');
    const { a, b, c } = router;
    const pin = folder.pin('egress');
    tool('bpftool', ['prog', 'load', builtinPath('egress_devmap'), pin]);
    onTestFinished(() => rmSync(pin, { force: true }));
    const path = {
      dev: a.name,
      to: [
        { dev: b.name, egress: pin },
        { dev: c.name, dst_mac: '02:00:00:00:00:01' },
      ],
      broadcast: true,
    };
    declare(path);
    await apply();
    await expectArrivals({ right: 20, other: 20 });
    expect(await apply()).toEqual([]);
    const [{ to, ...rest }] = (await exported()) as [{ to: object[] }];
    expect({ ...rest, to: expect.arrayContaining(to) as object[] }).toEqual(path);
  });
});

describe('a document', () => {
  const bad: readonly [name: string, document: unknown, message: RegExp][] = [
    ['no JSON', '{', /is no JSON document/],
    ['another document', { map: {} }, /has no "xdpctl": 1/],
    ['a later format', { xdpctl: 2, redirects: [] }, /format 2/],
    ['no paths', { xdpctl: 1 }, /redirects is missing/],
    ['a path without a device', { xdpctl: 1, redirects: [{ to: ['lo'] }] }, /redirects\[0\]\.dev is missing/],
    [
      'an unknown key',
      { xdpctl: 1, redirects: [{ dev: 'lo', too: ['lo'] }] },
      /redirects\[0\] has an unknown key "too"/,
    ],
    ['a wrong type', { xdpctl: 1, redirects: [{ dev: 'lo', to: 'lo' }] }, /redirects\[0\]\.to .*array/],
    [
      'a wrong type inside',
      { xdpctl: 1, redirects: [{ dev: 'lo', to: [{ dev: 7 }] }] },
      /redirects\[0\]\.to\[0\]\.dev .*string/,
    ],
    [
      'an unknown key inside',
      { xdpctl: 1, redirects: [{ dev: 'lo', to: [{ dev: 'lo', mac: '' }] }] },
      /redirects\[0\]\.to\[0\] has an unknown key "mac"/,
    ],
    [
      'a word there is not',
      { xdpctl: 1, redirects: [{ dev: 'lo', to: ['lo'], mode: 'fast' }] },
      /redirects\[0\]\.mode is none of native, generic/,
    ],
    [
      'a negative key',
      { xdpctl: 1, redirects: [{ dev: 'lo', to: [{ dev: 'lo', key: -1 }] }] },
      /redirects\[0\]\.to\[0\]\.key is out of range/,
    ],
    [
      'a contradiction',
      { xdpctl: 1, redirects: [{ dev: 'lo', to: ['lo'], xsk: true }] },
      /redirects\[0\]: "to" and "xsk" exclude each other/,
    ],
    ['no target', { xdpctl: 1, redirects: [{ dev: 'lo' }] }, /redirects\[0\]: the target is missing/],
    [
      'a device twice',
      {
        xdpctl: 1,
        redirects: [
          { dev: 'lo', xsk: true },
          { dev: 'lo', xsk: true },
        ],
      },
      /redirects\[1\]: lo is in redirects\[0\] already/,
    ],
    [
      'a wrong MAC address',
      { xdpctl: 1, redirects: [{ dev: 'lo', to: ['lo'], dst_mac: 'x' }] },
      /redirects\[0\]: 'x' is no MAC address/,
    ],
    [
      'a file with a zero byte in its name',
      { xdpctl: 1, redirects: [{ dev: 'lo', object: '/a\0b', program: 'x' }] },
      /redirects\[0\]: a path cannot contain a zero byte/,
    ],
  ];

  it.each(bad)('is refused as a whole: %s', async (_, document, message) => {
    writeFileSync(file, typeof document === 'string' ? document : JSON.stringify(document));
    const before = kernelState();
    for (const verb of ['apply', 'diff']) {
      expect(await router.refused(verb, file)).toMatchObject({ exit: 2, message: expect.stringMatching(message) });
    }
    await expectNothingNew(before);
  });

  it('is refused as a whole when something in it does not exist', async () => {
    const { a, b } = router;
    const before = kernelState();
    for (const [path, place] of [
      [{ dev: 'nothere', to: ['lo'] }, /redirects\[1\]: there is no interface 'nothere'/],
      [{ dev: 'lo', to: ['nothere'] }, /redirects\[1\]: there is no interface 'nothere'/],
      [{ dev: 'lo', map: '/sys/fs/bpf/nothere' }, /redirects\[1\]: there is no pin/],
      [{ dev: 'lo', object: '/nothere.o' }, /redirects\[1\]: there is no file/],
      [{ dev: 'lo', to: ['lo'], egress: 'name:nothere' }, /redirects\[1\]: there is no program/],
    ] as const) {
      declare({ dev: a.name, to: [b.name] }, path);
      expect(await router.refused('apply', file)).toMatchObject({ exit: 3, message: expect.stringMatching(place) });
    }
    expect(router.attached(a.name)).toBeUndefined();
    await expectNothingNew(before);
  });
});

describe('redirect export', () => {
  it('tells what it had to leave out', async (context) => {
    needKernel(context, '5.14');
    const { a, b, c } = router;
    await router.done('attach', a.name, '--to', b.name, '--to', c.name, '--broadcast');
    // The device goes to another namespace, and the kernel removes its entry.
    const other = router.world.namespace();
    router.tool('ip', 'link', 'set', c.name, 'netns', other);
    expect(await exported()).toEqual([{ dev: a.name, to: [b.name], broadcast: true }]);
    tool('ip', ['-n', other, 'link', 'set', c.name, 'netns', router.netns]);
    router.tool('ip', 'link', 'set', c.name, 'up');

    await router.done(
      'attach',
      a.name,
      '--map',
      `id:${mapWithoutPin(await router.done('attach', b.name, '--to', c.name))}`,
      '--replace',
      '--quiet',
    );
    const { stdout, stderr } = await router.redirect('export');
    expect(stderr).toContain('has no pin');
    expect(JSON.parse(stdout)).toBeDefined();
  });

  it.each<[title: string, spoil: (pin: string) => void]>([
    [
      'whose only entry is gone',
      (pin) => tool('bpftool', ['map', 'delete', 'pinned', pin, 'key', ...le(router.a.ifindex)]),
    ],
    ['whose pin of the targets is gone', (pin) => rmSync(pin)],
  ])('warns of a path %s, which a document without it takes away', async (_, spoil) => {
    const { a, b, c } = router;
    const made = (await router.done('attach', a.name, '--to', b.name)) as { maps: [{ pinned: string }] };
    await router.done('attach', b.name, '--to', c.name);
    spoil(made.maps[0].pinned);
    const result = await router.redirect('export');
    expect(result).toMatchObject({ status: 0 });
    const document = result.json() as { redirects: object[] };
    expect(document.redirects).toEqual([{ dev: b.name, to: [c.name] }]);
    expect(result.jsonErrors()).toEqual([
      { warning: { message: `${a.name} has no target, and is left out: apply --prune of this document detaches it` } },
    ]);
    declare(...document.redirects);
    expect(await router.done('diff', file, '--prune')).toMatchObject([{ ifname: a.name, change: 'detach' }]);
  });
});

/** Exports are in the order of ifindexes, which are random here; so are the members of a broadcast. */
function sorted(paths: object[]): object[] {
  return (paths as { dev: string; to?: string[] }[])
    .map((path) => (path.to === undefined ? path : { ...path, to: path.to.toSorted() }))
    .toSorted((one, other) => (one.dev < other.dev ? -1 : 1));
}

/** The map of a path of ours, whose only pins are ours. */
function mapWithoutPin(made: unknown): number {
  return (made as { maps: [{ id: number }] }).maps[0].id;
}

function le(number: number): string[] {
  return [0, 8, 16, 24].map((shift) => String((number >> shift) & 0xff));
}
