/** Loads a TypeScript module of src/, so that scripts can read the data of the verbs. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { compileFunction } from 'node:vm';

import { build } from 'esbuild';

const root = join(import.meta.dirname, '..', '..');

/**
 * The exports of a module, bundled on the fly; the kernel is not touched by loading it.
 * @param {string} file relative to the project
 * @returns {Promise<Record<string, any>>}
 */
export async function loadSource(file) {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: [file],
    bundle: true,
    write: false,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    external: ['koffi'],
    define: { 'import.meta.dirname': '__dirname', 'import.meta.filename': '__filename' },
    supported: { 'dynamic-import': false },
    logLevel: 'warning',
  });
  const module = { exports: {} };
  const words = ['module', 'exports', 'require', '__dirname', '__filename'];
  const path = join(root, 'dist', 'loaded.cjs');
  compileFunction(outputFiles[0].text, words)(module, module.exports, createRequire(path), join(root, 'dist'), path);
  return module.exports;
}
