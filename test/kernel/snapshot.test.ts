import { describe, expect, it, onTestFinished, vi } from 'vitest';

import { encodePair } from '../../src/domain/devmap.ts';
import { LINK_TYPE_XDP } from '../../src/domain/link-type.ts';
import { XskSocket } from '../../src/kernel/af-xdp/socket.ts';
import { loadBuiltinProgram } from '../../src/kernel/builtin-objects.ts';
import { readStatistics } from '../../src/kernel/ethtool-statistics.ts';
import { FragmentProbe } from '../../src/kernel/fragment-probe.ts';
import { readLiveSystem } from '../../src/kernel/inventory.ts';
import { xdpLinks } from '../../src/kernel/link-list.ts';
import { BpfMap } from '../../src/kernel/map.ts';
import { NETLINK_ROUTE, NetlinkSocket } from '../../src/kernel/netlink.ts';
import { inNetns } from '../../src/kernel/netns.ts';
import { allPins, pinsOf } from '../../src/kernel/pins.ts';
import { TemporaryAttachment } from '../../src/kernel/temporary-attachment.ts';
import { builtinPath } from '../support/builtin-path.ts';
import { PinFolder } from '../support/command.ts';
import { needKernel } from '../support/kernel-has.ts';
import { expectNothingNew, kernelState } from '../support/leaks.ts';
import { inNamespace, tool, toolJson } from '../support/tool.ts';
import { createWorld } from '../support/world.ts';

describe('links', () => {
  it('are those that bpftool knows, with device and program', () => {
    using world = createWorld();
    const namespace = world.namespace();
    const { a } = world.veth({ namespace }, { namespace });
    using program = loadBuiltinProgram('pass');
    using _attached = inNetns(namespace, () => TemporaryAttachment.attach(a.ifindex, program, 'native'));
    const link = xdpLinks().find(({ progId }) => progId === program.info.id)!;
    expect(link).toEqual({ id: link.id, type: LINK_TYPE_XDP, progId: program.info.id, ifindex: a.ifindex });
    const known = toolJson('bpftool', ['-j', 'link', 'show', 'id', String(link.id)]);
    expect(known).toMatchObject({ id: link.id, type: 'xdp', prog_id: program.info.id });
    const { type: _, ...live } = link;
    expect(readLiveSystem().links).toContainEqual({ ...live, pinned: [] });
  });
});

describe('pins', () => {
  it('of all kinds are the same in one walk', () => {
    using pins = new PinFolder();
    tool('bpftool', ['prog', 'load', builtinPath('pass'), pins.pin('prog')]);
    const { map, prog } = allPins();
    expect(map).toEqual(pinsOf('map'));
    expect(prog).toEqual(pinsOf('prog'));
    expect([...prog.values()]).toContainEqual([pins.pin('prog')]);
  });
});

describe('whether a program takes frames of several buffers', () => {
  it.for(['pass', 'egress_devmap', 'egress_cpumap'])(
    'is found out for %s, which nothing keeps',
    async (name, context) => {
      needKernel(context, '5.18');
      const before = kernelState();
      const answers = [false, true].map((plain) => {
        using program = loadBuiltinProgram(name, { plain });
        using probe = new FragmentProbe();
        return probe.takesFragments(program.info.id);
      });
      expect(answers).toEqual([true, false]);
      await expectNothingNew(before);
    },
  );

  it('is unknown of a program that is gone', () => {
    using probe = new FragmentProbe();
    expect(probe.takesFragments(0x7fff_ffff)).toBeUndefined();
  });

  it('is in the snapshot where an entry of a DEVMAP_HASH has a program', (context) => {
    needKernel(context, '5.18');
    using world = createWorld();
    const namespace = world.namespace();
    const { a } = world.veth({ namespace }, { namespace });
    using pins = new PinFolder();
    tool('bpftool', [
      'prog',
      'loadall',
      builtinPath('redirect_devmap_hash'),
      pins.pin('progs'),
      'pinmaps',
      pins.pin('maps'),
    ]);
    const idOf = (kind: string, pin: string): number =>
      (toolJson('bpftool', ['-j', kind, 'show', 'pinned', pins.pin(pin)]) as { id: number }).id;
    using map = BpfMap.byId(idOf('map', 'maps/targets'));
    using egress = loadBuiltinProgram('egress_devmap', { plain: true });
    const redirect = idOf('prog', 'progs/redirect');
    expect(readLiveSystem().programs.get(redirect)).not.toHaveProperty('fragments');
    inNetns(namespace, () => map.update(encodePair(5, 0, 4), encodePair(a.ifindex, egress.fd, 8), 0));
    const { programs } = readLiveSystem();
    expect(programs.get(egress.info.id)).toMatchObject({ fragments: false });
    // bpftool loads it as the object says, which is without.
    expect(programs.get(redirect)).toMatchObject({ fragments: false, pinned: [pins.pin('progs/redirect')] });
  });
});

