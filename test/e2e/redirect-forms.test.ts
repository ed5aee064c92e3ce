import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';

import { possibleCpus } from '../../src/kernel/cpu.ts';
import { builtinPath } from '../support/builtin-path.ts';
import { PinFolder, startXdpctl, xdpctl } from '../support/command.ts';
import { countFrames, type FrameOptions, sendFrames } from '../support/frames.ts';
import { expectNothingNew, kernelState } from '../support/leaks.ts';
import { untilLine } from '../support/lines.ts';
import { type Arrivals, Router } from '../support/router.ts';
import { runPrefix } from '../support/run-id.ts';
import { inNamespace, tool, toolJson } from '../support/tool.ts';
import { typed } from '../support/typed.ts';
import { type End, setGro, setLink } from '../support/world.ts';

const FRAMES = { count: 100 };

let router: Router;
let folder: PinFolder;

beforeAll(() => {
  router = new Router();
  folder = new PinFolder();
});

afterAll(() => {
  folder[Symbol.dispose]();
  router[Symbol.dispose]();
});

afterEach(async () => {
  await router.clear();
});

describe('redirect attach', () => {
  it('to all of several interfaces', async () => {
    const { a, b, c } = router;
    await router.done('attach', a.name, '--to', b.name, '--to', c.name, '--to', a.name, '--broadcast');
    await expectArrivals({ left: 100, right: 100, other: 100 }, FRAMES);
    await router.done(
      'attach',
      a.name,
      '--to',
      b.name,
      '--to',
      c.name,
      '--to',
      a.name,
      '--broadcast',
      '--exclude-ingress',
      '--replace',
    );
    await expectArrivals({ left: 0, right: 100, other: 100 }, FRAMES);
  });

  it('by receive queue: the i-th target serves queue i', async () => {
    const { a, b, c, left } = router;
    const words = ['attach', a.name, '--to', b.name, '--to', c.name, '--key', 'queue'];
    const first = await router.redirect(...words);
    expect(first.status).toBe(0);
    const [{ warning }] = first.jsonErrors() as [{ warning: { message: string; hint: string } }];
    expect(warning.message).toBe(`${c.name} gets nothing: ${a.name} has only one receive queue`);
    await expectArrivals({ right: 100, other: 0 }, FRAMES);

    onTestFinished(() => {
      router.tool('ethtool', '-L', a.name, 'rx', '1');
      hostTool(left, 'ethtool', '-L', left.name, 'tx', '1');
    });
    typed(warning.hint);
    hostTool(left, 'ethtool', '-L', left.name, 'tx', '2');
    const made = await router.done(...words, '--replace');
    expect(entriesOf(made)).toEqual([
      [0, b.ifindex],
      [1, c.ifindex],
    ]);
    sendByQueue(left, 1);
    await expectArrivals({ right: 0, other: 100 }, FRAMES);
    sendByQueue(left, 0);
    await expectArrivals({ right: 100, other: 0 }, FRAMES);
    // The kernel makes frames of queue 0 only.
    const tested = await router.redirect('test', a.name, '--transmit', '--count', '40');
    expect(tested.json()).toMatchObject({ queue: 0, targets: [{ to: { ifname: b.name }, delivered: 40 }], dropped: 0 });
    expect(tested.jsonErrors()).toMatchObject([
      { warning: { message: `only what comes by receive queue 0 was tested, one of the 2 that ${a.name} has` } },
    ]);
  });

  it('by receive queue: more targets than the device can have queues', async () => {
    const { a, b, c } = router;
    const [made] = JSON.parse(router.tool('ip', '-j', '-d', 'link', 'show', 'dev', a.name)) as [
      { num_rx_queues: number },
    ];
    const targets = Array.from({ length: made.num_rx_queues }, () => ['--to', b.name]).flat();
    const { status, stderr } = await router.redirect('attach', a.name, ...targets, '--to', c.name, '--key', 'queue');
    expect(status).toBe(0);
    expect(stderr).toContain(`it was made with ${made.num_rx_queues}, and cannot have more`);
  });

  it.each([
    ['a receive queue', (_map: string) => ['--to', 'right', '--key', 'queue']],
    ['the receive queues of a map of others', (map: string) => ['--map', map]],
    ['the ingress', (map: string) => ['--map', map, '--key', 'ingress']],
    ['a fixed key', (map: string) => ['--map', map, '--key', '3', '--on-miss', 'pass']],
  ])('tells in the words of check that there is no entry for %s', async (_title, options) => {
    const { a, b } = router;
    router.tool('ethtool', '-L', a.name, 'rx', '2');
    onTestFinished(() => void router.tool('ethtool', '-L', a.name, 'rx', '1'));
    const map = madeMap('devmap_hash', 8, 'gaps');
    const words = options(map).map((word) => (word === 'right' ? b.name : word));
    const result = await router.redirect('attach', a.name, ...words);
    expect(result.status).toBe(0);
    const [{ warning }, ...others] = result.jsonErrors() as [{ warning: { message: string; hint: string } }];
    expect(others).toEqual([]);
    const misses = async () =>
      ((await router.done('check', a.name)) as { code: string; explanation: string }[]).filter(
        ({ code }) => code === 'map-miss',
      );
    const problems = await misses();
    expect(problems[0]).toMatchObject({ explanation: warning.message.replace(/; the same at .*/, '') });
    expect(warning.message.includes('; the same at 1 more')).toBe(problems.length === 2);
    typed(warning.hint.replace('dev DEV', `dev ${b.name}`));
    expect(await misses()).toHaveLength(problems.length - 1);
  });

  it('takes no list for a target', async () => {
    const { a, b, c } = router;
    expect(await router.refused('attach', a.name, '--to', `${b.name},${c.name}`, '--broadcast')).toMatchObject({
      exit: 3,
      hint: 'each target is named by itself: --to DEV --to DEV',
    });
  });

  it.each([3, 300])('always by key %i', async (key) => {
    const { a, b } = router;
    const made = await router.done('attach', a.name, '--to', b.name, '--key', String(key));
    expect(entriesOf(made)).toEqual([[key, b.ifindex]]);
    await expectArrivals({ right: 100 }, FRAMES);
  });

  it('through a program of ours in the entry, which counts, drops, or rewrites addresses', async () => {
    const { a, b, right } = router;
    await router.done('attach', a.name, '--to', b.name, '--egress', 'builtin:pass');
    await expectArrivals({ right: 100 }, FRAMES);
    expect(await router.done('stats', a.name)).toMatchObject([
      { egress: [{ key: b.ifindex, passed: 100, dropped: 0 }] },
    ]);
    await router.done('attach', a.name, '--to', b.name, '--egress', 'builtin:drop', '--replace');
    await expectArrivals({ right: 0 }, FRAMES);
    expect(await router.done('stats', a.name)).toMatchObject([
      { egress: [{ key: b.ifindex, passed: 0, dropped: 100 }] },
    ]);

    const macs = { dst: right.mac, src: '02:00:00:00:00:01' };
    await router.done('attach', a.name, '--to', b.name, '--dst-mac', macs.dst, '--src-mac', macs.src, '--replace');
    expect(await firstFrameAt(right)).toContain(`${macs.src} > ${macs.dst}`);
  });

  it('through a program of others in the entry, aware of fragments or not', async () => {
    const { a, b } = router;
    const pin = folder.pin('egress');
    tool('bpftool', ['prog', 'load', builtinPath('egress_devmap'), pin]);
    removedAtEnd(pin);
    const made = await router.done('attach', a.name, '--to', b.name, '--egress', pin);
    const [{ id }] = [toolJson('bpftool', ['-j', 'prog', 'show', 'pinned', pin]) as { id: number }];
    expect(entriesOf(made)).toEqual([[a.ifindex, b.ifindex, id]]);
    await expectArrivals({ right: 100 }, FRAMES);
    expect(await router.done('attach', a.name, '--to', b.name, '--egress', `id:${id}`, '--replace')).toBeDefined();
  });

  it('refuses a program of another kind in the entry', async () => {
    const { a, b } = router;
    const before = kernelState();
    const pin = folder.pin('pass');
    tool('bpftool', ['prog', 'load', builtinPath('pass'), pin]);
    expect(await router.refused('attach', a.name, '--to', b.name, '--egress', pin)).toMatchObject({
      exit: 2,
      message: expect.stringContaining('xdp/devmap'),
    });
    expect(await router.refused('attach', a.name, '--cpus', '0', '--prog', pin)).toMatchObject({
      exit: 2,
      message: expect.stringContaining('xdp/cpumap'),
    });
    tool('rm', ['-f', pin]);
    await expectNothingNew(before);
  });

  it('to other CPUs, where the stack goes on', async () => {
    const { a } = router;
    await router.done('attach', a.name, '--cpus', '0-1', '--qsize', '512');
    await using counter = await countFrames(a, { count: 100 });
    sendFrames(router.left, FRAMES);
    expect(await counter.arrived()).toBe(100);
    expect(sumOf(await router.done('stats', a.name), 'redirected')).toBe(100);

    await router.done('attach', a.name, '--cpus', '1', '--prog', 'builtin:drop', '--replace');
    await using none = await countFrames(a);
    sendFrames(router.left, FRAMES);
    await untilStats(a.name, [{ egress: [{ key: a.ifindex, dropped: 100 }] }]);
    expect(await none.stop()).toBe(0);
  });

  it('to AF_XDP sockets; queues without one pass to the stack', async () => {
    const { a } = router;
    const made = (await router.done('attach', a.name, '--xsk')) as { maps: { pinned: string; type: string }[] };
    expect(made.maps).toMatchObject([{ type: 'xskmap' }]);
    await using counter = await countFrames(a, { count: 100 });
    sendFrames(router.left, FRAMES);
    expect(await counter.arrived()).toBe(100);

    const words = ['xsk', 'bind', a.name, '--queue', '0', '--map', made.maps[0]!.pinned, '--count', '100'];
    await using bound = startXdpctl(['-j', '--netns', router.netns, ...words]);
    await bound.ready();
    sendFrames(router.left, FRAMES);
    expect((await bound.result()).json()).toMatchObject({ frames: 100 });
  });

  it('by a link, which other tools cannot take away', async () => {
    const { a, b } = router;
    const made = (await router.done('attach', a.name, '--to', b.name, '--link')) as { link_id: number };
    expect(Router.objects('link')).toContainEqual(expect.objectContaining({ id: made.link_id, type: 'xdp' }));
    expect(() => router.tool('ip', 'link', 'set', a.name, 'xdpdrv', 'off')).toThrow(/exit/);
    await expectArrivals({ right: 100 }, FRAMES);
    const removed = await router.done('detach', a.name);
    expect(removed).toMatchObject({ removed: { link_id: made.link_id } });
    expect(Router.objects('link').map(({ id }) => id)).not.toContain(made.link_id);
  });

  it('both ways, or neither', async () => {
    const { a, b, right } = router;
    expect(await router.done('attach', a.name, '--to', b.name, '--both')).toMatchObject({
      ifname: a.name,
      targets: [b.name],
      back: { ifname: b.name, targets: [a.name] },
    });
    await expectArrivals({ right: 100 }, FRAMES);
    await expectArrivals({ left: 100 }, { ...FRAMES, from: right });
    await router.clear();

    const before = kernelState();
    await router.done('attach', b.name, '--to', router.c.name);
    expect(await router.refused('attach', a.name, '--to', b.name, '--both')).toMatchObject({ exit: 6 });
    expect(router.attached(a.name)).toBeUndefined();
    await router.done('detach', b.name);

    // The second device refuses only when it is its turn: the first is taken back.
    router.tool('ip', 'link', 'add', 'br0', 'type', 'bridge');
    onTestFinished(() => void router.tool('ip', 'link', 'del', 'br0'));
    expect(await router.refused('attach', a.name, '--to', 'br0', '--both')).toMatchObject({ exit: 5 });
    expect(router.attached(a.name)).toBeUndefined();
    await expectNothingNew(before);
  });

  it.each([
    ['aborted', 0, 0],
    ['drop', 0, 0],
    ['pass', 0, 50],
    ['tx', 50, 0],
  ])('does with a frame that finds no entry: %s', async (action, back, stack) => {
    const { a, left } = router;
    const map = folder.pin('empty');
    tool('bpftool', [
      'map',
      'create',
      map,
      'type',
      'devmap',
      'key',
      '4',
      'value',
      '8',
      'entries',
      '4',
      'name',
      'empty',
    ]);
    removedAtEnd(map);
    await router.done('attach', a.name, '--map', map, '--on-miss', action, '--quiet');
    // Frames sent back by XDP_TX wait in the ring of a veth that polls for GRO alone (veth_xdp_flush, drivers/net/veth.c).
    const pass = folder.pin('taker');
    tool('bpftool', ['prog', 'load', builtinPath('pass'), pass]);
    removedAtEnd(pass);
    onTestFinished(() => void hostTool(left, 'ip', 'link', 'set', left.name, 'xdpdrv', 'off'));
    hostTool(left, 'ip', 'link', 'set', left.name, 'xdpdrv', 'pinned', pass);
    await using atStack = await countFrames(a);
    await using sentBack = await countFrames(left);
    sendFrames(left, { count: 50 });
    await untilStats(a.name, [{ keys: [{ key: 0, redirected: 0, missed: 50 }] }]);
    await sleep(30);
    expect([await sentBack.stop(), await atStack.stop()]).toEqual([back, stack]);
  });
});

