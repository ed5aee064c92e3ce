import { closeSync, constants, openSync } from 'node:fs';

import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';

import { observedSchemas } from '../../src/cli/redirect/observed-schemas.ts';
import type { ProblemData } from '../../src/cli/redirect/problem-data.ts';
import { encodePair } from '../../src/domain/devmap.ts';
import { encodeCpumapConfig, encodeRedirectConfig } from '../../src/domain/redirect-config.ts';
import { libbpf } from '../../src/ffi/libbpf.ts';
import { libc } from '../../src/ffi/libc.ts';
import { XskSocket } from '../../src/kernel/af-xdp/socket.ts';
import { loadBuiltinProgram } from '../../src/kernel/builtin-objects.ts';
import { Fd } from '../../src/kernel/fd.ts';
import { BpfMap } from '../../src/kernel/map.ts';
import { inNetns } from '../../src/kernel/netns.ts';
import { openPin } from '../../src/kernel/pin.ts';
import { loadRedirect } from '../../src/kernel/redirect-program.ts';
import { attachXdp } from '../../src/kernel/xdp-attachment.ts';
import { faultyObject } from '../kernel/support/lossy-path.ts';
import { PinFolder, xdpctl } from '../support/command.ts';
import { expectNothingNew, kernelState } from '../support/leaks.ts';
import { createPathWorld, type PathWorld } from '../support/path-world.ts';
import { runHere } from '../support/run-here.ts';
import { schemaProblems } from '../support/schema.ts';
import { inNamespace, tool, toolJson } from '../support/tool.ts';
import { typed, TypedCommand } from '../support/typed.ts';
import { type End, setGro, setLink } from '../support/world.ts';

/*
 * Every fault that this machine can have: it is made on a path of which nothing is wrong, check names it, the command
 * that check prints is typed, and check finds nothing any more.
 */

let path: PathWorld;

beforeAll(() => {
  path = createPathWorld();
});

afterAll(() => {
  path[Symbol.dispose]();
});

/** Mends whatever the test before has broken. */
beforeEach(async () => {
  const { ingress, egress, source, sink } = path;
  for (const { name } of [ingress, egress]) await redirect('detach', name);
  const restored = ({ namespace, name }: End): string => {
    const here = `nsenter --net=/run/netns/${namespace}`;
    const gro = [ingress, egress].some((end) => end.name === name)
      ? ''
      : `${here} ethtool -K ${name} gro off; ${here} ethtool -K ${name} gro on tx off`;
    return `${here} ip link set dev ${name} mtu 1500 up; ${gro}`;
  };
  // One shell, because starting a process from here takes longer than what it does.
  tool('sh', ['-c', [ingress, egress, source, sink].map(restored).join('\n')]);
});

function setRxQueues({ namespace, name }: End, count: number): void {
  const [program = '', ...args] = inNamespace(namespace, ['ethtool', '-L', name, 'rx', String(count)]);
  tool(program, args);
}

function setTxQueues({ namespace, name }: End, count: number): void {
  const [program = '', ...args] = inNamespace(namespace, ['ethtool', '-L', name, 'tx', String(count)]);
  tool(program, args);
}

function setChecksums({ namespace, name }: End, on: boolean): void {
  const [program = '', ...args] = inNamespace(namespace, ['ethtool', '-K', name, 'tx', on ? 'on' : 'off']);
  tool(program, args);
}

/** In this process, because that is faster. */
function redirect(...words: string[]) {
  return runHere('-j', '--netns', path.router, 'redirect', ...words);
}

async function attach(...words: string[]): Promise<void> {
  const result = await redirect('attach', ...words);
  expect({ status: result.status, stderr: result.status === 0 ? '' : result.stderr }).toEqual({
    status: 0,
    stderr: '',
  });
}

async function check(...words: string[]): Promise<ProblemData[]> {
  const result = await redirect('check', ...words);
  expect(result).toMatchObject({ status: 0, stderr: '' });
  const problems = result.json() as ProblemData[];
  expect(schemaProblems(observedSchemas['check']!, problems)).toEqual([]);
  return problems;
}

