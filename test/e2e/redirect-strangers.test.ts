import { existsSync } from 'node:fs';

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { libbpf } from '../../src/ffi/libbpf.ts';
import { Fd } from '../../src/kernel/fd.ts';
import { inNetns } from '../../src/kernel/netns.ts';
import { PathStore } from '../../src/kernel/path-store.ts';
import { BpfProgram } from '../../src/kernel/program.ts';
import { attachXdp } from '../../src/kernel/xdp-attachment.ts';
import { builtinPath } from '../support/builtin-path.ts';
import { PinFolder, xdpctl } from '../support/command.ts';
import { expectNothingNew, kernelState } from '../support/leaks.ts';
import { Router } from '../support/router.ts';
import { setLink } from '../support/world.ts';

let router: Router;

beforeAll(() => {
  router = new Router();
});

afterAll(() => {
  router[Symbol.dispose]();
});

afterEach(async () => {
  await router.clear();
});

/** What others attach, and how. */
const strangers: readonly [name: string, attach: () => void][] = [
  ['ip, native', () => byIp('xdpdrv')],
  ['ip, generic', () => byIp('xdpgeneric')],
  ['bpftool', byBpftool],
];

function byIp(mode: string): void {
  using folder = new PinFolder();
  router.tool('bpftool', 'prog', 'load', builtinPath('pass'), folder.pin('theirs'));
  router.tool('ip', 'link', 'set', router.a.name, mode, 'pinned', folder.pin('theirs'));
}

function byBpftool(): void {
  using folder = new PinFolder();
  router.tool('bpftool', 'prog', 'load', builtinPath('pass'), folder.pin('theirs'));
  router.tool('bpftool', 'net', 'attach', 'xdpdrv', 'pinned', folder.pin('theirs'), 'dev', router.a.name);
}

describe.each(strangers)('a program attached by %s', (_, attach) => {
  it('is neither replaced nor taken off unless its user says so', async () => {
    const { a, b } = router;
    attach();
    const theirs = router.attached(a.name);
    for (const words of [
      ['attach', a.name, '--to', b.name],
      ['attach', b.name, '--to', a.name, '--both'],
      ['detach', a.name],
    ]) {
      expect(await router.refused(...words)).toMatchObject({ exit: 6 });
      expect(router.attached(a.name)).toEqual(theirs);
    }
    expect(await router.refused('detach', a.name, '--force', String(theirs!.id + 1))).toMatchObject({ exit: 3 });
    expect(router.attached(a.name)).toEqual(theirs);

    const result = await router.redirect('attach', a.name, '--to', b.name, '--replace');
    expect(result.status).toBe(0);
    expect(await router.arrivals({ right: 50 }, { count: 50 })).toEqual({ right: 50 });
    await router.done('detach', a.name);
    expect(router.attached(a.name)).toBeUndefined();
  });
});

describe("libxdp's dispatcher", () => {
  it('is never replaced', async () => {
    const { a, b } = router;
    // r0 = XDP_PASS; exit
    const instructions = Uint8Array.from([0xb7, 0, 0, 0, 2, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0]);
    const fd = libbpf.bpf_prog_load(6, 'xdp_dispatcher', 'GPL', instructions, 2, null);
    using dispatcher = new BpfProgram(new Fd(fd));
    inNetns(router.netns, () => attachXdp(a.ifindex, dispatcher.fd, 'native'));
    for (const words of [[], ['--replace'], ['--replace', '--yes'], ['--replace', '--mode', 'generic']]) {
      expect(await router.refused('attach', a.name, '--to', b.name, ...words)).toMatchObject({
        exit: 6,
        message: expect.stringContaining(`libxdp's dispatcher attached (program ${dispatcher.info.id})`),
      });
    }
    expect(router.attached(a.name)?.id).toBe(dispatcher.info.id);
    await router.done('detach', a.name, '--force', String(dispatcher.info.id));
  });
});

describe('what is kept of a path', () => {
  it('goes with the next command when somebody has taken the program off', async () => {
    const { a, b } = router;
    const before = kernelState();
    await router.done('attach', a.name, '--to', b.name);
    router.tool('ip', 'link', 'set', a.name, 'xdpdrv', 'off');
    expect(await router.refused('detach', a.name)).toMatchObject({ exit: 3 });
    await expectNothingNew(before);
  });

  it('is not what another program in its place is taken for', async () => {
    const { a, b } = router;
    await router.done('attach', a.name, '--to', b.name);
    router.tool('ip', 'link', 'set', a.name, 'xdpdrv', 'off');
    byBpftool();
    expect(await router.refused('detach', a.name)).toMatchObject({ exit: 6 });
    expect(await router.done('export')).toEqual({ xdpctl: 1, redirects: [] });
  });

  it('goes when the device has gone, whatever namespace it was in', async () => {
    const { world, netns } = router;
    const before = kernelState();
    const other = world.namespace();
    const pair = world.veth({ namespace: other }, { namespace: other });
    await router.done('--netns', other, 'attach', pair.a.name, '--to', pair.b.name);
    const directory = inNetns(other, () => new PathStore().directory(pair.a.ifindex));
    expect(existsSync(directory)).toBe(true);
    setLink(other, 'del', pair.a.name);
    // Any command that changes redirects, in another namespace.
    expect(netns).not.toBe(other);
    expect(await router.refused('detach', router.a.name)).toMatchObject({ exit: 3 });
    expect(existsSync(directory)).toBe(false);
    router.tool('ip', 'netns', 'del', other);
    await expectNothingNew(before);
  });

  it('stays when the device only goes down', async () => {
    const { a, b } = router;
    await router.done('attach', a.name, '--to', b.name);
    setLink(a.namespace, 'set', a.name, 'down');
    expect(await router.refused('detach', b.name)).toMatchObject({ exit: 3 });
    setLink(a.namespace, 'set', a.name, 'up');
    expect(await router.arrivals({ right: 20 }, { count: 20 })).toEqual({ right: 20 });
    await router.done('detach', a.name);
  });
});

describe('somebody who is not root', () => {
  it.each([['attach', 'lo', '--to', 'lo', '--yes'], ['detach', 'lo'], ['stats'], ['export']])(
    'is told so: %s',
    async (...words) => {
      await router.done('attach', router.a.name, '--to', router.b.name);
      const result = xdpctl(['-j', 'redirect', ...words], {
        wrapper: ['setpriv', '--reuid=65534', '--clear-groups', '--'],
      });
      expect(result.status).toBe(4);
      expect(result.jsonErrors().at(-1)).toMatchObject({ error: { hint: expect.stringContaining('root') } });
    },
  );
});
