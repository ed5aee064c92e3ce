import { existsSync, rmdirSync } from 'node:fs';

import { describe, expect, it, onTestFinished } from 'vitest';

import { observedSchemas } from '../../src/cli/redirect/observed-schemas.ts';
import { encodePair } from '../../src/domain/devmap.ts';
import { faultyObject } from '../kernel/support/lossy-path.ts';
import { PinFolder, xdpctl } from '../support/command.ts';
import { needProgram } from '../support/need.ts';
import { createPathWorld, type PathWorld } from '../support/path-world.ts';
import { runHere } from '../support/run-here.ts';
import { schemaProblems } from '../support/schema.ts';
import { inNamespace, tool, toolJson } from '../support/tool.ts';
import { setLink } from '../support/world.ts';

interface ShownPath {
  readonly ifname: string;
  readonly ifindex: number;
  readonly mode: string;
  readonly prog: { readonly id: number; readonly name: string; readonly tag: string };
  readonly components?: readonly { readonly name: string }[];
  readonly link_id?: number;
  readonly maps: readonly {
    readonly id: number;
    readonly name: string;
    readonly type: string;
    readonly max_entries: number;
    readonly used: number;
    readonly pinned: readonly string[];
    readonly entries: readonly {
      readonly key: readonly string[];
      readonly formatted: { readonly key: number; readonly value: object };
      readonly health: { readonly ok: boolean; readonly problems: readonly string[] };
    }[];
  }[];
}

function pathWorld(): PathWorld {
  const path = createPathWorld();
  onTestFinished(() => path[Symbol.dispose]());
  return path;
}

async function redirect(path: PathWorld, ...words: string[]): Promise<unknown> {
  const { status, stdout, stderr } = await runHere('-j', '--netns', path.router, 'redirect', ...words);
  expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' });
  return stdout === '' ? undefined : JSON.parse(stdout);
}

async function shown(path: PathWorld, ...words: string[]): Promise<ShownPath[]> {
  const paths = (await redirect(path, 'show', ...words)) as ShownPath[];
  expect(schemaProblems(observedSchemas['show']!, paths)).toEqual([]);
  return paths;
}

/** Attaches a program of others as other tools do. */
function attachForeign({ router, ingress }: PathWorld, program: string, mode: 'xdpdrv' | 'xdpgeneric'): PinFolder {
  const pins = new PinFolder();
  onTestFinished(() => pins[Symbol.dispose]());
  tool('bpftool', ['prog', 'loadall', faultyObject, pins.pin('progs'), 'pinmaps', pins.pin('maps')]);
  const words = ['ip', 'link', 'set', 'dev', ingress.name, mode, 'pinned', pins.pin(`progs/${program}`)];
  const [ip = '', ...args] = inNamespace(router, words);
  tool(ip, args);
  onTestFinished(() => setLink(router, 'set', 'dev', ingress.name, mode, 'off'));
  return pins;
}

/** What `ip` knows of the program on an interface. */
function byIp(
  { router }: PathWorld,
  name: string,
): { readonly mode: string; readonly id: number; readonly tag: string } {
  const [link] = toolJson('ip', ['-n', router, '-d', '-j', 'link', 'show', 'dev', name]) as {
    xdp: { mode: number; prog: { id: number; tag: string } };
  }[];
  const modes: Readonly<Record<number, string>> = { 1: 'native', 2: 'generic', 3: 'offload' };
  return { mode: modes[link!.xdp.mode] ?? '', id: link!.xdp.prog.id, tag: link!.xdp.prog.tag };
}

interface BpftoolMap {
  readonly type: string;
  readonly name?: string;
  readonly max_entries: number;
  readonly pinned?: readonly string[];
}

/** Compares what is shown with what `ip` and bpftool know. */
function expectAgreement(path: PathWorld, { ifname, mode, prog, maps }: ShownPath): void {
  expect({ mode, id: prog.id, tag: prog.tag }).toEqual(byIp(path, ifname));
  const program = toolJson('bpftool', ['-j', 'prog', 'show', 'id', String(prog.id)]) as { name: string; tag: string };
  expect(prog).toMatchObject({ name: program.name, tag: program.tag });
  for (const map of maps) {
    const known = toolJson('bpftool', ['-f', '-j', 'map', 'show', 'id', String(map.id)]) as BpftoolMap;
    expect({ type: map.type, name: map.name, max_entries: map.max_entries, pinned: map.pinned }).toEqual({
      type: known.type,
      name: known.name ?? '',
      max_entries: known.max_entries,
      pinned: known.pinned ?? [],
    });
    expect(map.used).toBe(map.entries.length);
    // The kernel reads XSKMAPs to nobody.
    for (const { key } of map.type === 'xskmap' ? [] : map.entries) {
      const words = ['-j', 'map', 'lookup', 'id', String(map.id), 'key', ...key];
      expect(toolJson('bpftool', words)).toMatchObject({ key });
    }
  }
}

