import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { propertyOf } from '../fuzz/target.ts';
import { targets } from '../fuzz/targets.ts';

/** Parsers that start a process, read what there is on this machine, or change files; `npm run fuzz` has more time. */
const slow = targets.filter(({ oneIn = 1 }) => oneIn > 1);
const PATIENCE = 2000;

describe('any input', () => {
  it.each(slow)('does no harm to $name', async (target) => {
    let cases = 0;
    await fc.assert(
      propertyOf(target, () => (cases += 1)),
      { numRuns: 1000, interruptAfterTimeLimit: PATIENCE, markInterruptAsFailure: false },
    );
    expect(cases).toBeGreaterThan(0);
  });
});
