import { beforeEach, expect, it, onTestFinished } from 'vitest';

import { createPathWorld, type PathWorld } from '../support/path-world.ts';
import { runHere } from '../support/run-here.ts';
import { tool } from '../support/tool.ts';

let path: PathWorld;
/** The map of a redirect in the router's namespace. */
let map: string;
/** A namespace that has a device of the target's ifindex, which is another. */
let other: string;

beforeEach(async () => {
  path = createPathWorld();
  onTestFinished(() => path[Symbol.dispose]());
  const { router, ingress, egress, world } = path;
  other = world.namespace();
  tool('ip', ['-n', other, 'link', 'add', 'innocent', 'index', String(egress.ifindex), 'type', 'veth']);
  const words = ['--netns', router, 'redirect'];
  await runHere(...words, 'attach', ingress.name, '--to', egress.name);
  onTestFinished(async () => {
    await runHere(...words, 'detach', ingress.name);
  });
  const [shown] = (await runHere('-j', ...words, 'show', ingress.name)).json() as { maps: { id: number }[] }[];
  map = String(shown!.maps[0]!.id);
});

it('the map of a redirect names its targets in its own namespace', async () => {
  const { ifindex, name } = path.egress;
  const words = ['-j', '--netns', path.router, 'map'];
  expect((await runHere(...words, 'dump', 'id', map)).json()).toMatchObject([
    { formatted: { value: { ifindex, ifname: name } } },
  ]);
  expect((await runHere(...words, 'export', 'id', map)).json()).toMatchObject({ entries: [{ value: { dev: name } }] });
});

it('and in another one gives none of them the name of a device there that has the same number', async () => {
  const { ifindex } = path.egress;
  const words = ['--netns', other, 'map'];
  const [entry] = (await runHere('-j', ...words, 'dump', 'id', map)).json() as { formatted: { value: object } }[];
  expect(entry?.formatted.value).toMatchObject({ ifindex });
  expect(entry?.formatted.value).not.toHaveProperty('ifname');
  const key = String(path.ingress.ifindex);
  expect((await runHere(...words, 'lookup', 'id', map, 'key', key)).stdout).not.toContain('innocent');
  const exported = await runHere(...words, 'export', 'id', map);
  expect(JSON.parse(exported.stdout)).toMatchObject({ entries: [], complete: true });
  expect(exported.stderr).toContain('1 entry is left out, because an interface is not in this network namespace');
});
