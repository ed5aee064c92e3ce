import { describe, expect, it, vi } from 'vitest';

import { runHere } from '../support/run-here.ts';
import { createWorld } from '../support/world.ts';

// A machine on which nobody uses BPF or AF_XDP yet; tests that run beside this one do.
vi.mock('../../src/kernel/object-ids.ts', async (original) => ({
  ...(await original<object>()),
  *objectIds() {},
}));
vi.mock('../../src/kernel/socket-owners.ts', async (original) => ({
  ...(await original<object>()),
  processIds: () => [],
}));

describe('a list of which there is nothing', () => {
  it.each(['map', 'prog', 'link'])('%s show says so in one word, without a header', async (object) => {
    const what = { map: 'maps', prog: 'programs', link: 'links' }[object]!;
    for (const verb of [['show'], ['list'], ['show', '--bpffs']]) {
      expect(await runHere(object, ...verb)).toMatchObject({ status: 0, stdout: `0 ${what}\n`, stderr: '' });
      expect(await runHere('-j', object, ...verb)).toMatchObject({ status: 0, stdout: '[]\n', stderr: '' });
    }
  });

  it.each([
    ['net show', '0 programs'],
    ['redirect show', 'nothing is redirected'],
    ['redirect check', 'nothing is redirected'],
    ['redirect stats', 'no interface has an XDP program'],
    ['xsk show', '0 sockets'],
  ])('%s says %s', async (words, says) => {
    using world = createWorld();
    const here = ['--netns', world.namespace(), ...words.split(' ')];
    expect(await runHere(...here)).toMatchObject({ status: 0, stdout: `${says}\n`, stderr: '' });
  });
});