describe('redirect attach --map', () => {
  it.each([4, 8])('through a devmap with values of %i bytes, by queue or a key', async (size) => {
    const { a, b, c } = router;
    const map = madeMap('devmap', size, 'fw');
    write(map, 0, ...(size === 8 ? [b.ifindex, 0] : [b.ifindex]));
    write(map, 7, ...(size === 8 ? [c.ifindex, 0] : [c.ifindex]));
    await router.done('attach', a.name, '--map', map);
    await expectArrivals({ right: 100, other: 0 }, FRAMES);
    await router.done('attach', a.name, '--map', map, '--key', '7', '--replace');
    await expectArrivals({ right: 0, other: 100 }, FRAMES);
    await router.done('detach', a.name);
    expect(toolJson('bpftool', ['-j', 'map', 'lookup', 'pinned', map, 'key', ...byteWords(0)])).toBeDefined();
  });

  it('through a devmap_hash, by ingress', async () => {
    const { a, b } = router;
    const map = madeMap('devmap_hash', 8, 'hash');
    write(map, a.ifindex, b.ifindex, 0);
    await router.done('attach', a.name, '--map', map);
    await expectArrivals({ right: 100 }, FRAMES);
  });

  it('through a cpumap, over the entries it has', async () => {
    const { a } = router;
    const map = madeMap('cpumap', 8, 'cpus');
    expect(await router.refused('attach', a.name, '--map', map)).toMatchObject({
      exit: 2,
      message: expect.stringContaining('no entry'),
    });
    write(map, 1, 192, 0);
    await router.done('attach', a.name, '--map', map);
    await using counter = await countFrames(a, { count: 100 });
    sendFrames(router.left, FRAMES);
    expect(await counter.arrived()).toBe(100);
    expect(await router.done('stats', a.name)).toMatchObject([{ keys: [{ key: 1, label: 'CPU 1', redirected: 100 }] }]);
  });

  it('through an xskmap', async () => {
    const { a } = router;
    await router.done('attach', a.name, '--map', madeMap('xskmap', 4, 'xsks'));
    await using counter = await countFrames(a, { count: 100 });
    sendFrames(router.left, FRAMES);
    expect(await counter.arrived()).toBe(100);
  });

  it.each([
    ['plain', 0],
    ['fragment-aware', 32],
  ])('through a devmap that a %s program has touched first', async (kind) => {
    const { a, b } = router;
    const map = madeMap('devmap', 8, 'owned');
    write(map, 0, b.ifindex, 0);
    const pin = folder.pin('first');
    removedAtEnd(pin);
    if (kind === 'plain') {
      tool('bpftool', ['prog', 'load', builtinPath('redirect_devmap'), pin, 'map', 'name', 'targets', 'pinned', map]);
    } else {
      await router.done('attach', a.name, '--map', map);
      await router.done('detach', a.name);
    }
    await router.done('attach', a.name, '--map', map);
    await expectArrivals({ right: 100 }, FRAMES);
  });

  it('refuses what is no redirect map, or a key outside of it', async () => {
    const { a } = router;
    expect(await router.refused('attach', a.name, '--map', madeMap('hash', 4, 'plain'))).toMatchObject({ exit: 2 });
    expect(await router.refused('attach', a.name, '--map', madeMap('devmap', 4, 'small'), '--key', '64')).toMatchObject(
      {
        exit: 2,
      },
    );
    expect(await router.refused('attach', a.name, '--map', folder.pin('none'))).toMatchObject({ exit: 3 });
    expect(await router.refused('attach', a.name, '--map', 'id:4294967295')).toMatchObject({ exit: 3 });
  });
});

