import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startXdpctl } from '../support/command.ts';
import { sendFrames } from '../support/frames.ts';
import { expectNothingNew, kernelState, type KernelState } from '../support/leaks.ts';
import { Router } from '../support/router.ts';
import { runPrefix } from '../support/run-id.ts';
import { counters } from '../support/world.ts';

/** Kills of each kind of change. */
const KILLS = { attach: 13, replace: 13, apply: 12, detach: 12, confirm: 6 };

/** Where xdpctl keeps its pins. */
const STORE = '/sys/fs/bpf/xdpctl';

let router: Router;
let untouched: KernelState;
let file: string;

beforeAll(() => {
  router = new Router();
  untouched = kernelState();
  file = join(mkdtempSync(join(tmpdir(), runPrefix())), 'redirects.json');
  writeFileSync(
    file,
    JSON.stringify({ xdpctl: 1, redirects: [{ dev: router.a.name, to: [router.c.name], on_miss: 'drop' }] }),
  );
});

afterAll(() => {
  rmSync(join(file, '..'), { recursive: true });
  router[Symbol.dispose]();
});

function redirect(...words: readonly string[]): string[] {
  return ['--netns', router.netns, 'redirect', ...words];
}

/** Starts `xdpctl redirect …`, kills it when its life is over by so much, and waits for its end. */
async function killed(words: readonly string[], milliseconds: number): Promise<void> {
  await using running = startXdpctl(redirect(...words));
  await sleep(milliseconds);
  await running.stop('SIGKILL');
}

/** How long a command takes when nobody kills it. */
async function timeOf(words: readonly string[]): Promise<number> {
  const start = performance.now();
  await using running = startXdpctl(redirect(...words));
  expect(await running.result()).toMatchObject({ status: 0 });
  return performance.now() - start;
}

/** Where frames go: to right, to other, or to the stack. */
async function forwarding(): Promise<'right' | 'other' | 'nowhere'> {
  const { left, right, other } = router;
  const received = (): number[] => [right, other].map((end) => counters(end).received);
  const [right0 = 0, other0 = 0] = received();
  sendFrames(left, { count: 5 });
  let arrived = [0, 0];
  for (const end = Date.now() + 300; Date.now() < end && arrived[0] !== 5 && arrived[1] !== 5;) {
    const [right1 = 0, other1 = 0] = received();
    arrived = [right1 - right0, other1 - other0];
  }
  expect([
    [5, 0],
    [0, 5],
    [0, 0],
  ]).toContainEqual(arrived);
  return arrived[0] === 5 ? 'right' : arrived[1] === 5 ? 'other' : 'nowhere';
}

describe('a command that is killed at any moment', () => {
  it.each([
    ['attach', [], ['attach', '--to', 'right'], 'nowhere', 'right'],
    ['replace', ['--to', 'right'], ['attach', '--to', 'other', '--replace'], 'right', 'other'],
    ['apply', ['--to', 'right'], ['apply'], 'right', 'other'],
    ['detach', ['--to', 'right'], ['detach'], 'right', 'nowhere'],
  ] as const)(
    '%s leaves the old state or the new one, and the next command succeeds',
    async (kind, first, words, old, fresh) => {
      const { a, b, c } = router;
      const names: Readonly<Record<string, string>> = { right: b.name, other: c.name };
      const real = (list: readonly string[]): string[] => list.map((word) => names[word] ?? word);
      const [verb, ...rest] = real(words);
      const command = verb === 'apply' ? ['apply', file] : [verb ?? '', a.name, ...rest];
      const begin = async (): Promise<void> => {
        await router.clear();
        if (first.length > 0) await router.done('attach', a.name, ...real(first));
      };
      await begin();
      const whole = await timeOf(command);
      for (let kill = 0; kill < KILLS[kind]; kill += 1) {
        await begin();
        // Spread over the whole of it, and a little beyond.
        await killed(command, (whole * 1.1 * (kill + Math.random())) / KILLS[kind]);
        expect([old, fresh]).toContain(await forwarding());
        // The next command finds out what is there, whatever that is, and leaves nothing behind.
        await router.clear();
        const next = await router.redirect('attach', a.name, '--to', b.name);
        expect(next).toMatchObject({ status: 0, stderr: '' });
        await router.done('detach', a.name);
      }
    },
  );
});

it('a change that nobody has confirmed is taken back after a kill at any moment, without a next command', async () => {
  const { a, b, c } = router;
  await router.clear();
  await router.done('attach', a.name, '--to', b.name);
  const words = redirect('attach', a.name, '--to', c.name, '--replace', '--confirm', '60s');
  const inode = statSync(`/run/netns/${router.netns}`).ino;
  const start = performance.now();
  await using whole = startXdpctl(words, { keepInputOpen: true });
  await whole.ready();
  const time = performance.now() - start;
  await whole.stop('SIGKILL');
  expect(await forwarding()).toBe('right');
  for (let kill = 0; kill < KILLS.confirm; kill += 1) {
    await using running = startXdpctl(words, { keepInputOpen: true });
    await sleep((time * 1.1 * (kill + Math.random())) / KILLS.confirm);
    // Its end is that of the process that guards it, which has its stderr.
    await running.stop('SIGKILL');
    expect(await forwarding()).toBe('right');
    expect(readdirSync(STORE).filter((name) => name.startsWith(`${inode}_`) && !/_[0-9]+$/.test(name))).toEqual([]);
  }
  await router.done('detach', a.name);
});

describe('two commands at once', () => {
  it('are one after the other: the second finds the device taken', async () => {
    const { a, b, c } = router;
    const words = (to: string): string[] => ['-j', ...redirect('attach', a.name, '--to', to)];
    await using one = startXdpctl(words(b.name));
    await using other = startXdpctl(words(c.name));
    const results = await Promise.all([one.result(), other.result()]);
    expect(new Set(results.map(({ status }) => status))).toEqual(new Set([0, 6]));
    expect(await forwarding()).toBe(results[0]?.status === 0 ? 'right' : 'other');
    await router.done('detach', a.name);
  });

  it('take the place of each other in any order, and nothing is lost', async () => {
    const { a, b, c } = router;
    const words = (to: string): string[] => redirect('attach', a.name, '--to', to, '--replace');
    const running = [b, c, b, c].map(({ name }) => startXdpctl(words(name)));
    const results = await Promise.all(running.map((each) => each.result()));
    expect(results.map(({ status }) => status)).toEqual([0, 0, 0, 0]);
    expect(['right', 'other']).toContain(await forwarding());
    await router.done('detach', a.name);
  });
});

it('leaves nothing behind in all this', async () => {
  await router.clear();
  await expectNothingNew(untouched);
});
