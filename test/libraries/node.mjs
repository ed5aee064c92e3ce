/** Other versions of Node.js, and the npm packages of this project for another architecture. */
import { createHash } from 'node:crypto';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { kept } from './cache.mjs';
import { must } from './must.mjs';

const project = join(import.meta.dirname, '..', '..');

/**
 * The binary alone, from the package that the npm package `node` installs.
 *
 * @param {string} version exact
 * @param {string} architecture in Node's words: `x64`, `arm64`
 * @returns {string} path of the folder that has `node`
 */
export function nodeFolder(version, architecture = process.arch) {
  const name = `node-linux-${architecture}`;
  const home = kept(`${name}_${version}`, (folder) => {
    writeFileSync(join(folder, 'package.json'), '{"private":true}\n');
    must('npm', [...quiet, '--force', '--os=linux', `--cpu=${architecture}`, 'install', `${name}@${version}`], {
      cwd: folder,
    });
  });
  return join(home, 'node_modules', name, 'bin');
}

/** What package-lock.json says, as npm installs it on another architecture. @returns {string} its node_modules */
export function nodeModules(architecture) {
  const files = ['package.json', 'package-lock.json', '.npmrc'];
  const lock = createHash('sha256')
    .update(readFileSync(join(project, 'package-lock.json')))
    .digest('hex');
  const home = kept(`packages_${architecture}_${lock.slice(0, 16)}`, (folder) => {
    for (const file of files) copyFileSync(join(project, file), join(folder, file));
    must('npm', [...quiet, '--os=linux', `--cpu=${architecture}`, '--libc=glibc', '--include=dev', 'ci'], {
      cwd: folder,
    });
  });
  return join(home, 'node_modules');
}

const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-save', '--loglevel=error'];
