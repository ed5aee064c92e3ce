/**
 * Makes the manual pages in man/ from the data of the verbs, and lists them in package.json.
 *
 *     npm run man               writes the pages that changed
 *     npm run man -- --check    writes nothing, and fails when a page is not what the data say
 */
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { loadSource } from './load-source.mjs';

const root = join(import.meta.dirname, '..', '..');
const folder = join(root, 'man');
const packageFile = join(root, 'package.json');

const words = process.argv.slice(2);
if (words.length > 1 || (words.length === 1 && words[0] !== '--check')) {
  console.error('usage: npm run man [-- --check]');
  process.exit(2);
}
const checking = words.length === 1;

/** The date of a version, from its heading in the change log. */
function dateOf(version) {
  const text = readFileSync(join(root, 'CHANGELOG.md'), 'utf8');
  const [, date] =
    new RegExp(`^## ${version.replaceAll('.', '\\.')} \\((\\d{4}-\\d{2}-\\d{2})\\)$`, 'm').exec(text) ?? [];
  if (date === undefined) throw new Error(`CHANGELOG.md has no heading "## ${version} (YYYY-MM-DD)"`);
  return date;
}

function read(path) {
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

/** Files that are not as they should be; `undefined` stands for a file that should not be there. */
function differences(wanted) {
  return [...wanted].filter(([path, text]) => (text === undefined ? existsSync(path) : read(path) !== text));
}

const packageText = readFileSync(packageFile, 'utf8');
const packageData = JSON.parse(packageText);
const { version } = packageData;
const { manualPages } = await loadSource('src/cli/manual.ts');
const pages = await manualPages({ version, date: dateOf(version) });

const wanted = new Map(pages.map(({ file, text }) => [join(folder, file), text]));
mkdirSync(folder, { recursive: true });
for (const name of readdirSync(folder)) {
  if (!wanted.has(join(folder, name))) wanted.set(join(folder, name), undefined);
}
const man = pages.map(({ file }) => `man/${file}`);
wanted.set(packageFile, `${JSON.stringify({ ...packageData, man }, null, 2)}\n`);

const different = differences(wanted);
for (const [path, text] of different) {
  const name = path.slice(root.length + 1);
  if (checking) console.error(`error: ${name} is not what the data of the verbs say (run: npm run man)`);
  else if (text === undefined) rmSync(path);
  else writeFileSync(path, text);
  if (!checking) console.log(`${name} ${text === undefined ? 'removed' : 'written'}`);
}
if (!checking && different.length === 0) console.log(`${pages.length} pages are what the data say`);
process.exitCode = checking && different.length > 0 ? 1 : 0;