/** The map of the path that begins at a device. */
async function openTargets({ name }: End): Promise<BpfMap> {
  const [shown] = (await redirect('show', name)).json() as { maps: { id: number }[] }[];
  const map = BpfMap.byId(shown!.maps[0]!.id);
  onTestFinished(() => map[Symbol.dispose]());
  return map;
}

interface Case {
  readonly code: string;
  readonly title?: string;
  readonly certainty: 'certain' | 'likely';
  /** How ingress redirects; to egress when absent. */
  readonly attach?: (path: PathWorld) => readonly string[];
  readonly breakIt: (path: PathWorld) => void | Promise<void>;
  /** What the reader puts in the place of words in capitals. */
  readonly fillIn?: (fix: string, path: PathWorld) => string;
  /** Other codes that come with it. */
  readonly also?: readonly string[];
}

const withEgress = (fix: string, { egress }: PathWorld): string => fix.replace('dev DEV', `dev ${egress.name}`);

const cases: readonly Case[] = [
  {
    code: 'map-miss',
    certainty: 'certain',
    breakIt: async ({ ingress }) => {
      using map = await openTargets(ingress);
      map.delete(new Uint8Array(Uint32Array.of(ingress.ifindex).buffer));
    },
    fillIn: withEgress,
  },
  {
    code: 'map-miss',
    title: 'map-miss, because the target was away for a moment',
    certainty: 'certain',
    breakIt: ({ router, egress, sink }) => {
      setLink(router, 'set', egress.name, 'netns', sink.namespace!);
      setLink(sink.namespace, 'set', egress.name, 'netns', router);
      setLink(router, 'set', egress.name, 'up');
      setGro(sink, false);
      setGro(sink, true);
    },
    fillIn: withEgress,
  },
  { code: 'target-no-xmit', certainty: 'certain', breakIt: ({ sink }) => setGro(sink, false) },
  {
    code: 'ingress-down',
    certainty: 'certain',
    breakIt: ({ router, ingress }) => setLink(router, 'set', ingress.name, 'down'),
  },
  {
    code: 'target-down',
    certainty: 'certain',
    breakIt: ({ router, egress }) => setLink(router, 'set', egress.name, 'down'),
  },
  {
    code: 'target-no-carrier',
    certainty: 'certain',
    breakIt: ({ sink }) => setLink(sink.namespace, 'set', sink.name, 'down'),
  },
  {
    code: 'frame-exceeds-mtu',
    certainty: 'certain',
    breakIt: ({ router, egress, sink }) => {
      setLink(router, 'set', egress.name, 'mtu', '1000');
      setLink(sink.namespace, 'set', sink.name, 'mtu', '1000');
    },
  },
  {
    code: 'peer-mtu',
    certainty: 'certain',
    breakIt: ({ sink }) => setLink(sink.namespace, 'set', sink.name, 'mtu', '1000'),
  },
  {
    code: 'delivered-bad-checksum',
    certainty: 'likely',
    breakIt: ({ source }) => setChecksums(source, true),
  },
  {
    code: 'target-in-other-netns',
    certainty: 'likely',
    breakIt: async ({ world, ingress }) => {
      const away = world.namespace();
      const { a } = world.veth({ namespace: away }, { namespace: world.namespace(), gro: true });
      using map = await openTargets(ingress);
      inNetns(away, () => map.update(encodePair(ingress.ifindex, 0, 4), encodePair(a.ifindex, 0, 8), 0));
    },
    fillIn: withEgress,
  },
  {
    code: 'mode-conflict',
    certainty: 'likely',
    attach: ({ egress }) => ['--to', egress.name, '--mode', 'generic'],
    breakIt: ({ egress, ingress }) => attach(egress.name, '--to', ingress.name),
  },
  {
    code: 'frags-clash',
    certainty: 'certain',
    breakIt: async ({ source, ingress, egress, sink }) => {
      for (const end of [source, ingress, egress, sink]) setLink(end.namespace, 'set', end.name, 'mtu', '9000');
      using map = await openTargets(ingress);
      using program = loadBuiltinProgram('egress_devmap', { plain: true });
      const value = encodePair(egress.ifindex, program.fd, 8);
      inNetns(path.router, () => map.update(encodePair(ingress.ifindex, 0, 4), value, 0));
    },
  },
  {
    code: 'target-down',
    title: 'target-down of a member that a broadcast leaves out',
    certainty: 'certain',
    attach: ({ egress, ingress }) => ['--to', egress.name, '--to', ingress.name, '--broadcast'],
    breakIt: ({ router, egress }) => setLink(router, 'set', egress.name, 'down'),
  },
  {
    code: 'broadcast-no-target',
    certainty: 'certain',
    attach: ({ egress, ingress }) => ['--to', egress.name, '--to', ingress.name, '--broadcast', '--exclude-ingress'],
    breakIt: ({ router, egress }) => setLink(router, 'set', egress.name, 'down'),
    also: ['target-down'],
  },
  {
    code: 'cpumap without an entry: map-miss',
    certainty: 'certain',
    attach: () => ['--cpus', '0,1'],
    breakIt: async ({ ingress }) => {
      using map = await openTargets(ingress);
      map.delete(new Uint8Array(Uint32Array.of(1).buffer));
    },
  },
];