describe('redirect attach --object', () => {
  it('attaches a program of the user with its own maps, for map update to fill', async () => {
    const { a, b } = router;
    const made = (await router.done('attach', a.name, '--object', builtinPath('redirect_devmap'))) as {
      maps: { name: string; pinned: string }[];
    };
    expect(made.maps.map(({ name }) => name).toSorted()).toEqual(['counters', 'targets']);
    const targets = made.maps.find(({ name }) => name === 'targets')!.pinned;
    await expectArrivals({ right: 0 }, FRAMES);
    router.tool(
      'bpftool',
      'map',
      'update',
      'pinned',
      targets,
      'key',
      ...byteWords(0),
      'value',
      ...byteWords(b.ifindex, 0),
    );
    await expectArrivals({ right: 100 }, FRAMES);
    expect(await router.done('stats', a.name)).toMatchObject([{ counted: false, keys: [] }]);
  });

  it('fills its map with the targets that are given', async () => {
    const { a, b } = router;
    const made = await router.done(
      'attach',
      a.name,
      '--object',
      builtinPath('redirect_devmap'),
      '--program',
      'redirect',
      '--to',
      b.name,
      '--key',
      '0',
      '--dst-mac',
      '02:00:00:00:00:09',
    );
    expect(made).toMatchObject({ targets: [b.name] });
    await expectArrivals({ right: 100 }, FRAMES);
  });

  it('puts a map that exists in the place of its own', async () => {
    const { a, b } = router;
    const map = folder.pin('mine');
    tool('bpftool', [
      'map',
      'create',
      map,
      'type',
      'devmap',
      'key',
      '4',
      'value',
      '8',
      'entries',
      '256',
      'name',
      'mine',
    ]);
    removedAtEnd(map);
    router.tool('bpftool', 'map', 'update', 'pinned', map, 'key', ...byteWords(0), 'value', ...byteWords(b.ifindex, 0));
    await router.done('attach', a.name, '--object', builtinPath('redirect_devmap'), '--map', map);
    await expectArrivals({ right: 100 }, FRAMES);
  });

  it.each([
    ['a file that is not there', ['--object', '/nothing.o'], 3],
    ['a file that is no object', ['--object', '/etc/hostname'], 2],
    ['a program it has not', ['--object', builtinPath('pass'), '--program', 'nothing'], 3],
    ['a program for entries', ['--object', builtinPath('egress_devmap')], 2],
    ['a program for entries, by name', ['--object', builtinPath('egress_devmap'), '--program', 'egress'], 2],
    ['targets for a program that has no map', ['--object', builtinPath('pass'), '--to', 'lo', '--key', '0'], 2],
    ['targets of another kind', ['--object', builtinPath('redirect_devmap'), '--cpus', '0'], 2],
    ['targets without a key', ['--object', builtinPath('redirect_devmap'), '--to', 'lo'], 2],
  ])('refuses %s', async (_, words, exit) => {
    const before = kernelState();
    expect(await router.refused('attach', router.a.name, ...words)).toMatchObject({ exit });
    expect(router.attached(router.a.name)).toBeUndefined();
    await expectNothingNew(before);
  });
});

