/** Other kernels in `npm test`: as much as its time allows of what the README's table says of each. */
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';

import { makeArchive, Missing } from './archive.mjs';
import { bundleTests } from './bundle.mjs';
import { guestEnvironment, machineColumn } from './column.mjs';
import { findProgram } from './files.mjs';
import { fetchKernel, kernels, NoKernel } from './kernels.mjs';
import { features } from './suites.mjs';

/** Of the tests of features all but those that start a compiler or the built command, which takes long there. */
const subset = '^(?!.*(xdp\\.frags|the built command))';

/** How long one of them may take; on two CPUs that have nothing else to do it is a tenth of that. */
const SECONDS = 600;

/** Programs that it takes, beside those of the tests. */
const tools = ['qemu-system-x86_64', 'busybox', 'cpio', 'apt-get', 'dpkg-deb'];

/**
 * Runs the tests of features on other kernels. What this machine, or its mirror of Debian, does not have is skipped, and
 * says why.
 *
 * @param {{ only?: string }} options a regular expression that chooses tests
 * @returns {Promise<import('../../bin/dev/vitest-step.mjs').Result[]>}
 */
export async function kernelSmoke({ only = subset } = {}) {
  const missing = tools.find((name) => findProgram(name) === undefined);
  if (process.arch !== 'x64') return [skipped('other kernels', 'they are those of x86-64 machines')];
  if (missing !== undefined) return [skipped('other kernels', `${missing} is not installed`)];
  const results = [];
  const fetched = [];
  for (const kernel of kernels) {
    try {
      fetched.push(fetchKernel(kernel));
    } catch (error) {
      const name = `Linux ${kernel.name}`;
      results.push(
        error instanceof NoKernel ? skipped(name, error.message) : { name, state: 'failed', reason: error.message },
      );
    }
  }
  if (fetched.length === 0) return results;
  const folder = mkdtempSync(join(tmpdir(), 'xdpctl-vm-'));
  try {
    const files = [features];
    const { main, bundles } = await bundleTests(files, join(folder, 'bundles'));
    const environment = { ...guestEnvironment(), XDPCTL_ONLY: only };
    const archive = makeArchive({ kernels: fetched, bundles, main, environment }, folder);
    const waiting = [...fetched];
    const work = async () => {
      for (let kernel = waiting.shift(); kernel !== undefined; kernel = waiting.shift()) {
        const column = await machineColumn(kernel, { archive, files, folder, seconds: SECONDS });
        if (column.results.some(({ state }) => state === 'failed')) console.log(column.log);
        console.log(`Linux ${kernel.release}: ${column.results.length} tests in ${column.seconds} s`);
        results.push(...column.results.map((each) => ({ ...each, name: `Linux ${kernel.name} > ${each.name}` })));
        if (column.results.length === 0) {
          results.push({ name: `Linux ${kernel.name}`, state: 'failed', reason: 'it ran no test' });
        }
      }
    };
    // Most of the time only one CPU of each machine works.
    await Promise.all([...Array(Math.min(2, availableParallelism())).keys()].map(work));
  } catch (error) {
    if (error instanceof Missing) results.push(skipped('other kernels', error.message));
    else results.push({ name: 'other kernels', state: 'failed', reason: error.message });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return results;
}

function skipped(name, reason) {
  return { name, state: 'skipped', reason };
}