describe('redirect check', () => {
  it.each(cases.map((each) => ({ ...each, title: each.title ?? each.code })))('$title', async (each) => {
    const { code, certainty, breakIt, fillIn = (fix) => fix, also = [] } = each;
    await attach(path.ingress.name, ...(each.attach?.(path) ?? ['--to', path.egress.name]));
    expect(await check(path.ingress.name)).toEqual([]);
    await breakIt(path);
    const problems = await check(path.ingress.name);
    const [problem] = problems;
    expect(problems.map((one) => one.code).toSorted()).toEqual([code.replace(/.*: /, ''), ...also].toSorted());
    expect(problem).toMatchObject({ certainty, from: { ifname: path.ingress.name, ifindex: path.ingress.ifindex } });
    typed(fillIn(problem!.fix!, path));
    expect(await check(path.ingress.name)).toEqual([]);
  });

  it('broadcast-starved, by the member before it in generic mode', async () => {
    const { world, router, ingress } = path;
    // The kernel's order of a DEVMAP_HASH is that of its buckets, so either may come first.
    const ends = [0, 1].map(() => world.veth({ namespace: router }, { namespace: world.namespace(), gro: true }).a);
    const members = ends.flatMap(({ name }) => ['--to', name]);
    await attach(ingress.name, ...members, '--broadcast', '--mode', 'generic');
    expect(await check(ingress.name)).toEqual([]);
    const found = new Set<string>();
    for (const { name } of ends) {
      setLink(router, 'set', name, 'down');
      const problems = await check(ingress.name);
      expect(problems[0]).toMatchObject({ code: 'target-down', to: { ifname: name } });
      problems.forEach((problem) => found.add(problem.code));
      typed(problems.at(-1)!.fix!);
      expect(await check(ingress.name)).toEqual([]);
    }
    expect([...found].toSorted()).toEqual(['broadcast-starved', 'target-down']);
  });

  it.each(['$(id)', "a'b;c"])('quotes an interface called %s in the command', async (name) => {
    const { world, router, ingress } = path;
    world.veth({ namespace: router, name }, { namespace: world.namespace(), gro: true });
    await attach(ingress.name, '--to', name);
    expect(await check(ingress.name)).toEqual([]);
    setLink(router, 'set', name, 'down');
    const [problem] = await check(ingress.name);
    typed(problem!.fix!);
    expect(await check(ingress.name)).toEqual([]);
  });

  it('target-no-sg, of frames of several buffers for a tap device', async () => {
    const { router, source, ingress } = path;
    using tap = openTap(router, 'tap9');
    for (const end of [source, ingress]) setLink(end.namespace, 'set', end.name, 'mtu', '9000');
    setLink(router, 'set', tap.name, 'mtu', '9000', 'up');
    await attach(ingress.name, '--to', tap.name);
    const [problem, ...others] = await check(ingress.name);
    expect(others).toEqual([]);
    expect(problem).toMatchObject({ code: 'target-no-sg', certainty: 'likely', to: { ifname: tap.name } });
    typed(problem!.fix!);
    expect(await check(ingress.name)).toEqual([]);
  });

  it('queue-without-socket, until a socket is bound to it', async () => {
    const { ingress } = path;
    await attach(ingress.name, '--xsk');
    const [problem, ...others] = await check(ingress.name);
    expect(others).toEqual([]);
    expect(problem).toMatchObject({ code: 'queue-without-socket', certainty: 'certain', key: 0 });
    await using _socket = new TypedCommand(problem!.fix!);
    await expect.poll(() => check(ingress.name), { timeout: 60_000 }).toEqual([]);
  });

  it.each([
    ['xsk-wrong-queue', true],
    ['xsk-unbound', false],
  ])('%s, until another socket takes its place', async (code, bound) => {
    const { router, ingress } = path;
    setRxQueues(ingress, bound ? 2 : 1);
    await attach(ingress.name, '--xsk');
    using map = await openTargets(ingress);
    using socket = inNetns(router, () => {
      const opened = XskSocket.open({ frames: 64, frameSize: 2048, rxSize: 64, fillSize: 64, completionSize: 64 });
      if (bound) opened.bind(ingress.ifindex, 1, 'copy');
      return opened;
    });
    for (const key of bound ? [0, 1] : [0]) map.update(encodePair(key, 0, 4), encodePair(socket.fd, 0, 4), 0);
    const problems = await check(ingress.name);
    expect(problems).toMatchObject([{ code, certainty: 'certain', key: 0 }]);
    expect(problems[0]!.explanation).toContain(`(node ${process.pid})`);
    await using _socket = new TypedCommand(problems[0]!.fix!);
    await expect.poll(() => check(ingress.name), { timeout: 60_000 }).toEqual([]);
  });

  it.each([
    // The fix takes the other queue away.
    [0, []],
    // The fix gives the frames of the other queue a key of their own.
    [1, [{ code: 'queue-without-socket', key: 0 }]],
  ])('xsk-wrong-queue, of the frames that do not come by queue %i, whose socket gets all', async (queue, left) => {
    const { router, ingress, source } = path;
    setRxQueues(ingress, 2);
    setTxQueues(source, 2);
    onTestFinished(() => {
      setTxQueues(source, 1);
      setRxQueues(ingress, 1);
    });
    await attach(ingress.name, '--xsk', '--key', String(queue));
    using map = await openTargets(ingress);
    using socket = inNetns(router, () => {
      const opened = XskSocket.open({ frames: 64, frameSize: 2048, rxSize: 64, fillSize: 64, completionSize: 64 });
      opened.bind(ingress.ifindex, queue, 'copy');
      return opened;
    });
    map.update(encodePair(queue, 0, 4), encodePair(socket.fd, 0, 4), 0);
    const problems = await check(ingress.name);
    expect(problems).toMatchObject([{ code: 'xsk-wrong-queue', certainty: 'certain', key: queue }]);
    expect(problems[0]!.explanation).toMatch(new RegExp(`those of receive queue ${1 - queue} are lost$`));
    typed(problems[0]!.fix!);
    expect(await check(ingress.name)).toMatchObject(left);
  });

  it('map-miss of a program of others whose map is empty', async () => {
    const { router, ingress } = path;
    using pins = new PinFolder();
    tool('bpftool', ['prog', 'loadall', faultyObject, pins.pin('progs'), 'pinmaps', pins.pin('maps')]);
    const words = ['ip', 'link', 'set', 'dev', ingress.name, 'xdpdrv', 'pinned', pins.pin('progs/forward')];
    const [program = '', ...args] = inNamespace(router, words);
    tool(program, args);
    onTestFinished(() => setLink(router, 'set', 'dev', ingress.name, 'xdpdrv', 'off'));
    const [problem, ...others] = await check(ingress.name);
    expect(others).toEqual([]);
    expect(problem).toMatchObject({
      code: 'map-miss',
      certainty: 'likely',
      prog: { name: 'forward' },
      map: { name: 'targets', pinned: [pins.pin('maps/targets')] },
    });
    typed(withEgress(problem!.fix!, path).replace('key KEY', 'key 0'));
    expect(await check(ingress.name)).toEqual([]);
    expect(toolJson('bpftool', ['-j', 'map', 'dump', 'pinned', pins.pin('maps/targets')])).toContainEqual(
      expect.objectContaining({ key: ['0x00', '0x00', '0x00', '0x00'] }),
    );
  });

  it('mode-conflict of a program of others without a pin', async () => {
    const { router, ingress, egress } = path;
    using pins = new PinFolder();
    tool('bpftool', ['prog', 'loadall', faultyObject, pins.pin('progs'), 'pinmaps', pins.pin('maps')]);
    const words = ['ip', 'link', 'set', 'dev', ingress.name, 'xdpgeneric', 'pinned', pins.pin('progs/forward')];
    const [program = '', ...args] = inNamespace(router, words);
    tool(program, args);
    onTestFinished(() => setLink(router, 'set', 'dev', ingress.name, 'xdpdrv', 'off'));
    tool('rm', ['-r', pins.pin('progs')]);
    typed(`xdpctl --netns ${router} map update ${pins.pin('maps/targets')} key 0 value dev ${egress.name}`);
    await attach(egress.name, '--map', pins.pin('maps/targets'), '--key', '0');
    const problems = await check(ingress.name);
    expect(problems).toMatchObject([{ code: 'mode-conflict', certainty: 'likely', prog: { name: 'forward' } }]);
    typed(problems[0]!.fix!.replaceAll('PIN', pins.pin('kept')));
    expect(await check(ingress.name)).toEqual([]);
    const [shown] = (await redirect('show', ingress.name)).json() as [{ mode: string; prog: { name: string } }];
    expect(shown).toMatchObject({ mode: 'native', prog: { name: 'forward' } });
  });

  it.each([
    ['map-miss', 'devmap', ['--key', 'queue']],
    ['queue-without-socket', 'xskmap', []],
  ] as const)('%s of a queue that a %s has no key for', async (code, type, key) => {
    const { world, router, egress } = path;
    using pins = new PinFolder();
    const { a } = world.veth({ namespace: router }, { namespace: world.namespace() });
    const [program = '', ...args] = inNamespace(router, ['ethtool', '-L', a.name, 'rx', '2']);
    tool(program, args);
    typed(`xdpctl map create ${pins.pin('m')} type ${type} entries 1`);
    if (type === 'devmap') {
      typed(`xdpctl --netns ${router} map update ${pins.pin('m')} key 0 value dev ${egress.name}`);
    }
    await attach(a.name, '--map', pins.pin('m'), ...key);
    onTestFinished(async () => void (await redirect('detach', a.name)));
    const found = (await check(a.name)).filter((problem) => problem.code === code && problem.key === 1);
    expect(found).toMatchObject([{ explanation: expect.stringContaining('(its keys end at 0)') as string }]);
    typed(found[0]!.fix!);
    expect((await check(a.name)).filter((problem) => problem.key === 1)).toEqual([]);
  });

  it('dispatcher-in-front, where nobody tells what it calls', async () => {
    const { router, ingress } = path;
    // libxdp knows its dispatcher by the name. r0 = XDP_PASS; exit.
    const instructions = new Uint8Array([0xb7, 0, 0, 0, 2, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0]);
    using program = new Fd(libbpf.bpf_prog_load(6, 'xdp_dispatcher', 'GPL', instructions, 2, null));
    inNetns(router, () => attachXdp(ingress.ifindex, program.number, 'native'));
    const problems = await check(ingress.name);
    expect(problems).toMatchObject([
      { code: 'dispatcher-in-front', certainty: 'likely', prog: { name: 'xdp_dispatcher' } },
    ]);
    typed(problems[0]!.fix!);
    expect(await check(ingress.name)).toEqual([]);
    expect((await redirect('detach', ingress.name)).status).toBe(3);
  });
});

