/**
 * `npm run test:libraries`: tests with other versions of libbpf, Node.js and bpftrace, and on another architecture. Ends
 * with the table of README.md.
 *
 *     npm run test:libraries                     everything
 *     npm run test:libraries -- trixie node-26   these (environments.mjs)
 *     npm run test:libraries -- arm64:pure       one group of tests there; the others' results stay
 *     npm run test:libraries -- --smoke          the newest of both and few tests, which changes no file
 *
 * A file that fails is run once more, for a machine that has other work; that it took two is noted with the results. On
 * such a machine XDPCTL_SLOW=3 multiplies all limits of waiting.
 * What cannot be fetched is said, and is no failure but in CI.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { release, tmpdir } from 'node:os';
import { join } from 'node:path';

import { runToEnd } from '../../bin/dev/run-to-end.mjs';
import { setup } from '../../bin/dev/setup.mjs';
import { environments, smoke } from './environments.mjs';
import { Unavailable } from './must.mjs';
import { mergeResult, writeReadme } from './report.mjs';

const root = join(import.meta.dirname, '..', '..');
const enterScript = join(import.meta.dirname, 'enter.sh');

/** What `npm test` takes for a skip. */
const SKIPPED = 77;

/** How long the tests of one environment may take, where nothing is emulated. */
const SECONDS = 1800;

/** By how much this machine is slower than one that has nothing else to do. */
const BUSY = Number(process.env.XDPCTL_SLOW ?? 1);

