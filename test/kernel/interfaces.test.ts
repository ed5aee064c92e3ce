import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';

import { describe, expect, it, onTestFinished } from 'vitest';

import { KernelRefusal } from '../../src/domain/errors.ts';
import { channels, driverName, groOn, txChecksumOn } from '../../src/kernel/ethtool.ts';
import { GenericNetlink } from '../../src/kernel/generic-netlink.ts';
import { readInterface, readInterfaces } from '../../src/kernel/interfaces.ts';
import { listNamespaces, NamespaceSet } from '../../src/kernel/namespaces.ts';
import { readXdpFeatures, readXdpFeaturesOf } from '../../src/kernel/netdev-features.ts';
import { NETLINK_ROUTE, NetlinkSocket } from '../../src/kernel/netlink.ts';
import { enterNetns, inNetns } from '../../src/kernel/netns.ts';
import { kernelHas } from '../support/kernel-has.ts';
import { inNamespace, tool, toolJson } from '../support/tool.ts';
import { createWorld, setGro, setLink } from '../support/world.ts';

/** What `ip -d -j link` says, the judge of these tests. */
interface IpLink {
  readonly ifindex: number;
  readonly ifname: string;
  readonly mtu: number;
  readonly flags: readonly string[];
  readonly address?: string;
  readonly link_index?: number;
  readonly link_netnsid?: number;
  readonly num_rx_queues: number;
  readonly num_tx_queues: number;
  readonly linkinfo?: { readonly info_kind?: string };
  readonly xdp?: { readonly mode: number; readonly prog: { readonly id: number } };
}

function ipLinks(namespace: string): IpLink[] {
  return toolJson('ip', ['-n', namespace, '-d', '-j', 'link']) as IpLink[];
}

describe('interfaces', () => {
  it('are what ip shows', () => {
    using world = createWorld();
    const [near, far] = [world.namespace(), world.namespace()];
    const { a } = world.veth({ namespace: near, mtu: 3000 }, { namespace: far });
    world.veth({ namespace: near }, { namespace: near, up: false });
    tool('ip', ['-n', near, 'link', 'add', 'br0', 'type', 'bridge']);
    tool('ip', ['-n', near, 'link', 'add', 'mv0', 'link', a.name, 'type', 'macvlan']);
    tool('ip', ['-n', near, 'tuntap', 'add', 'tap0', 'mode', 'tap']);
    setLink(near, 'set', 'tap0', 'master', 'br0');
    using _inside = enterNetns(near);
    using socket = new NetlinkSocket(NETLINK_ROUTE);
    const found = readInterfaces(socket);
    expect(
      found.map((each) => ({
        ifindex: each.ifindex,
        ifname: each.name,
        mtu: each.mtu,
        up: each.up,
        carrier: each.up && each.carrier,
        address: each.mac,
        rx: each.rxQueues,
        tx: each.txQueues,
        kind: each.kind,
        netnsId: each.link?.netnsId,
      })),
    ).toEqual(
      ipLinks(near).map((link) => ({
        ifindex: link.ifindex,
        ifname: link.ifname,
        mtu: link.mtu,
        up: link.flags.includes('UP'),
        // NO-CARRIER comes a little later (net/core/link_watch.c).
        carrier: link.flags.includes('UP') && link.flags.includes('LOWER_UP'),
        address: link.address,
        rx: link.num_rx_queues,
        tx: link.num_tx_queues,
        kind: link.linkinfo?.info_kind,
        netnsId: link.link_netnsid,
      })),
    );
    const bridge = found.find(({ name }) => name === 'br0');
    expect(found.find(({ name }) => name === 'tap0')).toMatchObject({ master: bridge!.ifindex });
    expect(found.find(({ name }) => name === 'mv0')).toMatchObject({ link: { ifindex: a.ifindex } });
    expect(readInterface('br0', socket)).toEqual(bridge);
    expect(readInterface(bridge!.ifindex, socket)).toEqual(bridge);
    expect(readInterface('nobody', socket)).toBeUndefined();
    expect(readInterface(999_999, socket)).toBeUndefined();
  });

  it('carry programs in either mode', () => {
    using world = createWorld();
    const namespace = world.namespace();
    const { a, b } = world.veth({ namespace }, { namespace });
    const object = 'bpf-objects/pass.bpf.o';
    setLink(namespace, 'set', 'dev', a.name, 'xdpdrv', 'obj', object, 'sec', 'xdp');
    setLink(namespace, 'set', 'dev', b.name, 'xdpgeneric', 'obj', object, 'sec', 'xdp');
    const ids = new Map(ipLinks(namespace).map(({ ifname, xdp }) => [ifname, xdp?.prog.id]));
    using _inside = enterNetns(namespace);
    using socket = new NetlinkSocket(NETLINK_ROUTE);
    expect(readInterface(a.name, socket)?.xdp).toEqual([{ mode: 'native', progId: ids.get(a.name) }]);
    expect(readInterface(b.name, socket)?.xdp).toEqual([{ mode: 'generic', progId: ids.get(b.name) }]);
  });

  it('are all listed when they take many datagrams', () => {
    using world = createWorld();
    const namespace = world.namespace();
    const names = Array.from({ length: 60 }, (_, index) => `br${index}`);
    tool('ip', ['-n', namespace, '-b', '-'], {
      input: names.map((name) => `link add ${name} type bridge\n`).join(''),
    });
    const found = inNetns(namespace, () => {
      using socket = new NetlinkSocket(NETLINK_ROUTE);
      return readInterfaces(socket).map(({ name }) => name);
    });
    expect(found).toEqual(['lo', ...names]);
  });
});

