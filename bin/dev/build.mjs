/**
 * Bundles src/main.ts into the one file that users run, dist/xdpctl.cjs, and
 * writes the licences of the bundled libraries beside it.
 *
 * Start-up time decides the form: CommonJS, because Node's ESM loader costs
 * 3 ms; one file, in which a dynamic import() stays lazy.
 */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { build } from 'esbuild';

import { licencesOf } from './licences.mjs';

const root = join(import.meta.dirname, '..', '..');
const dist = join(root, 'dist');

/**
 * commander loads node:child_process (2 ms) for executable subcommands, which
 * xdpctl has none of.
 */
const withoutExecutableSubcommands = {
  name: 'without-executable-subcommands',
  setup(bundler) {
    bundler.onResolve({ filter: /^node:child_process$/ }, ({ importer }) =>
      importer.includes('/node_modules/commander/') ? { path: 'none', namespace: 'none' } : undefined,
    );
    bundler.onLoad({ filter: /.*/, namespace: 'none' }, () => ({ contents: 'module.exports = {};' }));
  },
};

/** Replaces a file in one step, so that builds and runs at the same time never see half of it. */
function replaceFile(path, contents) {
  const draft = `${path}.${process.pid}.tmp`;
  try {
    writeFileSync(draft, contents);
    renameSync(draft, path);
  } finally {
    rmSync(draft, { force: true });
  }
}

const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

const bundle = await build({
  absWorkingDir: root,
  entryPoints: ['src/main.ts'],
  outfile: 'dist/xdpctl.cjs',
  bundle: true,
  write: false,
  metafile: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  external: ['koffi'],
  legalComments: 'eof',
  define: {
    __VERSION__: JSON.stringify(version),
    'import.meta.dirname': '__dirname',
    'import.meta.filename': '__filename',
  },
  // import('koffi') becomes a lazy require(): the ESM entry of koffi loads slower.
  supported: { 'dynamic-import': false },
  plugins: [withoutExecutableSubcommands],
  logLevel: 'warning',
}).catch(() => process.exit(1)); // esbuild has printed the errors

mkdirSync(dist, { recursive: true });
replaceFile(join(dist, 'licences.txt'), licencesOf(root, Object.keys(bundle.metafile.inputs)));
replaceFile(join(dist, 'xdpctl.cjs'), bundle.outputFiles[0].contents);
