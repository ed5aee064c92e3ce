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
  'src/output/entry-writer.ts',
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
  const rest = new Set(Object.keys(graph).filter((file) => !first.has(file)));
  const part = (name, contents, plugin) =>
    bundle({ stdin: { contents, resolveDir: root, sourcefile: name }, outfile: `dist/${name}`, outdir: undefined }, [
      plugin,
    ]);
  const parts = await Promise.all([
    part(
      'xdpctl.cjs',
      `import './${entry}';\nexport const modules = ${loaders(imported(graph, rest, first))};\n`,
      elsewhere(root, rest, `require('./more.cjs')`),
    ),
    part(
      'more.cjs',
      `module.exports = ${loaders(imported(graph, first, rest))};\n`,
      elsewhere(root, first, `require('./xdpctl.cjs').modules`),
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

/** The modules of one part that the modules of the other import. */
function imported(graph, importers, part) {
  const paths = [...importers].flatMap((file) => graph[file].imports.map(({ path }) => path));
  return new Set(paths.filter((path) => part.has(path)));
}

/** Source text of an object with a function for each module that evaluates and returns it. */
function loaders(files) {
  return `{\n${[...files].map((file) => `  ${JSON.stringify(file)}: () => require('./${file}'),\n`).join('')}}`;
}

/** Takes the modules of the other part from its loaders. */
function elsewhere(root, modules, from) {
  return {
    name: 'elsewhere',
    setup(bundler) {
      bundler.onResolve({ filter: /^\.\/(xdpctl|more)\.cjs$/ }, ({ path }) => ({ path, external: true }));
      bundler.onResolve({ filter: /^\..*\.ts$/ }, ({ path, resolveDir }) => {
        const file = relative(root, join(resolveDir, path));
        return modules.has(file) ? { path: file, namespace: 'elsewhere' } : undefined;
      });
      bundler.onLoad({ filter: /.*/, namespace: 'elsewhere' }, ({ path }) => ({
        contents: `module.exports = ${from}[${JSON.stringify(path)}]();`,
      }));
    },
  };
}