describe('faults that check need not look for', () => {
  it.each(['devmap', 'devmap_hash', 'cpumap'])('no %s has a program of another kind in an entry', (type) => {
    const { router, egress } = path;
    using pins = new PinFolder();
    typed(`xdpctl map create ${pins.pin('m')} type ${type} entries 2`);
    using map = new BpfMap(openPin(pins.pin('m')).fd);
    const other = type === 'cpumap' ? 'egress_devmap' : 'egress_cpumap';
    for (const name of ['pass', other]) {
      using program = loadBuiltinProgram(name);
      const value = encodePair(type === 'cpumap' ? 64 : egress.ifindex, program.fd, 8);
      // A cpumap says ENOMEM up to 6.18, whatever it is.
      const errnos = type === 'cpumap' ? [12, 22] : [22];
      expect(() => inNetns(router, () => map.update(encodePair(0, 0, 4), value, 0))).toThrow(refused(...errnos));
    }
    const kind = type === 'cpumap' ? 'egress_cpumap' : 'egress_devmap';
    using fitting = loadBuiltinProgram(kind);
    const value = encodePair(type === 'cpumap' ? 64 : egress.ifindex, fitting.fd, 8);
    inNetns(router, () => map.update(encodePair(0, 0, 4), value, 0));
  });

  it.each([
    ['devmap', encodeRedirectConfig({ onMiss: 'drop', key: 'queue', broadcast: false, excludeIngress: false })],
    ['cpumap', encodeCpumapConfig({ onMiss: 'drop', cpus: [0] })],
  ])('no %s is used by programs that take fragments and by others', (type, config) => {
    for (const fragments of [true, false]) {
      using first = loadRedirect(`redirect_${type}`, { config, maxEntries: 2, fragments });
      const more = { config, maxEntries: 2, targets: first.targets };
      expect(() => loadRedirect(`redirect_${type}`, { ...more, fragments: !fragments })).toThrow(refused(22));
      using _second = loadRedirect(`redirect_${type}`, { ...more, fragments });
    }
  });
});

