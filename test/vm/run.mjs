/**
 * `npm run test:kernels`: the tests on other kernels, in virtual machines one after the other, and on this one.
 *
 *     npm run test:kernels                    all kernels
 *     npm run test:kernels -- 5.10 6.12       these
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

import { makeArchive } from './archive.mjs';
import { bundleTests } from './bundle.mjs';
import { fetchKernel, kernels } from './kernels.mjs';
import { runMachine } from './machine.mjs';

const names = process.argv.slice(2).filter((word) => !word.startsWith('test/'));
const files = process.argv.slice(2).filter((word) => word.startsWith('test/'));

const folder = mkdtempSync(join(tmpdir(), 'xdpctl-vm-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(1));

const wanted = kernels
  .filter(({ name }) => names.length === 0 || names.includes(name))
  .map((kernel) => fetchKernel(kernel));
const { main, bundles } = await bundleTests(files, join(folder, 'bundles'));
const environment = { XDPCTL_SLOW: '10', XDPCTL_RESULTS: '/dev/ttyS1', NO_COLOR: '1' };
const archive = makeArchive({ kernels: wanted, bundles, main, environment }, folder);
for (const { name, release, image } of wanted) {
  console.log(`== ${name} (${release}) ==`);
  const begin = performance.now();
  const log = join(folder, `${name}.log`);
  const results = [];
  const problem = await runMachine({ image, archive, log, seconds: 3600 }, (result) => {
    results.push(result);
    if (result.state !== 'passed') console.log(JSON.stringify(result));
  });
  console.log(
    problem ?? 'ended',
    Math.round((performance.now() - begin) / 1000),
    's',
    results.filter(({ state }) => state === 'passed').length,
  );
  console.log(stripVTControlCharacters(readFileSync(log, 'utf8')));
}
