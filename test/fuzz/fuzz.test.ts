import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { propertyOf } from './target.ts';
import { targets } from './targets.ts';

/** Those that ask the kernel are in test/kernel/fuzz.test.ts. */
const pure = targets.filter(({ oneIn = 1 }) => oneIn === 1);

/** Of each parser; `npm run fuzz` does a million of most. */
const CASES = 4000;
/** Milliseconds that a parser gets on a busy machine; then what has been tried must do. */
const PATIENCE = 1500;

describe('any input', () => {
  it.each(pure)('does no harm to $name', async (target) => {
    let cases = 0;
    await fc.assert(
      propertyOf(target, () => (cases += 1)),
      { numRuns: CASES, interruptAfterTimeLimit: PATIENCE, markInterruptAsFailure: false },
    );
    target.judge?.();
    expect(cases).toBeGreaterThan(0);
  });
});
