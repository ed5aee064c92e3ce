import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, it, onTestFinished } from 'vitest';

import { inNetns } from '../../src/kernel/netns.ts';
import { PathStore } from '../../src/kernel/path-store.ts';
import { startXdpctl, xdpctl } from '../support/command.ts';
import { expectNothingNew, kernelState } from '../support/leaks.ts';
import { runPrefix } from '../support/run-id.ts';
import { tool } from '../support/tool.ts';
import { createWorld } from '../support/world.ts';

/** So many paths take some tenths of a second, in which a signal can come. */
const PAIRS = 60;

it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
  'redirect apply stops at %s, and takes back what it had begun',
  async (signal) => {
    using world = createWorld();
    const netns = world.namespace();
    const pairs = Array.from({ length: PAIRS }, (_, index) => [`v${index}`, `w${index}`] as const);
    const lines = pairs.map(([v, w]) => `link add ${v} type veth peer name ${w}\nlink set ${v} up\nlink set ${w} up`);
    tool('ip', ['-n', netns, '-batch', '-'], { input: `${lines.join('\n')}\n` });
    const file = join(mkdtempSync(join(tmpdir(), runPrefix())), 'redirects.json');
    onTestFinished(() => rmSync(join(file, '..'), { recursive: true }));
    writeFileSync(file, JSON.stringify({ xdpctl: 1, redirects: pairs.map(([v, w]) => ({ dev: v, to: [w] })) }));
    const journal = inNetns(netns, () => {
      const { root, netns: inode } = new PathStore();
      return `${root}/${inode}_pending`;
    });
    const before = kernelState();

    await using running = startXdpctl(['-q', '--netns', netns, 'redirect', 'apply', file]);
    await expect.poll(() => entriesOf(journal), { timeout: 60_000, interval: 1 }).toBeGreaterThan(0);
    const result = await running.stop(signal);
    expect(result).toMatchObject({ status: null, signal, stdout: '' });
    expect(JSON.parse(xdpctl(['-j', '--netns', netns, 'redirect', 'export']).stdout)).toEqual({
      xdpctl: 1,
      redirects: [],
    });
    await expectNothingNew(before);
  },
);

function entriesOf(folder: string): number {
  try {
    return readdirSync(folder).length;
  } catch {
    return 0;
  }
}