/** Tests that stop the clock or put another module in the place of one take the whole of Vitest. */
const OUT_OF_REACH = /\bvi\.(?:useFakeTimers|mock)\(/;

const words = process.argv.slice(2);
const isSmoke = words.includes('--smoke');
const known = environments.flatMap(({ name, groups }) => [
  name,
  ...Object.keys(groups).map((group) => `${name}:${group}`),
]);
const unknown = words.filter((word) => word !== '--smoke' && !known.includes(word));
if (unknown.length > 0 || (isSmoke && words.length > 1)) {
  console.error(`usage: npm run test:libraries [-- --smoke | ${environments.map(({ name }) => name).join(' | ')} …]`);
  process.exit(2);
}
if (process.getuid() !== 0) {
  console.error('error: these tests need root');
  process.exit(1);
}
if (!isSmoke) ['test', 'libraries'].forEach((purpose) => setup({ for: purpose }));

const allFiles = readdirSync(join(root, 'test'), { recursive: true })
  .map((file) => `test/${file}`)
  .filter((file) => file.endsWith('.test.ts') && !OUT_OF_REACH.test(readFileSync(join(root, file), 'utf8')))
  .toSorted();

const scratch = mkdtempSync(join(tmpdir(), 'xdpctl-libraries-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));

const chosen = isSmoke ? [smoke] : words.length === 0 ? environments : environments.flatMap(asAsked);
const build = await runToEnd([process.execPath, 'bin/dev/build.mjs'], { cwd: root, seconds: 180 });
if (build !== undefined) throw new Error(`the build failed: ${build}`);
const { bundleTests } = await import('../vm/bundle.mjs');
const files = [...new Set(chosen.flatMap(({ groups }) => Object.values(groups).flatMap(filesOf)))];
const { main, bundles } = await bundleTests(files, scratch);

/** @type {import('./report.mjs').Row[]} */
const rows = [];
for (const environment of chosen) {
  console.log(`\n== ${environment.name} ==`);
  const row = await resultsOf(environment);
  rows.push(row);
  // At once: all of them take more than an hour, and a run that is cut off can go on with the rest.
  if (!isSmoke) {
    mergeResult(row, Object.values(environment.groups).flatMap(filesOf));
    writeReadme();
  }
}
const failed = rows.filter(
  ({ groups = {}, leftBehind }) => leftBehind !== undefined || Object.values(groups).some((group) => group.failed > 0),
);
const unavailable = rows.filter((row) => row.unavailable !== undefined);
for (const { name, unavailable: why } of unavailable) console.log(`${name} cannot be had here: ${why}`);
for (const { name, groups, leftBehind } of failed)
  console.log(`${name} failed: ${JSON.stringify(groups)} ${leftBehind ?? ''}`);
if (failed.length > 0 || (unavailable.length > 0 && process.env.CI)) process.exitCode = 1;
else if (isSmoke && unavailable.length > 0) process.exitCode = SKIPPED;

/** The environment with those of its groups that the command line names. */
function asAsked(environment) {
  const { name, groups } = environment;
  if (words.includes(name)) return [environment];
  const asked = Object.entries(groups).filter(([group]) => words.includes(`${name}:${group}`));
  return asked.length === 0 ? [] : [{ ...environment, groups: Object.fromEntries(asked) }];
}

/** The test files whose paths begin with one of these. */
function filesOf(prefixes) {
  return allFiles.filter((file) => prefixes.some((prefix) => file.startsWith(prefix)));
}

/** @returns {Promise<import('./report.mjs').Row>} */
async function resultsOf({ name, groups, enter, slowness = 1 }) {
  let entered;
  try {
    entered = enter();
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    return { name, unavailable: error.message };
  }
  const { words: places = [], path = [] } = entered;
  const file = join(scratch, `${name}.jsonl`);
  const env = {
    PATH: [...path, process.env.PATH].join(':'),
    OWN_BPFFS: 'yes',
    NO_COLOR: '1',
    NODE_EXTRA_CA_CERTS: '',
    XDPCTL_RESULTS: file,
    XDPCTL_SLOW: String(slowness * BUSY),
  };
  const inside = (...command) => ['unshare', '--mount', 'sh', enterScript, ...places, '--', ...command];
  /** @param {string[]} wanted */
  const run = async (wanted) => {
    rmSync(file, { force: true });
    const ours = bundles.filter((_, index) => wanted.includes(files[index]));
    const problem = await runToEnd(inside('node', main, ...ours), {
      cwd: root,
      seconds: SECONDS * slowness * BUSY,
      env,
    });
    if (problem !== undefined) console.log(problem);
    return readLines(file);
  };
  const mine = Object.values(groups).flatMap(filesOf);
  const first = await run(mine);
  const bad = mine.filter((each) => countsOf([each], first).failed > 0);
  if (bad.length > 0) console.log(`\n-- once more: ${bad.join(' ')} --`);
  const second = bad.length > 0 ? await run(bad) : [];
  const results = [...first.filter((result) => !bad.includes(result.file)), ...second];
  const again = bad.filter((each) => countsOf([each], second).failed === 0);
  const leftBehind = results.find((result) => result.file === 'all' && result.state === 'failed')?.reason;
  return {
    name,
    kernel: release(),
    emulated: slowness > 1,
    ...factsOf(inside, env),
    groups: Object.fromEntries(
      Object.entries(groups).map(([group, prefixes]) => [group, countsOf(filesOf(prefixes), results)]),
    ),
    ...(again.length > 0 && { again }),
    ...(leftBehind !== undefined && { leftBehind }),
  };
}

function readLines(file) {
  try {
    return readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
  } catch (error) {
    if (error.code === 'ENOENT') return [];
    throw error;
  }
}

/** A file that did not end well has failed, whatever its tests said before. */
function countsOf(names, results) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const name of names) {
    const ofFile = results.filter(({ file }) => file === name);
    for (const { state } of ofFile.filter((result) => result.state !== undefined)) counts[state] += 1;
    const ended = ofFile.find((result) => result.ended !== undefined)?.ended;
    if (ended === 0 || ofFile.some(({ state }) => state === 'failed')) continue;
    console.log(`${name} did not end well: ${ended ?? 'it was not run'}`);
    counts.failed += 1;
  }
  return counts;
}

/** Which versions these are, from what they say themselves. */
function factsOf(inside, env) {
  const script = `
    const { header } = process.report.getReport();
    console.log(JSON.stringify({ node: process.versions.node, arch: process.arch, glibc: header.glibcVersionRuntime }));`;
  const ask = (...command) => {
    const [program, ...args] = inside(...command);
    return spawnSync(program, args, { cwd: root, env: { ...process.env, ...env }, encoding: 'utf8' }).stdout.trim();
  };
  const { libbpf_version: libbpf } = JSON.parse(ask(join(root, 'bin', 'xdpctl'), '-j', 'version'));
  const bpftrace = ask('bpftrace', '--version').replace(/^bpftrace v/, '');
  return { ...JSON.parse(ask('node', '-e', script)), libbpf, bpftrace };
}
