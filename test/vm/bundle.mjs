/** Test files as one file each, which runs where there is no Vitest: see guest/vitest.ts. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import { build } from 'esbuild';

const root = join(import.meta.dirname, '..', '..');
const guest = join(import.meta.dirname, 'guest');
const require = createRequire(import.meta.url);

/** Sources look for files beside them. */
const ownPlace = {
  name: 'own-place',
  setup(bundler) {
    bundler.onLoad({ filter: /\.m?[jt]s$/ }, ({ path }) => {
      if (path.includes('/node_modules/')) return undefined;
      const contents = readFileSync(path, 'utf8')
        .replaceAll('import.meta.dirname', JSON.stringify(dirname(path)))
        .replaceAll('import.meta.filename', JSON.stringify(path))
        // The only limits of waiting of the tool itself that emulation comes near.
        .replace(/^export const (\w+Limit) = ([\d_]+);$/gm, (_, name, limit) =>
          path.endsWith('/tracing/limits.ts')
            ? `export const ${name} = ${limit} * Number(process.env.XDPCTL_SLOW ?? 1);`
            : _,
        );
      return { contents, loader: path.endsWith('.ts') ? 'ts' : 'js' };
    });
  },
};

/** koffi has a library of its own; the bundles lie elsewhere, so by its path. */
const whereItIs = {
  name: 'where-it-is',
  setup(bundler) {
    bundler.onResolve({ filter: /^koffi$/ }, () => ({ path: require.resolve('koffi'), external: true }));
  },
};

/** The name of the plugin and its namespace. */
const ENTRY = 'bundle';

const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/**
 * @param {string[]} files test files, from the root of the checkout
 * @param {string} folder where to put the bundles
 * @returns {Promise<{ main: string, bundles: string[] }>} main runs them
 */
export async function bundleTests(files, folder) {
  const names = files.map((file) => file.replaceAll('/', '!'));
  const entries = new Map([
    ['main', `import './main.ts';`],
    ...files.map((file, index) => [names[index], entryOf(file)]),
  ]);
  await build({
    absWorkingDir: root,
    // All in one go, which reads and translates each source once.
    entryPoints: [...entries.keys()].map((name) => ({ in: `${ENTRY}:${name}`, out: name })),
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    alias: { vitest: join(guest, 'vitest.ts') },
    define: { __VERSION__: JSON.stringify(version) },
    // Libraries that are no modules ask for Node's own ones by require().
    banner: {
      js: `import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);`,
    },
    plugins: [entriesOf(entries), ownPlace, whereItIs],
    logLevel: 'error',
  });
  return { main: join(folder, 'main.mjs'), bundles: names.map((name) => join(folder, `${name}.mjs`)) };
}

function entryOf(file) {
  return `
    import { runFile } from './run-file.ts';
    await runFile(${JSON.stringify(file)}, () => import(${JSON.stringify(join(root, file))}));
  `;
}

/** What begins each bundle lies in no file. */
function entriesOf(entries) {
  const isEntry = new RegExp(`^${ENTRY}:`);
  return {
    name: ENTRY,
    setup(bundler) {
      bundler.onResolve({ filter: isEntry }, ({ path }) => ({ path: path.replace(isEntry, ''), namespace: ENTRY }));
      bundler.onLoad({ filter: /./, namespace: ENTRY }, ({ path }) => ({
        contents: entries.get(path),
        resolveDir: guest,
      }));
    },
  };
}
