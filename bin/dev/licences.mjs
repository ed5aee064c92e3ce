/** Collects the licence texts of the libraries that are bundled. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/**
 * The folder of the package that a bundled file belongs to, or undefined for our own files.
 * @param {string} file path relative to the project, as esbuild's metafile gives it
 */
function packageFolder(file) {
  return /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0];
}

/** @param {string} folder absolute path of a package */
function licenceText(folder) {
  const file = readdirSync(folder).find((name) => /^(licen[cs]e|copying)/i.test(name));
  if (file === undefined) throw new Error(`${folder} is bundled but has no licence file`);
  return readFileSync(join(folder, file), 'utf8').trim();
}

/**
 * One text with name, version and licence of every bundled library, sorted by name.
 * Throws when a library has no licence file.
 * @param {string} root the project's folder
 * @param {string[]} files the bundled files, relative to root
 */
export function licencesOf(root, files) {
  const folders = [...new Set(files.map(packageFolder))].filter((folder) => folder !== undefined);
  const parts = folders.sort().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'));
    return `${name} ${version} (${license})\n\n${licenceText(join(root, folder))}\n`;
  });
  const intro = 'The files in this folder contain:\n';
  return [intro, ...parts].join(`\n${'-'.repeat(72)}\n\n`);
}