describe('a program that the verifier refuses', () => {
  it('is told with the verdict, and with the whole log when that is wanted', async () => {
    const file = join(mkdtempSync(join(tmpdir(), runPrefix())), 'broken.bpf.o');
    onTestFinished(() => rmSync(join(file, '..'), { recursive: true }));
    const bytes = readFileSync(builtinPath('pass'));
    const at = bytes.indexOf(Buffer.from([0xb4, 0, 0, 0, 2, 0, 0, 0]));
    expect(at).toBeGreaterThan(0);
    bytes[at + 1] = 1; // w1 = 2, and so no return value
    writeFileSync(file, bytes);
    expect(await router.refused('attach', router.a.name, '--object', file)).toMatchObject({
      exit: 1,
      message: expect.stringMatching(/verifier refuses program 'pass': .*R0 !read_ok/),
      hint: expect.stringContaining('--debug'),
    });
    const words = ['--debug', '--netns', router.netns, 'redirect', 'attach', router.a.name, '--object', file];
    const { stderr } = xdpctl(words);
    expect(stderr).toContain('BEGIN PROG LOAD LOG');
    expect(stderr).toMatch(/processed \d+ insns/);
    expect(router.attached(router.a.name)).toBeUndefined();
  });
});

describe('frames of several buffers', () => {
  it('are redirected by our programs, and not by those that are not aware of them', async () => {
    const { a, b, left, right } = router;
    for (const end of [a, b, left, right]) setLink(end.namespace, 'set', end.name, 'mtu', '9000');
    onTestFinished(() => {
      for (const end of [a, b, left, right]) setLink(end.namespace, 'set', end.name, 'mtu', '1500');
    });
    await router.done('attach', a.name, '--to', b.name, '--egress', 'builtin:pass');
    await expectArrivals({ right: 20 }, { count: 20, size: 8000 });
    await router.done('detach', a.name);

    const pin = folder.pin('plain');
    tool('bpftool', ['prog', 'load', builtinPath('egress_devmap'), pin]);
    removedAtEnd(pin);
    // The first program on a devmap decides which kind may use it; a devmap_hash takes both.
    expect(await router.refused('attach', a.name, '--to', b.name, '--key', '0', '--egress', pin)).toMatchObject({
      exit: 1,
      message: expect.stringMatching(/peer MTU is too large/i),
      hint: expect.stringContaining('xdp.frags'),
    });
    expect(router.attached(a.name)).toBeUndefined();
  });
});

