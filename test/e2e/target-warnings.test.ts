import { rmSync } from 'node:fs';

import { describe, expect, it, onTestFinished } from 'vitest';

import { xdpctl } from '../support/command.ts';
import { fixtureName } from '../support/run-id.ts';
import { inNamespace, tool, toolJson } from '../support/tool.ts';
import { createWorld, setGro, setLink, type World } from '../support/world.ts';

/** A pinned map that is unpinned after the test. */
function pinnedMap(type: string, ...words: string[]): string {
  const pin = `/sys/fs/bpf/${fixtureName()}`;
  onTestFinished(() => {
    rmSync(pin, { force: true });
  });
  const made = xdpctl(['map', 'create', pin, 'type', type, 'entries', '4', 'name', 'm', ...words]);
  expect(made).toMatchObject({ status: 0, stderr: '' });
  return pin;
}

/** r1 in one namespace and its peer d0 in another. */
function path(world: World): { readonly router: string; readonly far: string } {
  const [router, far] = [world.namespace(), world.namespace()];
  world.veth({ namespace: router, name: 'r1' }, { namespace: far, name: 'd0' });
  return { router, far };
}

/** Types a command that was printed, in the namespace it was printed for. */
function typed(namespace: string, command: string): void {
  const [program = '', ...args] = inNamespace(namespace, ['sh', '-c', command]);
  tool(program, args);
}

/** The commands of the warnings that an update prints. */
function warned(pin: string, namespace: string, ...more: string[]): { message: string; hint?: string }[] {
  const result = xdpctl(['-j', '--netns', namespace, 'map', 'update', pin, 'key', '0', 'value', 'dev', 'r1', ...more]);
  expect(result).toMatchObject({ status: 0, stdout: '' });
  return result.jsonErrors().map((line) => (line as { warning: { message: string; hint?: string } }).warning);
}

describe('map update of a target that cannot receive', () => {
  it('succeeds with a warning, and is silent once the printed command was typed', () => {
    using world = createWorld();
    const { router, far } = path(world);
    const pin = pinnedMap('devmap');
    const first = xdpctl(['map', 'update', pin, 'key', '0', 'value', 'r1'], { namespace: router });
    expect(first).toMatchObject({
      status: 0,
      stdout: '',
      stderr:
        `warning: r1 cannot transmit redirected frames: it is a veth, and its peer d0 (netns ${far}) has neither GRO on nor an XDP program\n` +
        `hint: ip netns exec ${far} ethtool -K d0 gro on\n`,
    });
    expect(toolJson('bpftool', ['-j', 'map', 'lookup', 'pinned', pin, 'key', '0', '0', '0', '0'])).toHaveProperty(
      'value',
    );
    typed(router, `ip netns exec ${far} ethtool -K d0 gro on`);
    expect(warned(pin, router)).toEqual([]);
  });

  it.each([
    ['is down', (router: string) => setLink(router, 'set', 'r1', 'down'), /r1 is administratively down/],
    [
      'has a peer that is down',
      (_: string, far: string) => setLink(far, 'set', 'd0', 'down'),
      /its peer d0 .* is down/,
    ],
    [
      'has a peer with a smaller MTU',
      (_: string, far: string) => setLink(far, 'set', 'd0', 'mtu', '1300'),
      /its peer d0 .* has only 1300/,
    ],
    [
      'has fewer receive queues than its peer transmit queues',
      (_: string, far: string) => tool('nsenter', [`--net=/run/netns/${far}`, 'ethtool', '-L', 'd0', 'tx', '2']),
      /fewer than its peer d0 .* has transmit queues \(2\)/,
    ],
  ])('because it %s: the command mends it', (_, hurt, sentence) => {
    using world = createWorld();
    const { router, far } = path(world);
    setGro({ namespace: far, name: 'd0' }, true);
    const pin = pinnedMap('devmap_hash');
    expect(warned(pin, router)).toEqual([]);
    hurt(router, far);
    const [warning, ...others] = warned(pin, router);
    expect(others).toEqual([]);
    expect(warning!.message).toMatch(sentence);
    typed(router, warning!.hint!);
    expect(warned(pin, router)).toEqual([]);
  });

  it('because its peer had GRO switched on while it was down, as the kernel overlooks', () => {
    using world = createWorld();
    const [router, far] = [world.namespace(), world.namespace()];
    const { b } = world.veth({ namespace: router, name: 'r1' }, { namespace: far, name: 'd0', up: false });
    setGro(b, true);
    setLink(far, 'set', 'd0', 'up');
    const pin = pinnedMap('devmap');
    const [warning] = warned(pin, router);
    expect(warning!.message).toContain('had it switched on while it was down');
    typed(router, warning!.hint!);
    expect(warned(pin, router)).toEqual([]);
  });

  it('says so once in a batch, and not with --quiet', () => {
    using world = createWorld();
    const { router } = path(world);
    const pin = pinnedMap('devmap');
    const lines = [0, 1, 2, 3].map((key) => `map update pinned ${pin} key ${key} 0 0 0 value dev r1\n`).join('');
    const batch = xdpctl(['--netns', router, 'batch', 'file', '-'], { input: lines });
    expect(batch.status).toBe(0);
    expect(batch.stderr.match(/^warning: /gm)).toHaveLength(1);
    const quiet = xdpctl(['-q', '--netns', router, 'map', 'update', pin, 'key', '0', 'value', 'dev', 'r1']);
    expect(quiet).toMatchObject({ status: 0, stderr: '' });
  });
});

