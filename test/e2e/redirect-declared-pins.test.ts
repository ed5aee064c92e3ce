import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';

import { compileBpf } from '../support/clang.ts';
import { xdpctl } from '../support/command.ts';
import { expectNothingNew, kernelState } from '../support/leaks.ts';
import { Router } from '../support/router.ts';
import { fixtureName, runPrefix } from '../support/run-id.ts';
import { tool, toolJson } from '../support/tool.ts';

/* A file of programs whose maps want to be pinned (LIBBPF_PIN_BY_NAME), as libbpf does it whoever loads the file. */

let router: Router;
let folder: string;
let object: string;
const name = fixtureName();
const pin = `/sys/fs/bpf/${name}`;

beforeAll(() => {
  router = new Router();
  folder = mkdtempSync(join(tmpdir(), runPrefix()));
  object = compileBpf(
    folder,
    'wants_pin',
    `struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__type(key, __u32);
	__type(value, __u32);
	__uint(max_entries, 4);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} ${name} SEC(".maps");
SEC("xdp") int forward(struct xdp_md *ctx) { return bpf_redirect_map(&${name}, 0, XDP_PASS); }`,
  );
});

afterEach(async () => {
  await router.clear();
  rmSync(pin, { force: true });
});

afterAll(() => {
  rmSync(folder, { recursive: true });
  router[Symbol.dispose]();
});

interface Shown {
  readonly map_ids: readonly number[];
}

function mapAt(path: string): number {
  return (toolJson('bpftool', ['-j', 'map', 'show', 'pinned', path]) as { id: number }).id;
}

describe('a map that its file wants to be pinned', () => {
  it('is pinned by attach, stays after detach, and is used again', async () => {
    const { a, b, c } = router;
    const made = (await router.done('attach', a.name, '--object', object)) as { maps: [{ id: number }] };
    expect(mapAt(pin)).toBe(made.maps[0].id);
    expect(await router.done('attach', c.name, '--object', object)).toMatchObject({ maps: [{ id: made.maps[0].id }] });
    router.tool('bpftool', 'map', 'update', 'pinned', pin, ...`key 0 0 0 0 value ${bytes(b.ifindex)}`.split(' '));
    expect(await router.arrivals({ right: 50 }, { count: 50 })).toEqual({ right: 50 });
    expect(await router.done('detach', a.name)).toMatchObject({ kept: [pin] });
    // What the second attach has found there is not its own.
    expect(await router.done('detach', c.name)).not.toHaveProperty('kept');
    expect(mapAt(pin)).toBe(made.maps[0].id);
    const { stdout } = xdpctl(['--netns', router.netns, 'redirect', 'attach', a.name, '--object', object]);
    expect(stdout).toContain('program');
    expect(await router.arrivals({ right: 50 }, { count: 50 })).toEqual({ right: 50 });
  });

  it('is filled when it is made, and never when it was there before', async () => {
    const { a, b, c } = router;
    await router.done('attach', a.name, '--object', object, '--to', b.name, '--key', '0');
    expect(await router.arrivals({ right: 50 }, { count: 50 })).toEqual({ right: 50 });
    const other = ['attach', a.name, '--object', object, '--to', c.name, '--key', '0', '--replace'];
    expect(await router.refused(...other)).toMatchObject({
      exit: 6,
      message: expect.stringContaining(`is pinned at ${pin} already`) as string,
      hint: expect.stringContaining(`map update pinned ${pin} key KEY value VALUE`) as string,
    });
    expect(await router.arrivals({ right: 50 }, { count: 50 })).toEqual({ right: 50 });
  });

  it.each([
    ['the device refuses the program', ['lo', '--object'], 5],
    ['a key is outside the map', ['--to', 'right', '--key', '9', '--object'], 2],
    ['nobody confirms', ['--confirm', '1ms', '--object'], 1],
  ])('is not left behind where %s', async (_title, words, exit) => {
    const { a, b } = router;
    const before = kernelState();
    const [first = '', ...rest] = words;
    const list = first === 'lo' ? words : [a.name, first, ...rest];
    const real = list.map((word) => (word === 'right' ? b.name : word));
    expect(await router.refused('attach', ...real, object)).toMatchObject({ exit });
    expect(existsSync(pin)).toBe(false);
    await expectNothingNew(before);
  });

  it('is used by prog load as well, also a devmap, and refused where it is another', async () => {
    const pins = ['one', 'two'].map((word) => `${pin}_${word}`);
    onTestFinished(() => pins.forEach((path) => rmSync(path, { force: true })));
    for (const path of pins) {
      expect(xdpctl(['prog', 'load', object, path])).toMatchObject({ status: 0, stderr: '' });
    }
    const ids = pins.map((path) => (toolJson('bpftool', ['-j', 'prog', 'show', 'pinned', path]) as Shown).map_ids);
    expect(ids).toEqual([[mapAt(pin)], [mapAt(pin)]]);
    rmSync(pin);
    tool('bpftool', ['map', 'create', pin, ...'type devmap key 4 value 4 entries 5 name other'.split(' ')]);
    expect(await router.refused('attach', router.a.name, '--object', object)).toMatchObject({
      exit: 6,
      message: expect.stringMatching(/pinned at .* already, with another number of entries: 5 instead of 4$/) as string,
      hint: expect.stringContaining(`map unpin ${pin}`) as string,
    });
  });

  it('is told by a dry run', async () => {
    const { a } = router;
    expect(await router.done('attach', a.name, '--object', object, '--dry-run')).toMatchObject({
      would: [expect.stringContaining('attach') as string, `pin a map at ${pin}, as the file says`],
    });
    expect(existsSync(pin)).toBe(false);
  });
});

function bytes(number: number): string {
  return [0, 8, 16, 24].map((shift) => String((number >> shift) & 0xff)).join(' ');
}