describe('a netlink request that is refused', () => {
  it("says why in the kernel's words", () => {
    let refused;
    try {
      GenericNetlink.open('a-name-longer-than-any');
    } catch (error) {
      refused = error;
    }
    expect(refused).toBeInstanceOf(KernelRefusal);
    expect(refused).toMatchObject({ operation: 'genl family', facts: { text: 'Attribute failed policy validation' } });
  });

  it('leaves the socket usable', () => {
    using socket = new NetlinkSocket(NETLINK_ROUTE);
    expect(readInterface('nobody', socket)).toBeUndefined();
    expect(readInterface('a-name-longer-than-any', socket)).toBeUndefined();
    expect(() => readInterface(1, socket, 123_456)).toThrow(KernelRefusal);
    expect(readInterface('lo', socket)).toMatchObject({ ifindex: 1, up: true });
  });
});

/** What is known of the features of a device: nothing before Linux 6.3. */
const unknown = { unknown: true };
function known(features: object): object {
  return kernelHas('6.3') ? features : unknown;
}

describe('XDP features', () => {
  it('of a veth follow GRO of its peer, and its queues', () => {
    using world = createWorld();
    const [near, far] = [world.namespace(), world.namespace()];
    const { a, b } = world.veth({ namespace: near }, { namespace: far });
    const features = () => inNetns(near, () => readXdpFeaturesOf(a.ifindex)) ?? unknown;
    expect(features()).toMatchObject(known({ basic: true, redirect: true, ndoXmit: false, ndoXmitSg: false }));
    setGro(b, true);
    expect(features()).toMatchObject(known({ ndoXmit: true, ndoXmitSg: true, zeroCopy: false }));
    expect(inNetns(near, () => readXdpFeatures()?.get(1)) ?? unknown).toMatchObject(
      known({ ndoXmit: false, basic: false }),
    );
    expect(inNetns(near, () => readXdpFeaturesOf(999_999))).toBeUndefined();
  });

  it('are unknown where the kernel has no such family', () => {
    expect(GenericNetlink.open('nosuchfamily')).toBeUndefined();
  });
});

