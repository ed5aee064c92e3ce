/**
 * `npm run test:kernels`: the tests on other kernels, in virtual machines one after the other, and on the one that runs.
 *
 *     npm run test:kernels                          all tests on all kernels
 *     npm run test:kernels -- 5.10 own              on these; `own` is the one that runs
 *     npm run test:kernels -- 6.1 test/kernel/FILE  only these files
 *     npm run test:kernels -- --record              and write the table of the README from what came out
 *     npm run test:kernels -- --refresh             look for newer kernels of the suites first
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { makeArchive } from './archive.mjs';
import { bundleTests } from './bundle.mjs';
import { guestEnvironment, machineColumn, ownColumn } from './column.mjs';
import { fetchKernel, kernels } from './kernels.mjs';
import { allSuites, leftOut } from './suites.mjs';
import { record } from './table.mjs';

/** How long all tests may take on one kernel. */
const SECONDS = 3 * 3600;

const words = process.argv.slice(2);
const options = words.filter((word) => word.startsWith('--'));
const named = words.filter((word) => word.startsWith('test/'));
const chosen = words.filter((word) => !options.includes(word) && !named.includes(word));
const known = [...kernels.map(({ name }) => name), 'own'];
const unknown = [
  ...chosen.filter((word) => !known.includes(word)),
  ...options.filter((word) => !['--record', '--refresh'].includes(word)),
];
if (unknown.length > 0) {
  console.error(`unknown: ${unknown.join(', ')}; kernels are ${known.join(', ')}`);
  process.exit(2);
}
const files = named.length > 0 ? named : allSuites();
const wants = (name) => chosen.length === 0 || chosen.includes(name);

const folder = mkdtempSync(join(tmpdir(), 'xdpctl-vm-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(1));

const refresh = options.includes('--refresh');
const fetched = kernels.filter(({ name }) => wants(name)).map((kernel) => fetchKernel(kernel, { refresh }));
const { main, bundles } = await bundleTests(files, join(folder, 'bundles'));
const columns = [];
if (fetched.length > 0) {
  const archive = makeArchive({ kernels: fetched, bundles, main, environment: guestEnvironment() }, folder);
  for (const kernel of fetched)
    columns.push(tell(await machineColumn(kernel, { archive, files, folder, seconds: SECONDS })));
}
if (wants('own')) columns.push(tell(await ownColumn({ main, bundles, files, folder })));

for (const { file, why } of named.length > 0 ? [] : leftOut()) console.log(`left out: ${file}: ${why}`);
const failed = columns.filter(({ results }) => count(results, 'failed') > 0);
if (options.includes('--record')) record(columns);
process.exitCode = failed.length > 0 ? 1 : 0;

function tell(column) {
  const { name, release, results, files: times, seconds, log } = column;
  console.log(`\n== Linux ${name} (${release}) ==`);
  for (const { file, seconds: each } of times) console.log(`${String(each).padStart(7)} s  ${file}`);
  const slow = results.filter((result) => result.seconds >= 1).toSorted((a, b) => b.seconds - a.seconds);
  for (const { seconds: each, name: test } of slow.slice(0, 10)) console.log(`${String(each).padStart(7)} s  ${test}`);
  for (const state of ['skipped', 'failed']) {
    for (const each of results.filter((result) => result.state === state)) {
      console.log(`${state}: ${each.name}: ${each.reason ?? 'no reason given'}`);
    }
  }
  if (count(results, 'failed') > 0) console.log(log);
  const counts = ['passed', 'failed', 'skipped'].map((state) => `${count(results, state)} ${state}`);
  console.log(`Linux ${name}: ${counts.join(', ')} in ${seconds} s`);
  return column;
}

function count(results, state) {
  return results.filter((result) => result.state === state).length;
}