describe('a target that cannot receive', () => {
  it('is warned about, with what mends it', async () => {
    const { a, b, right } = router;
    setGro(right, false);
    onTestFinished(() => setGro(right, true));
    const result = await router.redirect('attach', a.name, '--to', b.name);
    expect(result.status).toBe(0);
    const [{ warning }] = result.jsonErrors() as [{ warning: { message: string; hint: string } }];
    expect(warning.message).toContain(`${b.name} cannot transmit`);
    await expectArrivals({ right: 0 }, { count: 20 });
    const map = madeMap('devmap', 8, 'warned');
    write(map, 3, b.ifindex, 0);
    write(map, 4, a.ifindex, 0);
    const through = await router.redirect('attach', a.name, '--map', map, '--key', '3', '--replace');
    expect(through.jsonErrors()).toEqual([{ warning }]);
    expect((await router.redirect('attach', a.name, '--map', map, '--key', '4', '--replace')).stderr).toBe('');

    tool('sh', ['-c', warning.hint]);
    await router.done('attach', a.name, '--map', map, '--key', '3', '--replace');
    await expectArrivals({ right: 100 }, FRAMES);
  });
});

function write(map: string, key: number, ...value: number[]): void {
  router.tool('bpftool', 'map', 'update', 'pinned', map, 'key', ...byteWords(key), 'value', ...byteWords(...value));
}

