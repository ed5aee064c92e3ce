import { readdirSync, rmSync } from 'node:fs';

import { describe, expect, it, onTestFinished } from 'vitest';

import { encodeDevmapValue } from '../../src/domain/devmap.ts';
import { encodeInteger } from '../../src/domain/integer.ts';
import type { LiveDevice, LiveSystem } from '../../src/domain/live-system.ts';
import { locatePeer, readDevice } from '../../src/kernel/devices.ts';
import { readLiveSystem } from '../../src/kernel/inventory.ts';
import { BpfMap } from '../../src/kernel/map.ts';
import { inNetns } from '../../src/kernel/netns.ts';
import { pinObject } from '../../src/kernel/pin.ts';
import { loadRedirectProgram } from '../../src/kernel/redirect-program.ts';
import { attachXdp } from '../../src/kernel/xdp-attachment.ts';
import { kernelHas } from '../support/kernel-has.ts';
import { fixtureName } from '../support/run-id.ts';
import { toolJson } from '../support/tool.ts';
import { createWorld, type End, setGro, setLink } from '../support/world.ts';

function deviceOf({ devices }: LiveSystem, { name, namespace }: End): LiveDevice | undefined {
  return devices.find((device) => device.ifname === name && device.netns.name === namespace);
}

/** Numbers of the descriptors that this process has open. */
function descriptors(): string[] {
  return readdirSync('/proc/self/fd');
}

const tellsFeatures = kernelHas('6.3');
const groPolls = kernelHas('5.13');

describe('the live system', () => {
  it('has the devices of every namespace, with both ends of each pair', () => {
    using world = createWorld();
    const before = descriptors();
    const [left, right] = [world.namespace(), world.namespace()];
    const { a, b } = world.veth({ namespace: left, mtu: 1800 }, { namespace: right });
    setGro(b, true);
    setLink(right, 'set', b.name, 'down');
    // Another pair with the same two ifindexes, in two other namespaces, as containers have them.
    const [otherLeft, otherRight] = [world.namespace(), world.namespace()];
    setLink(
      otherLeft,
      ...`add twin index ${a.ifindex} type veth peer name peer index ${b.ifindex} netns ${otherRight}`.split(' '),
    );
    const same = world.veth({ namespace: left }, { namespace: left });

    const system = readLiveSystem();
    expect(system.cpus).toBeGreaterThan(0);
    expect(system.devices[0]).toMatchObject({ ifname: 'lo', netns: { current: true } });
    expect(deviceOf(system, a)).toMatchObject({
      ifindex: a.ifindex,
      netns: { name: left, current: false },
      up: true,
      carrier: false,
      mtu: 1800,
      kind: 'veth',
      ndoXmit: 'yes',
      ndoXmitSg: tellsFeatures ? 'yes' : 'unknown',
      ...(tellsFeatures && { nativeXdp: true }),
      // Before, it is on from the start, and does not make it poll.
      gro: !groPolls,
      progIds: [],
      peer: {
        ifindex: b.ifindex,
        ifname: b.name,
        netns: { name: right },
        up: false,
        mtu: 1500,
        gro: true,
        hasXdp: !groPolls,
      },
    });
    expect(deviceOf(system, b)).toMatchObject({
      ndoXmit: 'no',
      peer: { ifname: a.name, netns: { name: left }, up: true },
    });
    const twin = system.devices.find(({ ifname, netns }) => ifname === 'twin' && netns.name === otherLeft);
    expect(twin).toMatchObject({ peer: { ifname: 'peer', netns: { name: otherRight } } });
    expect(deviceOf(system, same.a)).toMatchObject({ peer: { ifname: same.b.name, netns: { name: left } } });

    inNetns(left, () => {
      const cheap = readDevice(a.ifindex)!;
      const peer = { ifindex: b.ifindex, ifname: b.name, up: false, mtu: 1500, hasXdp: !groPolls };
      expect(cheap.peer).toEqual({ ...peer, ...(!groPolls && { groPolls }) });
      expect(locatePeer(cheap)).toEqual({
        ...deviceOf(system, a),
        // Commands are typed where the test began, and have to lead here.
        netns: { inode: deviceOf(system, a)!.netns.inode, name: left, current: true, shell: false },
      });
      expect(readDevice(999_999)).toBeUndefined();
    });
    expect(descriptors()).toEqual(before);
  });

  it('has programs, their maps, pins and entries', () => {
    using world = createWorld();
    const namespace = world.namespace();
    const { a, b } = world.veth({ namespace }, { namespace });
    // Before, that is to attach a program.
    if (groPolls) setGro(b, true);
    using loaded = loadRedirectProgram(
      'redirect_devmap_hash',
      { onMiss: 'aborted', key: 'ingress', broadcast: false, excludeIngress: false },
      undefined,
    );
    using unused = BpfMap.create({ type: 14, name: 'unused', keySize: 4, valueSize: 4, maxEntries: 8, flags: 0 });
    const pin = `/sys/fs/bpf/${fixtureName()}`;
    pinObject(loaded.targets.fd, pin);
    onTestFinished(() => {
      rmSync(pin, { force: true });
    });
    inNetns(namespace, () => {
      loaded.targets.update(encodeInteger(b.ifindex, 4), encodeDevmapValue({ ifindex: a.ifindex, prog: 0 }, 8), 0);
      attachXdp(b.ifindex, loaded.program.fd, 'native');
    });

    const system = readLiveSystem();
    const { id } = loaded.program.info;
    expect(deviceOf(system, b)).toMatchObject({ progIds: [id], xdpMode: 'native', peer: { hasXdp: false } });
    expect(deviceOf(system, a)).toMatchObject({ progIds: [], peer: { hasXdp: true, gro: true } });
    const program = system.programs.get(id)!;
    expect(program).toMatchObject({ name: 'redirect', keySource: 'ingress' });
    const shown = toolJson('bpftool', ['-j', 'prog', 'show', 'id', String(id)]) as { readonly map_ids: number[] };
    expect(program.mapIds).toEqual(shown.map_ids);
    expect(system.maps.get(loaded.targets.info.id)).toEqual({
      id: loaded.targets.info.id,
      name: 'targets',
      type: 'devmap_hash',
      maxEntries: loaded.targets.info.maxEntries,
      pinned: [pin],
      entries: [{ key: b.ifindex, ifindex: a.ifindex }],
    });
    expect(system.maps.get(loaded.counters.info.id)).toMatchObject({ type: 'percpu_array', pinned: [] });
    expect(system.maps.get(unused.info.id)).not.toHaveProperty('entries');
  });
});
