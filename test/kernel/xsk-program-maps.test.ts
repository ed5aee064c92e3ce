import { expect, it, vi } from 'vitest';

import { looksUpByQueue, mapsOfAttached } from '../../src/cli/xsk/program-maps.ts';
import { loadRedirectProgram, type RedirectProgram } from '../../src/kernel/redirect-program.ts';

const replaced = vi.hoisted(() => new Map<number, number[]>());

// Kernels without freplace have no programs that replace functions of others.
vi.mock('../../src/kernel/link-list.ts', async (original) => ({
  ...(await original<object>()),
  replacementsWithin: (id: number) => replaced.get(id) ?? [],
}));

function load(object: string, key: 'queue' | 'ingress' = 'queue'): RedirectProgram {
  const config = { onMiss: 'pass', key, broadcast: false, excludeIngress: false } as const;
  return loadRedirectProgram(object, config, 4);
}

it('the maps of what a dispatcher runs are maps that the attached program uses', () => {
  using dispatcher = load('redirect_devmap');
  using component = load('redirect_xskmap');
  const { id } = dispatcher.program.info;
  expect(mapsOfAttached(id)).toContain(dispatcher.targets.info.id);
  expect(mapsOfAttached(id)).not.toContain(component.targets.info.id);
  replaced.set(id, [component.program.info.id, 2 ** 31 - 1]);
  expect(mapsOfAttached(id)).toEqual(expect.arrayContaining([dispatcher.targets.info.id, component.targets.info.id]));
  expect(mapsOfAttached(2 ** 31 - 1)).toBeUndefined();
});

it('programs of ours tell whether they look up by queue', () => {
  using byQueue = load('redirect_xskmap');
  using byIngress = load('redirect_devmap_hash', 'ingress');
  expect(looksUpByQueue(byQueue.program.info.id)).toBe(true);
  expect(looksUpByQueue(byIngress.program.info.id)).toBe(false);
  expect(looksUpByQueue(2 ** 31 - 1)).toBe(false);
});
