import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, it, onTestFinished, vi } from 'vitest';

import { loadEgress } from '../../src/kernel/redirect-program.ts';
import { expectNothingNew, kernelState } from '../support/leaks.ts';
import { Router } from '../support/router.ts';
import { runHere } from '../support/run-here.ts';

vi.mock('../../src/kernel/redirect-program.ts', async (original) => {
  const real = await original<typeof import('../../src/kernel/redirect-program.ts')>();
  return { ...real, loadEgress: vi.fn<typeof loadEgress>(real.loadEgress) };
});

it('of the programs of several entries none stays when a later one cannot be loaded', async () => {
  using router = new Router();
  const folder = mkdtempSync(join(tmpdir(), 'xdpctl-path-load-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const { a, b, c, netns } = router;
  const to = [
    { dev: b.name, dst_mac: '02:00:00:00:00:01' },
    { dev: c.name, dst_mac: '02:00:00:00:00:02' },
  ];
  const document = join(folder, 'document.json');
  writeFileSync(document, JSON.stringify({ xdpctl: 1, redirects: [{ dev: a.name, to, broadcast: true }] }));
  const before = kernelState();
  const { loadEgress: real } = await vi.importActual<typeof import('../../src/kernel/redirect-program.ts')>(
    '../../src/kernel/redirect-program.ts',
  );
  vi.mocked(loadEgress)
    .mockImplementationOnce(real)
    .mockImplementationOnce(() => {
      throw new Error('no memory for another');
    });
  const { status, stderr } = await runHere('--netns', netns, 'redirect', 'apply', document);
  expect(stderr).toContain('no memory for another');
  expect(status).not.toBe(0);
  await expectNothingNew(before, 2000);
});
