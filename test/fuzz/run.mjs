/**
 * Feeds every parser a million inputs that are wrong, or nearly right: what grammars make, and what is left of valid
 * documents and blobs when they are cut, changed and put together anew. What must hold is in test/fuzz/targets/.
 *
 * A few parsers get one in a hundred of them (`oneIn`), because each case starts a process or changes files.
 *
 *     npm run fuzz                                  all
 *     npm run fuzz -- --runs 10000 --only words/    so many, of that one, or those whose names begin so
 *     npm run fuzz -- --seed 5                      the same inputs again
 *     npm run fuzz -- --only words/key --seed 5 --path 17:0:3     one case again
 *     npm run fuzz -- --list
 *
 * Each parser runs in a thread of its own, which is watched: an input that takes more than ten seconds of a CPU, or all
 * memory, is found as well. A case that fails is made as small as possible, and printed so that it can be pasted into a test.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';

import { build } from 'esbuild';

const root = join(import.meta.dirname, '..', '..');
/** Of this process's time on a CPU: on a busy machine a thread may not be run for a minute. */
const HANG_MS = 10_000;
const MEMORY_MIB = 1024;

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '1000000' },
    only: { type: 'string', default: '' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    path: { type: 'string' },
    list: { type: 'boolean', default: false },
  },
});
const runs = Number(values.runs);
const seed = Number(values.seed);
if (!Number.isSafeInteger(runs) || runs < 1) throw new Error(`--runs ${values.runs} is no number of cases`);
if (!Number.isSafeInteger(seed)) throw new Error(`--seed ${values.seed} is no seed`);

/** Keeps `import.meta.dirname` what it was in each source file. */
const ownFolders = {
  name: 'own-folders',
  setup(bundler) {
    bundler.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8');
      const folder = text.replaceAll('import.meta.dirname', JSON.stringify(dirname(path)));
      return { contents: folder.replaceAll('import.meta.filename', JSON.stringify(path)), loader: 'ts' };
    });
  },
};

/** Beside node_modules, where koffi is found. */
const folder = join(root, 'node_modules', '.cache', `fuzz-${process.pid}`);

async function bundle(entry) {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    bundle: true,
    write: false,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    external: ['koffi'],
    define: { __VERSION__: '"fuzz"' },
    supported: { 'dynamic-import': false },
    plugins: [ownFolders],
    logLevel: 'warning',
  });
  return outputFiles[0].text;
}

/** Milliseconds that all threads have run. */
function cpuTime() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Runs a task in a thread; what it found, or why it had to be ended. */
function perform(file, task) {
  const progress = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(file, {
    workerData: { ...task, progress },
    resourceLimits: { maxOldGenerationSizeMb: MEMORY_MIB },
  });
  return new Promise((resolve) => {
    let seen = 0;
    let since = cpuTime();
    const end = (outcome) => {
      clearInterval(timer);
      void worker.terminate();
      resolve({ ...outcome, begun: Atomics.load(progress, 0) });
    };
    const timer = setInterval(() => {
      const now = Atomics.load(progress, 0);
      if (now !== seen) [seen, since] = [now, cpuTime()];
      // Before the first case the thread loads, and after the last one other programs judge.
      else if (now > 0 && now < task.runs && cpuTime() - since > HANG_MS) end({ ended: 'it comes to no end' });
      if (process.memoryUsage.rss() > 4 * MEMORY_MIB * 2 ** 20) end({ ended: 'it takes all memory' });
    }, 250);
    worker.on('message', (result) => end({ result }));
    worker.on('error', (error) => {
      const memory = error.code === 'ERR_WORKER_OUT_OF_MEMORY';
      end({ ended: memory ? 'it takes all memory' : `${error.stack}` });
    });
  });
}

async function fuzz(file, name, cases) {
  const start = performance.now();
  const task = { name, seed, runs: cases, ...(values.path !== undefined && { path: values.path }) };
  const { result, ended, begun } = await perform(file, task);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  if (result?.failure === undefined && ended === undefined) {
    console.log(`ok      ${name.padEnd(28)} ${String(result.runs).padStart(9)} cases ${seconds.padStart(7)} s`);
    return true;
  }
  console.log(`FAILED  ${name.padEnd(28)} after ${begun} cases, ${seconds} s`);
  if (result?.failure !== undefined) {
    const { input, message, path } = result.failure;
    console.log(`  ${message.replaceAll('\n', '\n  ')}\n  input: ${input}`);
    console.log(`  again: npm run fuzz -- --only ${name} --seed ${seed}${path === null ? '' : ` --path ${path}`}`);
    return false;
  }
  const { result: found } = await perform(file, { ...task, only: begun - 1, runs: begun });
  console.log(`  ${ended}\n  input: ${found?.failure?.input ?? 'unknown'}`);
  console.log(`  again: npm run fuzz -- --only ${name} --seed ${seed} --runs ${begun}`);
  return false;
}

mkdirSync(folder, { recursive: true });
try {
  const [file, list] = [join(folder, 'worker.cjs'), join(folder, 'list.cjs')];
  writeFileSync(file, await bundle('test/fuzz/worker.ts'));
  writeFileSync(list, await bundle('test/fuzz/targets.ts'));
  const { targets } = (await import(list)).default;
  const share = new Map(targets.map(({ name, oneIn = 1 }) => [name, Math.ceil(runs / oneIn)]));
  const names = targets.map(({ name }) => name);
  const chosen = names.includes(values.only) ? [values.only] : names.filter((name) => name.startsWith(values.only));
  if (chosen.length === 0) throw new Error(`no parser's name begins with ${values.only}: see --list`);
  if (values.list) console.log(chosen.join('\n'));
  else {
    console.log(`seed ${seed}`);
    const failed = [];
    for (const name of chosen) if (!(await fuzz(file, name, share.get(name)))) failed.push(name);
    console.log(failed.length === 0 ? `${chosen.length} parsers, all well` : `failed: ${failed.join(', ')}`);
    process.exitCode = failed.length === 0 ? 0 : 1;
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
