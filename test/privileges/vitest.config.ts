import { defineConfig } from 'vitest/config';

/** For `npm run privileges`, which is no test of `npm test`. */
export default defineConfig({
  test: {
    include: ['test/privileges/measure.test.ts'],
    testTimeout: 600_000,
    globalSetup: ['test/support/setup/kernel.ts', 'test/support/setup/built.ts'],
  },
});