describe('ethtool', () => {
  it('tells driver, GRO, checksums and queues', () => {
    using world = createWorld();
    const namespace = world.namespace();
    const { a } = world.veth({ namespace }, { namespace });
    const ethtool = (...words: string[]): void => {
      const [program = '', ...args] = inNamespace(namespace, ['ethtool', ...words]);
      tool(program, args);
    };
    const read = () =>
      inNetns(namespace, () => {
        using socket = new NetlinkSocket(NETLINK_ROUTE);
        return {
          driver: driverName(socket.fd, a.name),
          gro: groOn(socket.fd, a.name),
          checksum: txChecksumOn(socket.fd, a.name),
          channels: channels(socket.fd, a.name),
        };
      });
    // Before, a veth does not tell.
    const one = kernelHas('5.14') ? { rx: 1, tx: 1 } : undefined;
    if (one !== undefined) ethtool('-L', a.name, 'rx', '1', 'tx', '1');
    const gro = !kernelHas('5.13'); // Before, it is on from the start.
    expect(read()).toEqual({ driver: 'veth', gro, checksum: true, channels: one });
    ethtool('-K', a.name, 'gro', 'on', 'tx', 'off');
    expect(read()).toMatchObject({ gro: true, checksum: false });
    using socket = new NetlinkSocket(NETLINK_ROUTE);
    expect(driverName(socket.fd, 'nobody')).toBeUndefined();
    expect(channels(socket.fd, 'lo')).toBeUndefined();
    expect(groOn(socket.fd, 'a-name-longer-than-any')).toBeUndefined();
  });
});

describe('namespaces', () => {
  it('are found by name and by process, and by the number that rtnetlink gives', async () => {
    using world = createWorld();
    const [near, far] = [world.namespace(), world.namespace()];
    world.veth({ namespace: near, name: 'p0' }, { namespace: far });
    const sleeper = spawn('unshare', ['--net', 'sh', '-c', 'echo in; exec sleep 60'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void sleeper.kill('SIGKILL'));
    await once(sleeper.stdout, 'data');
    setLink(near, 'add', 'p1', 'type', 'veth', 'peer', 'name', 'q1', 'netns', String(sleeper.pid));

    const home = statSync('/proc/self/ns/net').ino;
    const [nearInode, farInode] = [near, far].map((name) => statSync(`/run/netns/${name}`).ino);
    const nameless = statSync(`/proc/${sleeper.pid}/ns/net`).ino;
    const all = listNamespaces();
    expect(all[0]).toMatchObject({ inode: home, current: true });
    expect(all).toContainEqual({ inode: nearInode, name: near, current: false });
    expect(all).toContainEqual({ inode: nameless, pid: sleeper.pid, current: false });
    expect(new Set(all.map(({ inode }) => inode)).size).toBe(all.length);

    using _inside = enterNetns(near);
    expect(listNamespaces()[0]).toEqual({ inode: nearInode, name: near, current: true, shell: false });
    using namespaces = new NamespaceSet();
    using socket = new NetlinkSocket(NETLINK_ROUTE);
    const byId = namespaces.byNetnsId(socket);
    const behind = (name: string) => byId.get(readInterface(name, socket)!.link!.netnsId!);
    expect(behind('p0')).toEqual({ inode: farInode, name: far, current: false });
    expect(behind('p1')).toEqual({ inode: nameless, pid: sleeper.pid, current: false });
  });

  it('need not be entered to read an interface of another one', () => {
    using world = createWorld();
    const [near, far] = [world.namespace(), world.namespace()];
    const { a, b } = world.veth({ namespace: near }, { namespace: far, mtu: 1400, up: false });
    using _inside = enterNetns(near);
    using socket = new NetlinkSocket(NETLINK_ROUTE);
    const { ifindex, netnsId } = readInterface(a.name, socket)!.link!;
    expect(readInterface(ifindex, socket, netnsId)).toMatchObject({ name: b.name, mtu: 1400, up: false, mac: b.mac });
  });
});
