/**
 * Lets a script import TypeScript as it is, each file where it lies (Node 20 cannot):
 *
 *     import { register } from 'node:module';
 *     register('./typescript-hooks.mjs', import.meta.url);
 *     const { … } = await import('….ts');
 */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import { transform } from 'esbuild';

/** Node's hook for what an import gives. */
export async function load(url, context, next) {
  if (!url.endsWith('.ts')) return next(url, context);
  const file = fileURLToPath(url);
  const options = { loader: 'ts', format: 'esm', target: 'node20', sourcefile: file, sourcemap: 'inline' };
  const { code } = await transform(await readFile(file, 'utf8'), options);
  return { format: 'module', source: code, shortCircuit: true };
}
