import { readFileSync } from 'node:fs';

import { defineConfig } from 'vitest/config';

const { version } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8')) as { version: string };

/**
 * Five projects: `unit` needs nothing; the others need root and change the machine's kernel state, in throw-away
 * namespaces, one file of each at a time (`npm test` runs two projects beside each other). Forks, because a native crash
 * must not take the other test files with it.
 */
export default defineConfig({
  define: { __VERSION__: JSON.stringify(version) },
  test: {
    pool: 'forks',
    coverage: { include: ['src/**'] },
    setupFiles: ['test/support/setup/fast-check.ts'],
    // For a busy machine: what hangs for good is ended by `npm test` from outside.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/*.test.ts', 'test/{domain,cli,output,ffi,tracing,dev,fuzz}/**/*.test.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: 'kernel',
          include: ['test/kernel/**/*.test.ts'],
          fileParallelism: false,
          sequence: { groupOrder: 1 },
          globalSetup: ['test/support/setup/kernel.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          fileParallelism: false,
          sequence: { groupOrder: 2 },
          globalSetup: ['test/support/setup/kernel.ts', 'test/support/setup/built.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: 'faults',
          include: ['test/faults/**/*.test.ts'],
          fileParallelism: false,
          sequence: { groupOrder: 3 },
          globalSetup: ['test/support/setup/kernel.ts', 'test/support/setup/built.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: 'soak',
          include: ['test/soak/**/*.test.ts'],
          fileParallelism: false,
          sequence: { groupOrder: 4 },
          globalSetup: ['test/support/setup/kernel.ts', 'test/support/setup/built.ts'],
        },
      },
    ],
  },
});