describe('sockets', () => {
  it('are in the snapshot with state, queue and owner', () => {
    using world = createWorld();
    const namespace = world.namespace();
    const { a } = world.veth({ namespace }, { namespace });
    using pins = new PinFolder();
    tool('bpftool', [
      'prog',
      'loadall',
      builtinPath('redirect_xskmap'),
      pins.pin('progs'),
      'pinmaps',
      pins.pin('maps'),
    ]);
    const { id } = toolJson('bpftool', ['-j', 'map', 'show', 'pinned', pins.pin('maps/targets')]) as { id: number };
    using map = BpfMap.byId(id);
    const spec = { frames: 64, frameSize: 2048, rxSize: 64, fillSize: 64, completionSize: 64 };
    const sockets = inNetns(namespace, () => [XskSocket.open(spec), XskSocket.open(spec)]);
    onTestFinished(() => sockets.forEach((socket) => socket[Symbol.dispose]()));
    inNetns(namespace, () => sockets[0]!.bind(a.ifindex, 0, 'copy'));
    sockets.forEach(({ fd }, key) => map.update(encodePair(key, 0, 4), encodePair(fd, 0, 4), 0));
    const owner = { pid: process.pid, comm: expect.any(String) as string };
    expect(readLiveSystem().maps.get(id)?.entries).toMatchObject([
      { key: 0, socket: { queue: 0, state: 'bound', ifindex: a.ifindex, zeroCopy: false, ...owner } },
      { key: 1, socket: { state: 'unbound', ifindex: 0, ...owner } },
    ]);
  });
});

describe('many interfaces', () => {
  it('are read in one dump of their namespace, and none by itself', () => {
    using world = createWorld();
    const [here, there] = [world.namespace(), world.namespace()];
    const pairs = Array.from({ length: 8 }, () => world.veth({ namespace: here }, { namespace: there }));
    const asked = vi.spyOn(NetlinkSocket.prototype, 'get');
    const listed = vi.spyOn(NetlinkSocket.prototype, 'dump');
    onTestFinished(() => {
      vi.restoreAllMocks();
    });
    const { devices } = inNetns(here, () => readLiveSystem());
    const joined = devices.filter(({ netns, peer }) => netns.current && peer?.netns?.name === there);
    expect(joined).toHaveLength(pairs.length);

    const ours = new Set(pairs.flatMap(({ a, b }) => [a.ifindex, b.ifindex]));
    const single = asked.mock.calls.filter(([, , { facts }]) => ours.has(Number(facts?.['ifname'])));
    expect(single).toEqual([]);
    const dumps = listed.mock.calls.filter(([, , { operation }]) => operation === 'link list');
    const namespaces = new Set(devices.map(({ netns }) => netns.inode));
    expect(dumps).toHaveLength(namespaces.size);
  });
});

describe("a driver's own counters", () => {
  it('are those of ethtool', () => {
    using world = createWorld();
    const namespace = world.namespace();
    const { a } = world.veth({ namespace }, { namespace });
    const [program = '', ...args] = inNamespace(namespace, ['ethtool', '-S', a.name]);
    const lines = tool(program, args).matchAll(/^ {5}(\S+): (\d+)$/gm);
    const known = [...lines].map(([, name = '', value]) => [name, Number(value)] as const);
    expect(known.length).toBeGreaterThan(5);
    const read = inNetns(namespace, () => {
      using socket = new NetlinkSocket(NETLINK_ROUTE);
      return [readStatistics(socket.fd, a.name), readStatistics(socket.fd, 'lo'), readStatistics(socket.fd, 'nothere')];
    });
    expect([...read[0]!]).toEqual(known);
    expect(read.slice(1)).toEqual([new Map(), new Map()]);
  });
});
