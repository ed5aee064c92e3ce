import { writeFileSync } from 'node:fs';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { PinFolder } from '../support/command.ts';
import { createPathWorld, type PathWorld } from '../support/path-world.ts';
import { runHere } from '../support/run-here.ts';
import { TemporaryFolder } from '../support/temporary-folder.ts';
import { setGro, setLink } from '../support/world.ts';

/*
 * What a command that looked into another network namespace tells the user to type is about that namespace too: each
 * command in a hint leads there.
 */

interface Scene {
  readonly path: PathWorld;
  readonly pins: PinFolder;
  readonly folder: TemporaryFolder;
  /** An interface of the router with a program that xdpctl's redirects did not attach, held by a link. */
  readonly linked: string;
}

let scene: Scene;

function here(...words: readonly string[]) {
  return runHere('-j', '--netns', scene.path.router, ...words);
}

beforeAll(async () => {
  const [path, pins, folder] = [createPathWorld(), new PinFolder(), new TemporaryFolder()];
  const linked = path.world.veth({ namespace: path.router }, { namespace: path.sink.namespace!, gro: true }).a.name;
  scene = { path, pins, folder, linked };
  writeFileSync(folder.file('empty.json'), '{}');
  writeFileSync(folder.file('nonsense'), 'nonsense');
  const redirects = [{ dev: path.egress.name, to: [path.ingress.name] }];
  writeFileSync(folder.file('redirects.json'), JSON.stringify({ xdpctl: 1, redirects }));
  for (const words of [
    ['redirect', 'attach', path.ingress.name, '--to', path.egress.name],
    ['redirect', 'attach', linked, '--to', path.egress.name, '--link'],
    ['net', 'attach', 'xdpdrv', 'builtin', 'pass', 'dev', path.egress.name],
    ['prog', 'pin', 'builtin', 'pass', pins.pin('pass')],
    ['map', 'create', pins.pin('devmap'), 'type', 'devmap', 'entries', '4'],
    ['map', 'create', pins.pin('cpumap'), 'type', 'cpumap', 'entries', '1'],
    ['map', 'create', pins.pin('xskmap'), 'type', 'xskmap', 'entries', '1'],
    ['map', 'create', pins.pin('array'), 'type', 'array', 'key', '4', 'value', '4', 'entries', '1'],
  ]) {
    const { status, stderr } = await here(...words);
    if (status !== 0) throw new Error(`${words.join(' ')}: ${stderr}`);
  }
});

afterAll(() => {
  scene.folder[Symbol.dispose]();
  scene.pins[Symbol.dispose]();
  scene.path[Symbol.dispose]();
});

