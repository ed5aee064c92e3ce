import { writeFileSync } from 'node:fs';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { type CommandResult, xdpctl } from '../support/command.ts';
import { Router } from '../support/router.ts';
import { TemporaryFolder } from '../support/temporary-folder.ts';

/*
 * `ip netns exec` mounts /sys anew, and what redirect attach has pinned is out of sight there: what is attached must not
 * be taken for nothing of ours.
 */

let router: Router;
let folder: TemporaryFolder;
let file: string;

beforeAll(async () => {
  router = new Router();
  folder = new TemporaryFolder();
  await router.done('attach', router.a.name, '--to', router.b.name);
  file = written('redirects.json', await router.done('export'));
});

afterAll(async () => {
  await router.clear();
  router[Symbol.dispose]();
  folder[Symbol.dispose]();
});

function written(name: string, document: unknown): string {
  const path = folder.file(name);
  writeFileSync(path, JSON.stringify(document));
  return path;
}

/** Runs `xdpctl redirect …` in the router by `ip netns exec`. */
function inside(...words: readonly string[]): CommandResult {
  return xdpctl(['redirect', ...words], { wrapper: ['ip', 'netns', 'exec', router.netns] });
}

/** What was printed, without the pins, which are hidden. */
function pinless(text: string): unknown {
  return JSON.parse(text, (key, value: unknown) => (key === 'pinned' ? undefined : value));
}

describe('where bpffs is hidden', () => {
  const hint = "hint: 'ip netns exec' makes such a namespace: use xdpctl --netns NAME instead";

  it.each([
    ['export', () => ['export']],
    ['stats', () => ['stats']],
    ['stats DEV --interval', () => ['stats', router.a.name, '--interval', '50ms', '--count', '1']],
    ['diff', () => ['diff', file]],
    ['diff --prune', () => ['diff', file, '--prune']],
  ])('%s does not tell what is ours', (_, words) => {
    const { status, stdout, stderr } = inside(...words());
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toBe(
      `error: bpffs is not mounted in this mount namespace, so what redirect attach has pinned cannot be seen\n${hint}\n`,
    );
  });

  it.each([
    ['attach', () => ['attach', router.a.name, '--to', router.c.name, '--replace']],
    ['detach', () => ['detach', router.a.name]],
    ['apply', () => ['apply', file]],
  ])('%s changes nothing', (_, words) => {
    const { status, stdout, stderr } = inside(...words());
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(/^error: bpffs is not mounted in this mount namespace/);
    expect(stderr).toContain(hint);
  });

  it('show and check, which know our programs by their maps, tell the same as elsewhere', async () => {
    const shown = (await router.redirect('show', router.a.name)).stdout;
    const hidden = inside('show', router.a.name, '-j');
    expect(hidden).toMatchObject({ status: 0, stderr: '' });
    expect(pinless(hidden.stdout)).toEqual(pinless(shown));
    const checked = inside('check', router.a.name, '-j');
    expect(checked).toMatchObject({ status: 0, stderr: '' });
    expect(pinless(checked.stdout)).toEqual(pinless((await router.redirect('check', router.a.name)).stdout));
  });

  it('test offers --netns before a mount of tracefs, which may vanish with the command', () => {
    const { status, stdout, stderr } = inside('test', router.a.name, '--transmit', '--count', '10');
    expect({ status, stdout }).toEqual({ status: 5, stdout: '' });
    expect(stderr.startsWith(`error: tracefs is not mounted in this mount namespace\n${hint}; `)).toBe(true);
  });
});

describe('where bpffs is not mounted at all', () => {
  /** The first process of its namespace, as after a boot. Mounts can lie on top of each other. */
  const script = 'while umount /sys/fs/bpf 2>/dev/null; do :; done; exec "$0" "$@"';
  const wrapper = ['unshare', '--mount', '--pid', '--fork', '--mount-proc', '--kill-child', 'sh', '-c', script];
  const there = (...words: readonly string[]): CommandResult =>
    xdpctl(['-j', '--netns', router.netns, 'redirect', ...words], { wrapper });

  it('nothing is ours, and that is no error', () => {
    expect(there('export')).toMatchObject({ status: 0, stdout: '{"xdpctl":1,"redirects":[]}\n', stderr: '' });
    const stats = there('stats');
    expect(stats).toMatchObject({ status: 0, stderr: '' });
    expect(stats.json()).toMatchObject([{ ifname: router.a.name, counted: false }]);
    const other = { xdpctl: 1, redirects: [{ dev: router.c.name, to: [router.b.name] }] };
    expect(there('diff', written('other.json', other)).json()).toMatchObject([
      { ifname: router.c.name, change: 'attach' },
    ]);
  });
});
