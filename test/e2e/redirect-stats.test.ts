import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { startXdpctl } from '../support/command.ts';
import { sendFrames } from '../support/frames.ts';
import { Router } from '../support/router.ts';
import { runHere } from '../support/run-here.ts';

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

interface Line {
  readonly interval_s: number;
  readonly paths: readonly {
    readonly ifname: string;
    readonly keys: readonly { readonly key: number; readonly redirected: number; readonly redirected_per_s: number }[];
  }[];
}

describe('redirect stats', () => {
  it('counts exactly, by key', async () => {
    const { a, b, c } = router;
    await router.done('attach', a.name, '--to', b.name);
    await router.done('attach', b.name, '--to', c.name, '--key', '5', '--on-miss', 'drop');
    expect(await router.arrivals({ right: 300 }, { count: 300 })).toEqual({ right: 300 });
    expect(await router.arrivals({ other: 40 }, { count: 40, from: router.right })).toEqual({ other: 40 });
    const stats = (await router.done('stats')) as { ifname: string }[];
    expect(stats).toHaveLength(2);
    expect(stats.find(({ ifname }) => ifname === a.name)).toMatchObject({
      counted: true,
      keys: [{ key: a.ifindex, label: `from ${a.name}`, target: b.name, redirected: 300, missed: 0 }],
      egress: [],
    });
    expect(stats.find(({ ifname }) => ifname === b.name)).toMatchObject({
      keys: [{ key: 5, label: 'key 5', target: c.name, redirected: 40, missed: 0 }],
    });
    const { stdout } = await runHere('--netns', router.netns, 'redirect', 'stats', a.name);
    expect(stdout).toMatch(/^INTERFACE +KEY +TARGET +REDIRECTED +MISSED\n/);
    expect(stdout).toMatch(new RegExp(`^${a.name} +from ${a.name} +${b.name} +300 +0$`, 'm'));
  });

  it('begins at 0 with a new program', async () => {
    const { a, b } = router;
    await router.done('attach', a.name, '--to', b.name);
    await router.arrivals({ right: 5 }, { count: 5 });
    await router.done('attach', a.name, '--to', b.name, '--replace');
    expect(await router.done('stats', a.name)).toMatchObject([{ keys: [] }]);
  });

  it('goes on with what came each second, one object a line', async () => {
    const { a, b } = router;
    await router.done('attach', a.name, '--to', b.name);
    await router.arrivals({ right: 7 }, { count: 7 });
    const words = ['-j', '--netns', router.netns, 'redirect', 'stats', a.name, '--interval', '400ms', '--count', '3'];
    await using running = startXdpctl(words);
    await running.ready();
    sendFrames(router.left, { count: 200 });
    const result = await running.result();
    expect(result.status).toBe(0);
    const lines = result.jsonLines() as Line[];
    expect(lines).toHaveLength(3);
    // Each frame is in exactly one of the intervals.
    const came = lines.reduce(
      (sum, { interval_s, paths: [path] }) => sum + interval_s * (path?.keys[0]?.redirected_per_s ?? 0),
      0,
    );
    expect(Math.abs(came - 200)).toBeLessThan(3);
    expect(lines.at(-1)?.paths).toMatchObject([{ ifname: a.name, keys: [{ key: a.ifindex, redirected: 207 }] }]);
  });

  it('ends in order on a signal', async () => {
    await router.done('attach', router.a.name, '--to', router.b.name);
    await using running = startXdpctl(['--netns', router.netns, 'redirect', 'stats', '--interval', '20s']);
    await running.ready();
    expect(await running.stop('SIGINT')).toMatchObject({ status: 0, signal: null });
  });

  it.each([
    [['nothere'], 3],
    [['lo'], 3],
    [['lo', 'lo'], 2],
    [['--count', '0'], 2],
    [['--interval', 'often'], 2],
    [['--interval', '25h'], 2],
  ])('refuses %j', async (words, exit) => {
    expect(await router.refused('stats', ...words)).toMatchObject({ exit });
  });

  it('is empty where nothing is attached', async () => {
    expect(await router.done('stats')).toEqual([]);
  });
});