/** Commands that fail or warn with a hint, and how the command in it begins after the way into the namespace. */
const cases: Readonly<Record<string, (scene: Scene) => readonly [words: readonly string[], hint: RegExp]>> = {
  'net attach beside a program': ({ path }) => [
    ['net', 'attach', 'xdpgeneric', 'builtin', 'pass', 'dev', path.egress.name],
    /^take it off first: XDPCTL net detach xdpdrv dev /,
  ],
  'net attach beside a program, in a dry run': ({ path }) => [
    ['net', 'attach', 'xdpdrv', 'builtin', 'pass', 'dev', path.egress.name, '--dry-run'],
    /^add overwrite .*: XDPCTL net detach xdpdrv dev /,
  ],
  'net detach in the wrong mode': ({ path }) => [
    ['net', 'detach', 'xdpgeneric', 'dev', path.egress.name],
    /^take it off: XDPCTL net detach xdpdrv dev /,
  ],
  'net detach of nothing': () => [['net', 'detach', 'xdpdrv', 'dev', 'lo'], /^see: XDPCTL net show$/],
  'net detach of what a link holds': ({ linked }) => [
    ['net', 'detach', 'xdpdrv', 'dev', linked],
    /^take it off: XDPCTL link detach id \d+$/,
  ],
  'net show of no interface': () => [['net', 'show', 'dev', 'none0'], /^see: EXEC ip link; --netns NAME /],
  'redirect attach of no interface': () => [['redirect', 'attach', 'none0', '--xsk'], /^see: EXEC ip link; --netns /],
  'redirect attach beside a redirect': ({ path }) => [
    ['redirect', 'attach', path.ingress.name, '--to', path.egress.name],
    /^add --replace .* take it off first: XDPCTL redirect detach \S+$/,
  ],
  'redirect attach beside a stranger': ({ path }) => [
    ['redirect', 'attach', path.egress.name, '--to', path.ingress.name],
    /^add --replace .* take it off first: XDPCTL redirect detach \S+ --force \d+$/,
  ],
  'redirect diff where another has attached': ({ folder }) => [
    ['redirect', 'diff', folder.file('redirects.json')],
    /^take it off first: XDPCTL redirect detach \S+ --force \d+$/,
  ],
  'redirect detach of a stranger': ({ path }) => [
    ['redirect', 'detach', path.egress.name],
    /^to remove it all the same: XDPCTL redirect detach \S+ --force \d+$/,
  ],
  'redirect test without --transmit': ({ path }) => [
    ['redirect', 'test', path.ingress.name],
    /^XDPCTL redirect check /,
  ],
  'redirect test without a program': () => [
    ['redirect', 'test', 'lo', '--transmit'],
    /^XDPCTL redirect attach lo --to DEV /,
  ],
  'redirect attach through an empty cpumap': ({ path, pins }) => [
    ['redirect', 'attach', path.ingress.name, '--map', pins.pin('cpumap'), '--replace'],
    /^fill it first: XDPCTL map update id \d+ key CPU value /,
  ],
  'map update with a name': ({ pins }) => [
    ['map', 'update', pins.pin('devmap'), 'key', '0', 'value', 'none0'],
    /^see: EXEC ip link; /,
  ],
  'map update with a number': ({ pins }) => [
    ['map', 'update', pins.pin('devmap'), 'key', '0', 'value', '65535'],
    /^see: EXEC ip link; /,
  ],
  'map update with 0': ({ pins }) => [
    ['map', 'update', pins.pin('devmap'), 'key', '0', 'value', '0'],
    /^an entry is removed by: XDPCTL map delete MAP key KEY$/,
  ],
  'map lookup of no entry': ({ pins }) => [
    ['map', 'lookup', pins.pin('devmap'), 'key', '0'],
    /^see: XDPCTL map dump id \d+$/,
  ],
  'map show of a program': ({ pins }) => [['map', 'show', pins.pin('pass')], /^see: XDPCTL prog show pinned /],
  'map show of no name': () => [['map', 'show', 'no_such_map'], /^see: XDPCTL map show; /],
  'map create --if-absent of another': ({ pins }) => [
    ['map', 'create', pins.pin('devmap'), 'type', 'devmap', 'entries', '5', '--if-absent'],
    /^take it away first: XDPCTL map unpin /,
  ],
  'prog show of no name': () => [['prog', 'show', 'no_such_prog'], /^see: XDPCTL prog show$/],
  'link show of a name': () => [['link', 'show', 'name', 'uplink'], /; see: XDPCTL link show$/],
  'link show of a map': ({ pins }) => [['link', 'show', pins.pin('devmap')], /^see: XDPCTL map show pinned /],
  'xsk show of no name': () => [['xsk', 'show', 'none0'], /^see: EXEC ip link, XDPCTL map show; /],
  'xsk bind to no queue': ({ path, pins }) => [
    ['xsk', 'bind', path.ingress.name, '--queue', '1', '--map', pins.pin('xskmap')],
    /: EXEC ethtool -L \S+ rx 2 /,
  ],
  'xsk bind beside a program': ({ path }) => [
    ['xsk', 'bind', path.egress.name, '--queue', '0', '--attach'],
    /^take it off first: XDPCTL net detach xdp dev /,
  ],
  'redirect diff of what is no document': ({ folder }) => [
    ['redirect', 'diff', folder.file('empty.json')],
    /^XDPCTL redirect export makes one$/,
  ],
  'map import of what is no document': ({ folder, pins }) => [
    ['map', 'import', pins.pin('devmap'), folder.file('nonsense')],
    /^documents are made by: XDPCTL map export MAP$/,
  ],
};

describe('a hint names commands that lead into the namespace of the command', () => {
  it.each(Object.entries(cases))('%s', async (_title, build) => {
    const [words, hint] = build(scene);
    const result = await here(...words);
    expect(result.status).toBeGreaterThan(0);
    const [{ error }] = result.jsonErrors() as [{ error: { hint: string } }];
    const { router } = scene.path;
    const named = error.hint
      .replaceAll(`xdpctl --netns ${router}`, 'XDPCTL')
      .replaceAll(`ip netns exec ${router}`, 'EXEC');
    expect(named).toMatch(hint);
  });

  it('so does the last line of redirect show', async () => {
    const { router, sink } = scene.path;
    setGro(sink, false);
    const { stdout } = await runHere('--netns', router, 'redirect', 'show');
    expect(stdout).toMatch(new RegExp(`: xdpctl --netns ${router} redirect check says what to do\\n$`));
  });

  it('and so do warnings', async () => {
    const { path, pins } = scene;
    const { ingress, router } = path;
    setLink(router, 'set', ingress.name, 'down');
    const words = ['xsk', 'bind', ingress.name, '--queue', '0', '--map', pins.pin('xskmap'), '--duration', '1ms'];
    expect((await here(...words)).jsonErrors()).toMatchObject([
      { warning: { hint: `ip netns exec ${router} ip link set dev ${ingress.name} up` } },
      {
        warning: {
          hint: expect.stringContaining(`xdpctl --netns ${router} redirect attach ${ingress.name} --map id:`),
        },
      },
    ]);
  });
});