describe('map update with a program that comes with the tool', () => {
  it('puts it into a devmap entry and a cpumap entry', () => {
    using world = createWorld();
    const { router, far } = path(world);
    setGro({ namespace: far, name: 'd0' }, true);
    const pin = pinnedMap('devmap');
    expect(warned(pin, router, 'prog', 'builtin', 'egress_devmap')).toEqual([]);
    expect(xdpctl(['map', 'dump', pin], { namespace: router }).stdout).toMatch(/egress \(\d+\)/);
    const cpus = pinnedMap('cpumap');
    expect(
      xdpctl(['map', 'update', cpus, 'key', '0', 'value', '64', 'prog', 'builtin', 'egress_cpumap']),
    ).toMatchObject({
      status: 0,
      stderr: '',
    });
  });

  it('takes the kind that goes with the programs of the map, aware of fragments or not', () => {
    using world = createWorld();
    const { router, far } = path(world);
    setGro({ namespace: far, name: 'd0' }, true);
    const pin = pinnedMap('devmap');
    const program = `/sys/fs/bpf/${fixtureName()}`;
    onTestFinished(() => {
      rmSync(program, { force: true });
    });
    // bpftool loads without the flag for fragments, and so decides for good what the map takes.
    const object = 'bpf-objects/redirect_devmap.bpf.o';
    tool('bpftool', ['prog', 'load', object, program, 'map', 'name', 'targets', 'pinned', pin]);
    expect(warned(pin, router, 'prog', 'builtin', 'egress_devmap')).toEqual([]);
  });

  it('refuses one for another kind of entry, and one that there is not', () => {
    using world = createWorld();
    const { router } = path(world);
    const pin = pinnedMap('devmap');
    const update = (...program: string[]) =>
      xdpctl(['map', 'update', pin, 'key', '0', 'value', 'dev', 'r1', 'prog', ...program], { namespace: router });
    expect(update('builtin', 'pass')).toMatchObject({ status: 2, stderr: expect.stringContaining('xdp/devmap') });
    expect(update('builtin', 'nobody')).toMatchObject({ status: 3, stderr: expect.stringContaining('pass') });
    expect(update('tag', '0123456789abcdef')).toMatchObject({ status: 3 });
    expect(xdpctl(['-j', 'map', 'dump', pin]).json()).toEqual([]);
  });
});