describe('redirect show', () => {
  it('agrees with ip and bpftool about what attach made, there by a link and back by netlink', async () => {
    const path = pathWorld();
    const { ingress, egress } = path;
    await redirect(path, 'attach', ingress.name, '--to', egress.name, '--egress', 'builtin:pass', '--link');
    await redirect(path, 'attach', egress.name, '--cpus', '0,1', '--qsize', '300');
    const paths = await shown(path);
    expect(paths.map(({ ifname }) => ifname).toSorted()).toEqual([ingress.name, egress.name].toSorted());
    for (const each of paths) expectAgreement(path, each);
    const there = paths.find(({ ifname }) => ifname === ingress.name)!;
    const back = paths.find(({ ifname }) => ifname === egress.name)!;

    const links = toolJson('bpftool', ['-j', 'link', 'show']) as { id: number; type: string; prog_id: number }[];
    expect(links.find(({ prog_id }) => prog_id === there.prog.id)).toMatchObject({ id: there.link_id, type: 'xdp' });
    expect(back).not.toHaveProperty('link_id');
    expect(there.maps[0]!.entries).toMatchObject([
      {
        formatted: {
          key: ingress.ifindex,
          value: { ifindex: egress.ifindex, ifname: egress.name, prog: { name: 'egress' } },
        },
        health: { ok: true, problems: [] },
      },
    ]);
    expect(back.maps[0]!.entries.map(({ formatted }) => formatted)).toEqual([
      { key: 0, value: { qsize: 300 } },
      { key: 1, value: { qsize: 300 } },
    ]);
    expect(await shown(path, egress.name)).toEqual([back]);
    for (const { name } of [ingress, egress]) await redirect(path, 'detach', name);
    expect(await shown(path)).toEqual([]);
  });

  it.each(['xdpdrv', 'xdpgeneric'] as const)(
    'shows programs of others, with all their redirect maps (%s)',
    async (mode) => {
      const path = pathWorld();
      const { ingress, egress } = path;
      const pins = attachForeign(path, 'forward', mode);
      const entry = ['key', '2', '0', '0', '0', 'value', ...encodePair(egress.ifindex, 0, 8)].map(String);
      const [nsenter = '', ...words] = inNamespace(path.router, [
        'bpftool',
        'map',
        'update',
        'pinned',
        pins.pin('maps/targets'),
        ...entry,
      ]);
      tool(nsenter, words);
      const [only, ...others] = await shown(path);
      expect(others).toEqual([]);
      expectAgreement(path, only!);
      expect(only).toMatchObject({
        ifname: ingress.name,
        prog: { name: 'forward' },
        maps: [
          {
            name: 'targets',
            type: 'devmap',
            used: 1,
            pinned: [pins.pin('maps/targets')],
            entries: [{ key: ['0x02', '0x00', '0x00', '0x00'], formatted: { value: { ifname: egress.name } } }],
          },
        ],
      });
      setLink(path.router, 'set', egress.name, 'down');
      expect((await shown(path))[0]!.maps[0]!.entries[0]!.health).toEqual({ ok: false, problems: ['target-down'] });
    },
  );

  it('leaves out programs that redirect nothing, and what is in other namespaces', async () => {
    const path = pathWorld();
    const pins = attachForeign(path, 'gives_up', 'xdpdrv');
    expect(pins.path).not.toBe('');
    expect(await shown(path)).toEqual([]);
    const elsewhere = await runHere('-j', '--netns', path.sink.namespace!, 'redirect', 'show');
    expect(elsewhere).toMatchObject({ status: 0, stdout: '[]\n', stderr: '' });
  });

  it('resolves the components of a dispatcher of libxdp', async (context) => {
    needProgram(context, 'xdp-loader');
    const path = pathWorld();
    const { router, ingress } = path;
    // libxdp keeps a directory of its own, also when it fails.
    const folder = '/sys/fs/bpf/xdp';
    const wasThere = existsSync(folder);
    onTestFinished(() => {
      if (!wasThere && existsSync(folder)) rmdirSync(folder);
    });
    const load = ['xdp-loader', 'load', '-m', 'native', ingress.name, faultyObject, faultyObject];
    const [program = '', ...words] = inNamespace(router, load);
    try {
      tool(program, words);
    } catch {
      context.skip('this kernel refuses programs that replace functions of others (freplace)');
    }
    onTestFinished(() => {
      const [loader = '', ...unload] = inNamespace(router, ['xdp-loader', 'unload', ingress.name, '--all']);
      tool(loader, unload);
    });
    const [only] = await shown(path);
    expect(only).toMatchObject({ prog: { name: 'xdp_dispatcher' } });
    expect(only!.components).toHaveLength(2);
    expect(only!.maps).not.toEqual([]);
  });

  it('draws the same as table, tree, dot and Mermaid', async () => {
    const path = pathWorld();
    const { router, ingress, egress } = path;
    await redirect(path, 'attach', ingress.name, '--to', egress.name);
    const show = (...words: string[]) => xdpctl(['--netns', router, 'redirect', 'show', ...words]);
    const texts = [show(), ...['tree', 'dot', 'mermaid'].map((format) => show('--format', format))];
    for (const { status, stdout, stderr } of texts) {
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      expect(stdout).toContain(ingress.name);
      expect(stdout).toContain(egress.name);
      // No box drawing and no colour where nothing is a terminal.
      expect(stdout).toMatch(/^[\x20-\x7e\n]+$/);
    }
    expect(texts.map(({ stdout }) => stdout.split(/\s/)[0])).toEqual([
      'INTERFACE',
      ingress.name,
      'digraph',
      'flowchart',
    ]);
    expect(show('--format', 'svg')).toMatchObject({ status: 2, stdout: '' });
    expect(show('nothere')).toMatchObject({ status: 3, stdout: '' });
    await redirect(path, 'detach', ingress.name);
    expect(show()).toMatchObject({ status: 0, stdout: 'nothing is redirected\n' });
  });

  it('says what is missing where it may not look', () => {
    const unprivileged = xdpctl(['-j', 'redirect', 'show'], {
      wrapper: ['setpriv', '--bounding-set=-all', '--inh-caps=-all', '--reuid=65534', '--clear-groups', '--'],
    });
    expect(unprivileged).toMatchObject({ status: 4, stdout: '' });
    expect(unprivileged.jsonErrors()).toMatchObject([
      { error: { exit: 4, message: expect.stringContaining('CAP_SYS_ADMIN') as string } },
    ]);
  });
});