describe('redirect check as a command', () => {
  it('ends with 10 when something is wrong and it is to say so', async () => {
    const { router, ingress, egress, sink } = path;
    await attach(ingress.name, '--to', egress.name);
    const run = (...words: string[]) => xdpctl(['--netns', router, 'redirect', 'check', ...words]);
    expect(run('--exit-code')).toMatchObject({ status: 0, stdout: 'nothing wrong with 1 path\n', stderr: '' });
    setGro(sink, false);
    expect(run()).toMatchObject({ status: 0, stdout: expect.stringContaining('target-no-xmit (certain)') as string });
    expect(run('--exit-code')).toMatchObject({ status: 10, stderr: '' });
    expect(run(egress.name, '--exit-code')).toMatchObject({ status: 0, stdout: 'nothing is redirected\n' });
    expect(run('nothere').status).toBe(3);
    expect(run(ingress.name, 'more').status).toBe(2);
  });

  it('changes nothing', async () => {
    const { ingress, egress } = path;
    await attach(ingress.name, '--to', egress.name);
    const before = kernelState();
    await check();
    await expectNothingNew(before);
  });
});

/** That the kernel refused, for one of these reasons. */
function refused(...errnos: readonly number[]): object {
  const isOne = (errno: unknown): boolean => errnos.includes(errno as number);
  return expect.objectContaining({ name: 'KernelRefusal', errno: expect.toSatisfy(isOne) as unknown }) as object;
}

/** A tap device that somebody reads, so that it has a carrier. */
function openTap(namespace: string, name: string): Disposable & { readonly name: string } {
  const [TUNSETIFF, IFF_TAP, IFF_NO_PI] = [0x4004_54ca, 2, 0x1000];
  // It belongs to the namespace in which it is opened.
  const fd = inNetns(namespace, () => openSync('/dev/net/tun', constants.O_RDWR));
  const request = Buffer.alloc(40);
  request.write(name);
  request.writeUInt16LE(IFF_TAP | IFF_NO_PI, 16);
  const result = libc.ioctl(fd, TUNSETIFF, request);
  if (result !== 0) throw new Error('no tap device could be made');
  return { name, [Symbol.dispose]: () => closeSync(fd) };
}
