import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { type KernelResults, merged, readResults, summary, tableOf, withTable } from '../vm/table.mjs';

const file = 'test/kernel/kernel-features.test.ts';
const losses = 'test/kernel/tracing-drops.test.ts';

/** A run as test/vm/column.mjs gives it. */
function column(name: string, results: readonly [file: string, name: string, state: string][]): KernelResults {
  return summary({
    name,
    release: `${name}.0`,
    results: results.map(([from, title, state]) => ({ file: from, name: `${from} > ${title}`, state })),
  });
}

const lost = 'frames that are lost elsewhere > builtin';
const old = column('5.10', [
  [file, 'features of the kernel > links: yes', 'passed'],
  [file, 'features of the kernel > `xsk bind`: takes all: exit 5, Linux 5.14 is required', 'passed'],
  [losses, `${lost} > map-miss: no entry`, 'passed'],
  [losses, `${lost} > map-miss: XDP_DROP in the flags: not seen`, 'passed'],
  [losses, `${lost} > target-no-sg: frames of several buffers`, 'skipped'],
  [losses, `${lost} > misses none and knows it`, 'passed'],
  [losses, 'frames that are lost elsewhere > arrive once the command for map-miss: no entry is typed', 'passed'],
]);
const recent = column('6.12', [
  [file, 'features of the kernel > links: yes', 'failed'],
  [file, 'features of the kernel > `xsk bind`: takes all: yes', 'passed'],
  [losses, `${lost} > map-miss: no entry`, 'failed'],
]);

describe('the table of kernels', () => {
  it('has a row for each feature, and says what each kernel does', () => {
    expect(tableOf([old, recent]).split('\n')).toEqual([
      '|  | 5.10 | 6.12 |',
      '| --- | --- | --- |',
      '| links | yes | **failed** |',
      '| `xsk bind`: takes all | exit 5, Linux 5.14 is required | yes |',
      '| ways to lose frames that `builtin` tells | 1 of 2 | 0 of 1 |',
    ]);
  });

  it('counts a case that a kernel cannot make as none', () => {
    expect(old.losses).toEqual({ builtin: { told: 1, unseen: 1, absent: 1, failed: 0 } });
  });

  it('keeps what a run of other test files found', () => {
    const again = column('5.10', [[file, 'features of the kernel > links: yes', 'passed']]);
    const other = column('6.1', [[losses, `${lost} > map-miss: no entry`, 'passed']]);
    expect(merged([old, recent], [again, other])).toEqual([{ ...again, losses: old.losses }, other, recent]);
  });

  it('of the README is what the last runs have found', () => {
    const results = readResults();
    expect(results.map(({ kernel }) => kernel)).toEqual(['5.10', '6.1', '6.12', '6.18', '7.2']);
    const readme = readFileSync(join(import.meta.dirname, '..', '..', 'README.md'), 'utf8');
    expect(withTable(readme, tableOf(results))).toBe(readme);
    expect(JSON.stringify(results)).not.toMatch(/\*\*|"failed":[1-9]/);
  });

  it('stands between its marks, and touches nothing else', () => {
    const [begin, end] = ['<!-- kernels: written by `npm run test:kernels -- --record` -->', '<!-- kernels end -->'];
    const readme = `before\n${begin}\nold\n${end}\nafter\n`;
    expect(withTable(readme, 'new')).toBe(`before\n${begin}\n\nnew\n\n${end}\nafter\n`);
    expect(() => withTable('none', 'new')).toThrow('has no place');
  });
});