/** Makes a map by bpftool, which goes with the test, and returns its pin. */
function madeMap(type: string, valueSize: number, name: string): string {
  const map = folder.pin(name);
  const words = ['type', type, 'key', '4', 'value', String(valueSize), 'entries', '64', 'name', name];
  tool('bpftool', ['map', 'create', map, ...words]);
  removedAtEnd(map);
  return map;
}

function byteWords(...numbers: number[]): string[] {
  return numbers.flatMap((number) => [0, 8, 16, 24].map((shift) => String((number >> shift) & 0xff)));
}

/** Expects exactly so many of the frames sent at each place. */
async function expectArrivals(expected: Arrivals, options: FrameOptions & { from?: End }): Promise<void> {
  expect(await router.arrivals(expected, options)).toEqual(expected);
}

/** Runs a tool where an interface is. */
function hostTool({ namespace }: End, ...words: string[]): string {
  const [program = '', ...others] = inNamespace(namespace, words);
  return tool(program, others);
}

/** All CPUs send by one transmit queue of a veth (XPS), and so by the same receive queue of its peer. */
function sendByQueue(end: End, queue: number): void {
  const all = (2 ** possibleCpus() - 1).toString(16);
  const masks = [0, 1].map((each) => `echo ${each === queue ? all : 0} >tx-${each}/xps_cpus`).join(' && ');
  tool('ip', ['netns', 'exec', end.namespace!, 'sh', '-c', `cd /sys/class/net/${end.name}/queues && ${masks}`]);
}

