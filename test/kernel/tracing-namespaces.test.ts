import { statSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { findingsOf } from '../../src/domain/ledger.ts';
import { readLiveSystem } from '../../src/kernel/inventory.ts';
import { startTracing } from '../../src/tracing/select.ts';
import { PinFolder } from '../support/command.ts';
import { sendFrames } from '../support/frames.ts';
import { fixtureName } from '../support/run-id.ts';
import { inNamespace, tool } from '../support/tool.ts';
import { createWorld, type End, setLink, type World } from '../support/world.ts';
import { faultyObject } from './support/lossy-path.ts';

/** The same in both namespaces, and hardly anywhere else. */
const IFINDEX = 61_234;

/** A device in a namespace of its own, with a program that loses every frame, and the other end of its wire. */
function createTwin(world: World, pins: PinFolder): { readonly namespace: string; readonly sender: End } {
  const [namespace, outside, sender] = [world.namespace(), world.namespace(), fixtureName()];
  const words = ['add', 'twin0', 'index', String(IFINDEX), 'type', 'veth', 'peer', 'name', sender, 'netns', outside];
  setLink(namespace, ...words);
  setLink(namespace, 'set', 'twin0', 'addrgenmode', 'none', 'up');
  const attach = ['ip', 'link', 'set', 'dev', 'twin0', 'xdpdrv', 'pinned', pins.pin('progs/gives_up')];
  const [ip = '', ...rest] = inNamespace(namespace, attach);
  tool(ip, rest);
  setLink(outside, 'set', sender, 'addrgenmode', 'none', 'up');
  return { namespace, sender: { name: sender, namespace: outside, ifindex: 0, mac: '' } };
}

function events(): never {
  throw new Error('tracefs was asked for');
}

describe('two interfaces with the same ifindex in two namespaces', () => {
  it('are told apart by the built-in programs, which need no tracefs', async () => {
    using world = createWorld();
    using pins = new PinFolder();
    tool('bpftool', ['prog', 'loadall', faultyObject, pins.pin('progs')]);
    const [one, other] = [createTwin(world, pins), createTwin(world, pins)];
    const netns = statSync(`/run/netns/${one.namespace}`).ino;
    await using all = await startTracing('builtin', { filter: { ifindexes: [IFINDEX] }, events });
    await using filtered = await startTracing('builtin', { filter: { ifindexes: [IFINDEX], netns }, events });
    sendFrames(one.sender, { count: 5 });
    sendFrames(other.sender, { count: 7 });
    const { counters } = await all.stop();
    const system = readLiveSystem();
    expect(findingsOf(counters, system, { ifindexes: [IFINDEX] })).toMatchObject([
      { count: 7, from: { ifindex: IFINDEX, ifname: 'twin0', netns: other.namespace } },
      { count: 5, from: { ifindex: IFINDEX, ifname: 'twin0', netns: one.namespace } },
    ]);
    // What is not asked for is not even counted.
    const asked = (await filtered.stop()).counters.filter(({ event }) => event === 'xdp_exception');
    expect(asked).toMatchObject([{ count: 5, netns }]);
  });
});
