/**
 * Bundles src/main.ts into the file that users run, dist/xdpctl.cjs, and what
 * it loads when it needs it: more of our own code, and each library. Writes
 * the licences of the libraries and V8's code caches beside them.
 *
 * Start-up time decides the form: CommonJS, because Node's ESM loader costs
 * 3 ms; few files, because each costs 0.4 ms to find and load; but not only
 * one, because V8 reads a file to its end before it runs any of it.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { build } from 'esbuild';

import { withCodeCache } from './code-cache.mjs';
import { licencesOf } from './licences.mjs';
import { loadSource } from './load-source.mjs';
import { withCheapNamespaces } from './namespaces.mjs';
import { bundleInParts } from './parts.mjs';

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

/** A part of the bundle has a require() of its own; Node's module for making one costs 0.7 ms. */
const ownRequire = {
  name: 'own-require',
  setup(bundler) {
    bundler.onResolve({ filter: /^node:module$/ }, ({ path }) => ({ path, namespace: 'own-require' }));
    bundler.onLoad({ filter: /.*/, namespace: 'own-require' }, () => ({
      contents: 'export const createRequire = () => require;',
    }));
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

/** Files of libraries by the words that import them. */
const libraries = new Map();

/** Of zod we use little: esbuild finds that out where it bundles it with our code. */
const NOT_APART = ['koffi', 'zod/mini'];

const librariesApart = {
  name: 'libraries-apart',
  setup(bundler) {
    bundler.onResolve({ filter: /^[^.]/ }, ({ path, kind }) => {
      if (kind === 'entry-point' || path.startsWith('node:') || NOT_APART.includes(path)) return undefined;
      libraries.set(path, `libraries/${path.replaceAll('/', '-')}.cjs`);
      return { path: `./${libraries.get(path)}`, external: true };
    });
  },
};

/** @param {import('esbuild').BuildOptions} options */
function bundle(options) {
  return build({
    absWorkingDir: root,
    outdir: 'dist',
    outExtension: { '.js': '.cjs' },
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    legalComments: 'eof',
    logLevel: 'warning',
    ...options,
  }).catch(() => process.exit(1)); // esbuild has printed the errors
}

const ownOptions = {
  external: ['koffi'],
  define: {
    __VERSION__: JSON.stringify(version),
    'import.meta.dirname': '__dirname',
    'import.meta.filename': '__filename',
  },
  // A dynamic import() becomes a lazy require().
  supported: { 'dynamic-import': false },
};
const own = await bundleInParts(root, (options, plugins = []) =>
  bundle({ ...ownOptions, plugins: [ownRequire, librariesApart, ...plugins], ...options }),
);
/** Programs of their own: for files of BPF programs that do not come with the tool, and for `--confirm`. */
const children = await bundle({
  ...ownOptions,
  plugins: [ownRequire],
  entryPoints: [
    { in: 'src/kernel/contained/child.ts', out: 'object-child' },
    { in: 'src/cli/redirect/confirm-guard-child.ts', out: 'confirm-guard' },
  ],
});
const foreign = await bundle({
  entryPoints: [...libraries].map(([words, file]) => ({ in: words, out: file.replace(/\.cjs$/, '') })),
  plugins: [withoutExecutableSubcommands],
});

mkdirSync(join(dist, 'libraries'), { recursive: true });
const { schemaDocuments } = await loadSource('src/cli/schemas.ts');
mkdirSync(join(dist, 'schema'), { recursive: true });
for (const { file, schema } of await schemaDocuments()) {
  replaceFile(join(dist, 'schema', file), `${JSON.stringify(schema, null, 2)}\n`);
}
// The file that users run comes last: it must not be newer than what it loads.
const bundled = [foreign, children, ...own.toReversed()];
const inputs = bundled.flatMap(({ metafile }) => Object.keys(metafile.inputs));
replaceFile(join(dist, 'licences.txt'), licencesOf(root, inputs));
for (const { path, text } of children.outputFiles) replaceFile(path, text);
const texts = (results, change) =>
  results.flatMap(({ outputFiles }) => outputFiles.map(({ path, text }) => ({ path, text: change(text) })));
const files = [...texts([foreign], (text) => text), ...texts(own.toReversed(), withCheapNamespaces)].map(
  ({ path, text }) => ({ path, ...withCodeCache(path, text) }),
);
mkdirSync(join(dist, 'cache'), { recursive: true });
for (const { name, cache } of files) replaceFile(join(dist, 'cache', name), cache);
for (const { path, text } of files) replaceFile(path, text);

// Parts of an earlier division, and caches of earlier texts, must not get into the package.
const current = new Set([
  ...children.outputFiles.map(({ path }) => path),
  ...files.flatMap(({ path, name }) => [path, join(dist, 'cache', name)]),
]);
for (const folder of [dist, join(dist, 'libraries'), join(dist, 'cache')]) {
  for (const entry of readdirSync(folder, { withFileTypes: true }).filter((one) => one.isFile())) {
    const path = join(folder, entry.name);
    if ((folder.endsWith('cache') || path.endsWith('.cjs')) && !current.has(path)) rmSync(path, { force: true });
  }
}
