/**
 * What tests import as `vitest` inside of a virtual machine: the parts of Vitest that run and judge them, without those
 * that transform sources and start workers, which take longer there than most tests.
 */
import { setTimeout as sleep } from 'node:timers/promises';

import { ASYMMETRIC_MATCHERS_OBJECT, chai, JestAsymmetricMatchers, JestChaiExpect, JestExtend } from '@vitest/expect';
import { beforeAll as prepare } from '@vitest/runner';
import { restoreAllMocks, spyOn } from '@vitest/spy';

import { slowness } from '../../support/slowness.ts';

export { afterAll, afterEach, beforeEach, describe, it, onTestFinished, test } from '@vitest/runner';

/** Some that prepare much have a limit of their own. */
export const beforeAll: typeof prepare = (action, milliseconds) =>
  prepare(action, milliseconds === undefined ? undefined : milliseconds * slowness);

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
    // Vitest looks at it, on the kernel that runs.
    hasAssertions: (): void => {},
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
  for (const end = performance.now() + timeout * slowness; ; await sleep(interval)) {
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
    for (const end = performance.now() + timeout * slowness; !(await condition()); await sleep(interval)) {
      if (performance.now() > end) throw new Error('Timed out in waitUntil!');
    }
  },
};
