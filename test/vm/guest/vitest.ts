/**
 * What tests import as `vitest` inside of a virtual machine: the parts of Vitest that run and judge them, without those
 * that transform sources and start workers, which take longer there than most tests.
 */
import { setTimeout as sleep } from 'node:timers/promises';

import { ASYMMETRIC_MATCHERS_OBJECT, chai, JestAsymmetricMatchers, JestChaiExpect, JestExtend } from '@vitest/expect';
import { restoreAllMocks, spyOn } from '@vitest/spy';

export { afterAll, afterEach, beforeAll, beforeEach, describe, it, onTestFinished, test } from '@vitest/runner';

chai.use(JestExtend);
chai.use(JestChaiExpect);
chai.use(JestAsymmetricMatchers);

interface Patience {
  readonly timeout?: number;
  readonly interval?: number;
}

type Matchers = Record<string, (...args: unknown[]) => unknown>;

const judge = (value: unknown, message?: string): unknown => chai.expect(value, message);

export const expect: unknown = Object.assign(
  judge,
  chai.expect,
  (globalThis as unknown as Record<symbol, object>)[ASYMMETRIC_MATCHERS_OBJECT],
  {
    // Only what is asked for in this project: matchers directly behind it.
    poll: (ask: () => unknown, patience: Patience = {}): unknown =>
      new Proxy(
        {},
        {
          get:
            (_, matcher) =>
            (...args: unknown[]) =>
              keepAsking(ask, String(matcher), args, patience),
        },
      ),
  },
);

async function keepAsking(
  ask: () => unknown,
  matcher: string,
  args: readonly unknown[],
  { timeout = 1000, interval = 50 }: Patience,
): Promise<void> {
  for (const end = performance.now() + timeout; ; await sleep(interval)) {
    try {
      const matchers = judge(await ask()) as Matchers;
      return void (await matchers[matcher]?.(...args));
    } catch (error) {
      if (performance.now() > end) throw error;
    }
  }
}

export const vi: unknown = {
  spyOn,
  restoreAllMocks,
  async waitUntil(condition: () => unknown, { timeout = 1000, interval = 50 }: Patience = {}): Promise<void> {
    for (const end = performance.now() + timeout; !(await condition()); await sleep(interval)) {
      if (performance.now() > end) throw new Error('Timed out in waitUntil!');
    }
  },
};
