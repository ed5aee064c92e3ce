/** Which test files run on other kernels. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');

/** What the tool does on which kernel: for `npm test`, and the rows of the README's table. */
export const features = 'test/kernel/kernel-features.test.ts';

/** The ways to lose frames, and what debug drops says of each. */
export const losses = 'test/kernel/tracing-drops.test.ts';

/** Of the tests of the built command, those whose outcome is the kernel's doing. */
const commands = ['debug-drops', 'redirect', 'redirect-confirm', 'redirect-test', 'xsk-bind', 'xskmap'].map(
  (name) => `test/e2e/${name}.test.ts`,
);

/** @returns {string[]} every test that is worth another kernel, from the root of the checkout */
export function allSuites() {
  return [...kernelTests().filter((file) => whyLeftOut(file) === undefined), ...commands];
}

/** @returns {{ file: string, why: string }[]} the others of the kernel's tests */
export function leftOut() {
  return kernelTests().flatMap((file) => {
    const why = whyLeftOut(file);
    return why === undefined ? [] : [{ file, why }];
  });
}

function whyLeftOut(file) {
  if (file === 'test/kernel/loss-table.test.ts') return 'it is about a table that was measured on one kernel';
  // Vitest itself is not in the machines.
  return replacesModules(file) ? 'it replaces modules by means of Vitest' : undefined;
}

function kernelTests() {
  const names = readdirSync(join(root, 'test', 'kernel')).filter((name) => name.endsWith('.test.ts'));
  return names.map((name) => `test/kernel/${name}`);
}

function replacesModules(file) {
  return /\bvi\.(mock|hoisted)\(/.test(readFileSync(join(root, file), 'utf8'));
}
