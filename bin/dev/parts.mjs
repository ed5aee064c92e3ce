/**
 * Divides our own code into a few files, because V8 reads a file to its end before it runs any of it (15 ms a MB), and
 * each file more costs 0.4 ms to find and load. Each module is in exactly one of them, so that a class is the same
 * everywhere; a module of another file is loaded when it is used first.
 */
import { join, relative } from 'node:path';

import { build } from 'esbuild';

const entry = 'src/main.ts';

/**
 * Each part with the modules for whose sake it is there (all of a folder, where the name ends with a slash); what these
 * import, except dynamically, comes along, unless an earlier part has it. The first parts are what scripts call most.
 */
const parts = {
  xdpctl: [
    entry,
    'src/run.ts',
    'src/cli/program.ts',
    // What of lookup and attach both need.
    'src/cli/open-maps.ts',
    'src/cli/words/handle.ts',
    'src/cli/words/number.ts',
    'src/cli/words/word-list.ts',
    'src/cli/no-interface.ts',
    'src/cli/verb.ts',
    'src/domain/btf/type.ts',
    'src/domain/cpumap.ts',
    'src/domain/devmap.ts',
    'src/domain/integer.ts',
    'src/domain/kernel-feature.ts',
    'src/domain/kernel-version.ts',
    'src/kernel/interface-names.ts',
    'src/kernel/map-entries.ts',
    'src/output/outcome.ts',
  ],
  lookup: ['src/cli/map/lookup.ts'],
  // To a script, an entry that is absent is no exception.
  failure: ['src/cli/to-tool-error.ts'],
  // What entries are checked and written with, and what a target is looked at with to warn about it.
  targets: [
    'src/cli/dry-run.ts',
    'src/cli/map/entry-refusal.ts',
    'src/cli/open-program.ts',
    'src/cli/redirect/target-warnings.ts',
    'src/cli/words/program-handle.ts',
    'src/domain/target-health.ts',
    'src/kernel/builtin-objects.ts',
    'src/kernel/devices.ts',
    'src/kernel/fragment-probe.ts',
    'src/kernel/path-entries.ts',
  ],
  attach: ['src/cli/redirect/attach.ts'],
  detach: ['src/cli/redirect/detach.ts'],
  update: ['src/cli/map/update.ts', 'src/cli/map/delete.ts'],
  batch: ['src/cli/batch/file.ts'],
  // Together, because they bring zod along.
  documents: [
    'src/cli/map/export.ts',
    'src/cli/map/import.ts',
    'src/cli/redirect/document.ts',
    'src/tracing/bpftrace-output.ts',
  ],
  inventory: ['src/kernel/inventory.ts'],
  objects: ['src/cli/map/', 'src/cli/prog/', 'src/cli/link/', 'src/cli/net/'],
  redirect: ['src/cli/redirect/'],
  xsk: ['src/cli/xsk/'],
};

/** The part with all the rest. */
const rest = 'more';

/**
 * @param {string} root the project's folder
 * @param {(options: import('esbuild').BuildOptions) => Promise<import('esbuild').BuildResult>} bundle
 * @returns {Promise<import('esbuild').BuildResult[]>} of dist/xdpctl.cjs, which begins with main.ts, and of the other parts
 */
export async function bundleInParts(root, bundle) {
  const whole = await bundle({ entryPoints: [entry] });
  const graph = ownModules(whole.metafile.inputs);
  const homes = homesOf(graph);
  const names = await namesOf(root, Object.keys(graph));
  return Promise.all(
    [...new Set(homes.values())].map((part) => {
      const main = homes.get(entry) === part ? `require('./${entry}');\n` : '';
      const contents = `module.exports = ${loader(wanted(graph, homes, part))};\n${main}`;
      const stdin = { contents, resolveDir: root, sourcefile: part };
      return bundle({ stdin, outdir: undefined, outfile: `dist/${part}.cjs` }, [elsewhere(root, homes, names, part)]);
    }),
  );
}

/** The imports between our modules. A library that is not apart is bundled into each part that uses it. */
function ownModules(inputs) {
  const modules = Object.entries(inputs).filter(([file]) => isOwn(file));
  return Object.fromEntries(
    modules.map(([file, { imports }]) => [file, { imports: imports.filter(({ path }) => isOwn(path)) }]),
  );
}

function isOwn(file) {
  return file.startsWith('src/');
}

/** Which part each module is in. */
function homesOf(graph) {
  const homes = new Map();
  for (const part of [...Object.keys(parts), rest]) {
    const queue = (parts[part] ?? Object.keys(graph)).flatMap((name) => modulesOf(graph, name));
    for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
      if (homes.has(file)) continue;
      homes.set(file, part);
      const { imports } = graph[file];
      queue.push(...imports.filter(({ kind }) => kind === 'import-statement').map(({ path }) => path));
    }
  }
  return homes;
}

/** A module, or those of a folder. */
function modulesOf(graph, name) {
  const modules = Object.keys(graph).filter((file) => file === name || (name.endsWith('/') && file.startsWith(name)));
  if (modules.length === 0) throw new Error(`bin/dev/parts.mjs names ${name}, to which ${entry} does not lead`);
  return modules;
}

/** The modules of a part that modules of other parts import. */
function wanted(graph, homes, part) {
  const strangers = Object.keys(graph).filter((file) => homes.get(file) !== part);
  const imported = strangers.flatMap((file) => graph[file].imports.map(({ path }) => path));
  return new Set(imported.filter((file) => homes.get(file) === part));
}

/** Source text of a function that evaluates a module and returns it. */
function loader(files) {
  const cases = [...files].map((file) => `    case ${JSON.stringify(file)}: return require('./${file}');\n`);
  return `(file) => {\n  switch (file) {\n${cases.join('')}  }\n}`;
}

/** What each module exports. */
async function namesOf(root, entryPoints) {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints,
    outdir: 'dist',
    format: 'esm',
    write: false,
    metafile: true,
  });
  return new Map(Object.values(metafile.outputs).map(({ entryPoint, exports }) => [entryPoint, exports]));
}

/**
 * Takes the modules of other parts from its loader. What they export is copied into variables, which are as fast as a module's
 * own; esbuild's form for CommonJS would go through two getters each time.
 */
function elsewhere(root, homes, names, part) {
  return {
    name: 'elsewhere',
    setup(bundler) {
      bundler.onResolve({ filter: /^\..*\.ts$/ }, ({ path, resolveDir }) => {
        const file = relative(root, join(resolveDir, path));
        return homes.get(file) === part ? undefined : { path: file, namespace: 'elsewhere' };
      });
      bundler.onLoad({ filter: /.*/, namespace: 'elsewhere' }, ({ path }) => ({
        contents:
          `const all = require('./${homes.get(path)}.cjs')(${JSON.stringify(path)});\n` +
          names
            .get(path)
            .map((name) => `export const ${name} = all.${name}();\n`)
            .join(''),
      }));
      bundler.onResolve({ filter: /\.cjs$/, namespace: 'elsewhere' }, ({ path }) => ({ path, external: true }));
    },
  };
}