function removedAtEnd(pin: string): void {
  onTestFinished(() => rmSync(pin, { force: true }));
}

/** What the first map of the outcome holds, read by bpftool: key, first word, and the program where there is one. */
function entriesOf(made: unknown): number[][] {
  const [{ pinned }] = (made as { maps: [{ pinned: string }] }).maps;
  const dumped = toolJson('bpftool', ['-j', 'map', 'dump', 'pinned', pinned]) as {
    key: string[];
    value: string[] | object;
  }[];
  return dumped
    .filter((entry): entry is { key: string[]; value: string[] } => Array.isArray(entry.value))
    .map(({ key, value }) =>
      [numberOf(key), numberOf(value.slice(0, 4)), numberOf(value.slice(4))].filter(
        (word, index) => index < 2 || word !== 0,
      ),
    );
}

function numberOf(bytes: readonly string[]): number {
  return bytes.reduce((sum, byte, index) => sum + Number(byte) * 2 ** (8 * index), 0);
}

function sumOf(stats: unknown, what: 'redirected' | 'missed'): number {
  const [{ keys }] = stats as [{ keys: Record<typeof what, number>[] }];
  return keys.reduce((sum, key) => sum + key[what], 0);
}

async function untilStats(name: string, wanted: object[]): Promise<void> {
  await expect.poll(() => router.done('stats', name), { timeout: 60_000 }).toMatchObject(wanted);
}

/** What tcpdump says of the first frame that arrives at an interface. */
async function firstFrameAt(end: { name: string; namespace: string | undefined }): Promise<string> {
  const words = ['tcpdump', '-i', end.name, '-e', '-n', '-c', '1', '-l', 'ether', 'proto', '0x88b5'];
  const [program = '', ...args] = inNamespace(end.namespace, words);
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => (text += part));
  const ended = new Promise((resolve) => child.on('close', resolve));
  await untilLine(child, 'stderr', /listening on/);
  sendFrames(router.left, { count: 1 });
  await ended;
  return text;
}
