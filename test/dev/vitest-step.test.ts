import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { beforeEach, describe, expect, it, vi } from 'vitest';

import { vitestStep, type Result, type Step } from '../../bin/dev/vitest-step.mjs';

/** Runs test files the way `npm test` does, in a project of their own. */
async function run(files: Readonly<Record<string, string>>, options: Partial<Step> = {}): Promise<Result[]> {
  const root = mkdtempSync(join(tmpdir(), 'xdpctl-step-'));
  try {
    symlinkSync(join(import.meta.dirname, '..', '..', 'node_modules'), join(root, 'node_modules'));
    const project = { test: { name: 'unit', include: ['*.test.ts'] } };
    writeFileSync(
      join(root, 'vitest.config.ts'),
      `export default ${JSON.stringify({ test: { projects: [project] } })};\n`,
    );
    for (const [name, text] of Object.entries(files)) {
      writeFileSync(join(root, name), `import { beforeAll, describe, expect, test } from 'vitest';\n${text}`);
    }
    const results = await vitestStep({ root, project: 'unit', patterns: [], seconds: 60, ...options });
    return results.toSorted((one, other) => (one.name < other.name ? -1 : 1));
  } finally {
    rmSync(root, { recursive: true });
  }
}

const lost = 'no result: its process died or was killed';

describe('a run of tests', { timeout: 60_000 }, () => {
  // What the tests within the test print would be taken for ours.
  beforeEach(() => void vi.spyOn(console, 'log').mockImplementation(() => {}));

  it('tells what passed, failed, and was skipped for which reason', async () => {
    const results = await run({
      'a.test.ts': `
        test('good', () => {});
        test('bad', () => expect(1).toBe(2));
        test('not here', (context) => context.skip('no such kernel'));
        test.skip('never', () => {});`,
      'b.test.ts': `import './absent.ts';\ntest('unreachable', () => {});`,
      'c.test.ts': `describe('group', () => { beforeAll(() => { throw new Error('no set-up'); }); test('t', () => {}); });`,
    });
    expect(results).toMatchObject([
      { name: 'a.test.ts > bad', state: 'failed', reason: expect.stringContaining('expected 1 to be 2') as string },
      { name: 'a.test.ts > good', state: 'passed' },
      { name: 'a.test.ts > never', state: 'skipped' },
      { name: 'a.test.ts > not here', state: 'skipped', reason: 'no such kernel' },
      { name: 'b.test.ts > (loading the file)', state: 'failed' },
      { name: 'c.test.ts > group (set-up or clean-up)', state: 'failed', reason: 'no set-up' },
      { name: 'c.test.ts > group > t', state: 'skipped' },
    ]);
  });

  it('counts every test of a process that died as failed, or its file when none was known yet', async () => {
    const results = await run({
      'dies.test.ts': `
        test('before', () => {});
        test('crash', () => { process.kill(process.pid, 'SIGSEGV'); });
        test('after', () => {});`,
      'dies-early.test.ts': `process.kill(process.pid, 'SIGSEGV'); test('unknown', () => {});`,
      'lives.test.ts': `test('good', () => {});`,
    });
    expect(results).toMatchObject([
      { name: 'dies-early.test.ts', state: 'failed', reason: lost },
      { name: 'dies.test.ts > after', state: 'failed', reason: lost },
      { name: 'dies.test.ts > before', state: 'failed', reason: lost },
      { name: 'dies.test.ts > crash', state: 'failed', reason: lost },
      { name: 'lives.test.ts > good', state: 'passed' },
    ]);
  });

  it('ends a test that loops for ever', async () => {
    const results = await run({ 'loops.test.ts': `test('loop', () => { for (;;); });` }, { seconds: 4 });
    expect(results).toMatchObject([{ name: 'loops.test.ts > loop', state: 'failed', reason: lost }]);
  });

  it('has nothing to run where no file has such a name, but fails where there is no file at all', async () => {
    const files = { 'a.test.ts': `test('good', () => {});` };
    expect(await run(files, { patterns: ['b.test'] })).toEqual([]);
    expect(await run({})).toMatchObject([{ name: 'unit tests', state: 'failed', reason: 'Vitest: exit 1, see above' }]);
  });

  it('fails when something goes wrong outside of the tests', async () => {
    const results = await run({
      'late.test.ts': `test('good', () => { setTimeout(() => { throw new Error('late'); }, 10); return new Promise((end) => setTimeout(end, 50)); });`,
    });
    expect(results).toMatchObject([
      { name: 'late.test.ts > good', state: 'passed' },
      { name: 'unit tests', state: 'failed', reason: 'Vitest: exit 1, see above' },
    ]);
  });
});
