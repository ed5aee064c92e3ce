/**
 * Divides our own code into two files, because V8 reads a file to its end before it runs any of it (15 ms a MB):
 * dist/xdpctl.cjs with what scripts call most, and dist/more.cjs with all the rest, loaded when a dynamic import()
 * leads there. Each module is in exactly one of them, so that a class is the same on both sides.
 */
import { join, relative } from 'node:path';

const entry = 'src/main.ts';

/** The modules, all of them imported dynamically, for whose sake a command should start fast. */
const frequent = [
  'src/run.ts',
  'src/cli/program.ts',
  ...['dump', 'lookup', 'update', 'delete', 'show'].map((verb) => `src/cli/map/${verb}.ts`),
];

/**
 * @param {string} root the project's folder
 * @param {(options: import('esbuild').BuildOptions) => Promise<import('esbuild').BuildResult>} bundle
 * @returns {Promise<import('esbuild').OutputFile[]>}
 */
export async function bundleInTwoParts(root, bundle) {
  const whole = await bundle({ entryPoints: [entry] });
  const graph = whole.metafile.inputs;
  const first = closure(graph, [entry, ...frequent]);
  const imports = Object.entries(graph).flatMap(([importer, { imports: list }]) =>
    list
      .filter(({ path }) => path in graph && first.has(path) !== first.has(importer))
      .map(({ path }) => ({ path, fromFirst: first.has(importer) })),
  );
  const crossings = (fromFirst) =>
    new Set(imports.filter((crossing) => crossing.fromFirst === fromFirst).map(({ path }) => path));
  const part = (name, contents, plugin) =>
    bundle({ stdin: { contents, resolveDir: root, sourcefile: name }, outfile: `dist/${name}`, outdir: undefined }, [
      plugin,
    ]);
  const parts = await Promise.all([
    part(
      'xdpctl.cjs',
      `import './${entry}';\nexport const modules = ${loaders(crossings(false))};\n`,
      elsewhere(root, (file) => first.has(file), `require('./more.cjs')`),
    ),
    part(
      'more.cjs',
      `module.exports = ${loaders(crossings(true))};\n`,
      elsewhere(root, (file) => !first.has(file), `require('./xdpctl.cjs').modules`),
    ),
  ]);
  return parts.flatMap(({ outputFiles }) => outputFiles);
}

/** The modules that are evaluated when the given ones are: what they import, except dynamically. */
function closure(graph, modules) {
  const reached = new Set();
  const queue = [...modules];
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (reached.has(file)) continue;
    reached.add(file);
    const { imports } = graph[file];
    queue.push(
      ...imports.filter(({ kind, path }) => kind === 'import-statement' && path in graph).map(({ path }) => path),
    );
  }
  return reached;
}

/** Source text of an object with a function for each module that evaluates and returns it. */
function loaders(files) {
  return `{\n${[...files].map((file) => `  ${JSON.stringify(file)}: () => require('./${file}'),\n`).join('')}}`;
}

/** Takes modules that are not `here` from the loaders of the other part. */
function elsewhere(root, here, other) {
  return {
    name: 'elsewhere',
    setup(bundler) {
      bundler.onResolve({ filter: /^\.\/(xdpctl|more)\.cjs$/ }, ({ path }) => ({ path, external: true }));
      bundler.onResolve({ filter: /^\..*\.ts$/ }, ({ path, resolveDir }) => {
        const file = relative(root, join(resolveDir, path));
        return here(file) ? undefined : { path: file, namespace: 'elsewhere' };
      });
      bundler.onLoad({ filter: /.*/, namespace: 'elsewhere' }, ({ path }) => ({
        contents: `module.exports = ${other}[${JSON.stringify(path)}]();`,
      }));
    },
  };
}
