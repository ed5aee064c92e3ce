import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, rmdirSync, statSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { BpfMap } from '../../src/kernel/map.ts';
import { builtinPath } from '../support/builtin-path.ts';
import { PinFolder } from '../support/command.ts';
import { foreignStores, heldBy, heldByOthers } from '../support/held-by-others.ts';
import { expectNothingNew, kernelState } from '../support/leaks.ts';
import { runVariable } from '../support/run-id.ts';
import { inNamespace, tool } from '../support/tool.ts';
import { createWorld } from '../support/world.ts';

const ARRAY = 2;

function makeMap(): BpfMap {
  return BpfMap.create({ type: ARRAY, name: 'held', keySize: 4, valueSize: 4, maxEntries: 1, flags: 0 });
}

/** A process that does nothing but hold a map. */
function holder(map: BpfMap, environment: NodeJS.ProcessEnv): ChildProcess & Disposable {
  const child = spawn('sleep', ['1000'], { stdio: ['ignore', 'ignore', 'ignore', map.fd], env: environment });
  return Object.assign(child, { [Symbol.dispose]: () => void child.kill('SIGKILL') });
}

describe('a map that a process holds', () => {
  const { [runVariable]: run, ...foreign } = process.env;

  it('is of others when the process is not of this run', async () => {
    const before = kernelState();
    const map = makeMap();
    const { id } = map.info;
    using process_ = holder(map, foreign);
    map[Symbol.dispose]();
    await expect.poll(() => heldBy(process_.pid ?? 0)).toContain(`map ${id}`);
    expect(heldByOthers()).toContain(`map ${id}`);
    await expectNothingNew(before);
  });

  it('is left behind when the process is of this run', async () => {
    const before = kernelState();
    const map = makeMap();
    const { id } = map.info;
    using process_ = holder(map, { ...foreign, [runVariable]: run });
    map[Symbol.dispose]();
    await expect.poll(() => heldBy(process_.pid ?? 0)).toContain(`map ${id}`);
    expect(heldByOthers()).not.toContain(`map ${id}`);
    await expect(expectNothingNew(before, 300)).rejects.toThrow(`map ${id} array held`);
  });
});

it('a pin below a folder of this run is ours, and any other is of others', () => {
  using pins = new PinFolder();
  using map = makeMap();
  const { id } = map.info;
  tool('bpftool', ['map', 'pin', 'id', String(id), pins.pin('own')]);
  expect(heldByOthers()).not.toContain(`map ${id}`);
  const other = `/sys/fs/bpf/${pins.path.slice(-10)}`;
  tool('bpftool', ['map', 'pin', 'id', String(id), other]);
  try {
    expect(heldByOthers()).toContain(`map ${id}`);
  } finally {
    tool('rm', [other]);
  }
});

it('a pin in a bpffs that only another mount namespace has is of others', async () => {
  using map = makeMap();
  const word = `map ${map.info.id}`;
  const script = `mount -t bpf bpf /sys/fs/bpf && bpftool map pin id ${map.info.id} /sys/fs/bpf/private && exec sleep 1000`;
  const child = spawn('unshare', ['--mount', 'sh', '-c', script], { stdio: 'ignore' });
  try {
    await expect.poll(() => [...heldByOthers()], { timeout: 30_000 }).toContain(word);
  } finally {
    child.kill('SIGKILL');
  }
});

it('what the tool keeps of a redirect is of others in a namespace of theirs only', async () => {
  using world = createWorld();
  const own = statSync(`/run/netns/${world.namespace()}`).ino;
  const { [runVariable]: _, ...foreign } = process.env;
  const child = spawn('unshare', ['--net', 'sleep', '1000'], { stdio: 'ignore', env: foreign });
  try {
    const theirs = (): number => statSync(`/proc/${child.pid}/ns/net`).ino;
    const ours = statSync('/proc/self/ns/net').ino;
    await expect.poll(() => theirs() === ours).toBe(false);
    expect(foreignStores()).toContain(`/sys/fs/bpf/xdpctl/${theirs()}_`);
    expect(foreignStores()).not.toContain(`/sys/fs/bpf/xdpctl/${own}_`);
    expect(foreignStores()).not.toContain(`/sys/fs/bpf/xdpctl/${statSync('/proc/self/ns/net').ino}_`);

    const before = new Set([...kernelState()].filter((thing) => thing !== 'pin /sys/fs/bpf/xdpctl'));
    using _theirs = storeOf(theirs());
    await expectNothingNew(before, 300);
    using _ours = storeOf(own);
    await expect(expectNothingNew(before, 300)).rejects.toThrow(`left behind: pin /sys/fs/bpf/xdpctl/${own}_1`);
  } finally {
    child.kill('SIGKILL');
  }
});

/** The folder that the tool makes for a redirect of the first device of a namespace. */
function storeOf(inode: number): Disposable {
  const path = `/sys/fs/bpf/xdpctl/${inode}_1`;
  mkdirSync(path, { recursive: true });
  return {
    [Symbol.dispose]: () => {
      rmdirSync(path);
      // As long as another is in it, it stays.
      if (readdirSync('/sys/fs/bpf/xdpctl').length === 0) rmdirSync('/sys/fs/bpf/xdpctl');
    },
  };
}

it('an attached program and its maps are ours in a namespace of this run only', () => {
  using pins = new PinFolder();
  using world = createWorld();
  const namespace = world.namespace();
  const { a } = world.veth({ namespace }, { namespace: world.namespace() });
  tool('bpftool', ['prog', 'load', builtinPath('redirect_devmap'), pins.pin('prog'), 'type', 'xdp']);
  const attach = ['ip', 'link', 'set', a.name, 'xdp', 'pinned', pins.pin('prog')];
  tool('env', inNamespace(namespace, attach));
  const { id, map_ids } = JSON.parse(tool('bpftool', ['-j', 'prog', 'show', 'pinned', pins.pin('prog')])) as {
    id: number;
    map_ids: number[];
  };
  const words = [`prog ${id}`, ...map_ids.map((each) => `map ${each}`)];
  expect(words.length).toBeGreaterThan(1);
  const held = heldByOthers();
  expect(words.filter((word) => held.has(word as 'map 0'))).toEqual([]);

  const name = `other${a.name.slice(-8)}`;
  tool('touch', [`/run/netns/${name}`]);
  tool('mount', ['--bind', `/run/netns/${namespace}`, `/run/netns/${name}`]);
  try {
    expect([...heldByOthers()]).toEqual(expect.arrayContaining(words));
  } finally {
    tool('ip', ['netns', 'del', name]);
  }
});
