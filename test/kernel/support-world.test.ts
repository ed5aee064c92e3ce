import { expect, test } from 'vitest';

import { countFrames, framesThrough, sendFrames } from '../support/frames.ts';
import { tool, toolJson } from '../support/tool.ts';
import { counters, createWorld, type EndOptions, newIfindex, setLink } from '../support/world.ts';

test('a world has the pair it was asked for, and leaves nothing', () => {
  let names: string[] = [];
  {
    using world = createWorld();
    const namespace = world.namespace();
    const { a, b } = world.veth({ namespace, name: 'eth7', mtu: 3000 }, { gro: true });
    names = [namespace, b.name];
    expect(a).toMatchObject({ name: 'eth7', namespace });
    expect(b.ifindex).toBeGreaterThanOrEqual(1000);
    expect(toolJson('ip', ['-n', namespace, '-j', 'link', 'show', 'eth7'])).toMatchObject([
      { ifindex: a.ifindex, mtu: 3000, operstate: 'UP' },
    ]);
    expect(tool('ethtool', ['-k', b.name])).toMatch(/^generic-receive-offload: on$/m);
  }
  expect(tool('ip', ['netns', 'list'])).not.toContain(names[0]);
  expect(() => tool('ip', ['link', 'show', names[1] ?? ''])).toThrow(/does not exist/);
});

test('frames are counted exactly, and nothing else is', async () => {
  using world = createWorld();
  const [left, right] = [world.namespace(), world.namespace()];
  const { a, b } = world.veth({ namespace: left }, { namespace: right });
  expect(await framesThrough(a, b, { count: 1000, dst: b.mac })).toBe(1000);
  expect(counters(a)).toMatchObject({ sent: 1000, received: 0 });
  expect(counters(b)).toMatchObject({ sent: 0, received: 1000 });

  await using counter = await countFrames(b);
  sendFrames(b, { count: 5 });
  sendFrames(a, { count: 3, size: 1514 });
  expect(await counter.stop()).toBe(3);
});

test('frames that cannot be sent are an error', () => {
  using world = createWorld();
  const namespace = world.namespace();
  const { a } = world.veth({ namespace }, { namespace });
  expect(() => sendFrames(a, { count: 1, size: 1515 })).toThrow('EMSGSIZE (0 of 1 frames sent)');
  setLink(namespace, 'set', a.name, 'down');
  expect(() => sendFrames(a, { count: 1 })).toThrow('ENETDOWN');
});

test('either end may be at home, or both', () => {
  using world = createWorld();
  const namespace = world.namespace();
  for (const [a, b] of [
    [{}, {}],
    [{ namespace }, {}],
    [{}, { namespace }],
    [{ namespace }, { namespace }],
  ] satisfies [EndOptions, EndOptions][]) {
    const pair = world.veth(a, b);
    expect(pair.a.namespace).toBe(a.namespace);
    expect(counters(pair.a)).toMatchObject({ sent: 0 });
    expect(counters(pair.b)).toMatchObject({ sent: 0 });
  }
});

test('no ifindex is given twice', () => {
  // Of 2,000 random numbers 34 would have been there before.
  const given = Array.from({ length: 2000 }, newIfindex);
  expect(new Set(given).size).toBe(2000);
});
