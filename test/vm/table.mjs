/** The table of the README, kernel by kernel, as a run has found it: results.json is what the last whole run wrote. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { features, losses } from './suites.mjs';

const root = join(import.meta.dirname, '..', '..');
const resultsFile = join(import.meta.dirname, 'results.json');
const readmeFile = join(root, 'README.md');

const begin = '<!-- kernels: written by `npm run test:kernels -- --record` -->';
const end = '<!-- kernels end -->';

/** Stands in the table for what has not been run. */
const notRun = '—';

/**
 * @typedef {object} KernelResults
 * @property {string} kernel 6.12
 * @property {string} release
 * @property {Record<string, string>} features by name: `yes`, `exit 5, Linux 5.14 is required`, `failed`
 * @property {Record<string, { told: number, unseen: number, absent: number, failed: number }>} losses by backend, in cases
 */

/** @returns {KernelResults[]} */
export function readResults() {
  return JSON.parse(readFileSync(resultsFile, 'utf8'));
}

/**
 * Keeps what a run found: results.json, and the table.
 * @param {import('./column.mjs').Column[]} columns
 */
export function record(columns) {
  const all = merged(readResultsOrNone(), columns.map(summary));
  writeFileSync(resultsFile, `${JSON.stringify(all, null, 2)}\n`);
  writeFileSync(readmeFile, withTable(readFileSync(readmeFile, 'utf8'), tableOf(all)));
}

/**
 * What was known of kernels with what a run has found; one that ran only some of the test files leaves the rest as it was.
 * @param {KernelResults[]} known
 * @param {KernelResults[]} found
 * @returns {KernelResults[]} from old to new
 */
export function merged(known, found) {
  const kernels = new Map(known.map((each) => [each.kernel, each]));
  for (const each of found) {
    const { features: before, losses: lost } = kernels.get(each.kernel) ?? each;
    kernels.set(each.kernel, {
      ...each,
      features: isEmpty(each.features) ? before : each.features,
      losses: isEmpty(each.losses) ? lost : each.losses,
    });
  }
  return [...kernels.values()].toSorted((a, b) => number(a.kernel) - number(b.kernel));
}

function isEmpty(part) {
  return Object.keys(part).length === 0;
}

function readResultsOrNone() {
  try {
    return readResults();
  } catch {
    return [];
  }
}

/** 6.12 comes after 6.1. */
function number(kernel) {
  const [major, minor] = kernel.split('.').map(Number);
  return major * 1000 + minor;
}

/** @param {Pick<import('./column.mjs').Column, 'name' | 'release' | 'results'>} column @returns {KernelResults} */
export function summary({ name, release, results }) {
  return { kernel: name, release, features: featuresOf(results), losses: lossesOf(results) };
}

/** The names are `… > FEATURE: WHAT IT DOES`. */
function featuresOf(results) {
  const own = results.filter(({ file }) => file === features);
  return Object.fromEntries(
    own.map(({ name, state }) => {
      const title = name.split(' > ').at(-1);
      const at = title.lastIndexOf(': ');
      return [title.slice(0, at), state === 'passed' ? title.slice(at + 2) : `**${state}**`];
    }),
  );
}

/** The names are `… > frames that are lost WHERE > BACKEND > CODE: HOW`. */
function lossesOf(results) {
  const backends = {};
  for (const { file, name, state } of results) {
    const [, where, backend, title] = name.split(' > ');
    if (file !== losses || !where?.startsWith('frames that are lost') || !/^[a-z-]+: /.test(title ?? '')) continue;
    backends[backend] ??= { told: 0, unseen: 0, absent: 0, failed: 0 };
    const kind =
      state === 'skipped' ? 'absent' : state === 'failed' ? 'failed' : title.endsWith(': not seen') ? 'unseen' : 'told';
    backends[backend][kind] += 1;
  }
  return backends;
}

/** @param {KernelResults[]} all @returns {string} */
export function tableOf(all) {
  const names = [...new Set(all.flatMap(({ features: found }) => Object.keys(found)))];
  const backends = [...new Set(all.flatMap(({ losses: found }) => Object.keys(found)))];
  const rows = [
    ['', ...all.map(({ kernel }) => kernel)],
    ['---', ...all.map(() => '---')],
    ...names.map((name) => [name, ...all.map(({ features: found }) => found[name] ?? notRun)]),
    ...backends.map((backend) => [
      `ways to lose frames that \`${backend}\` tells`,
      ...all.map((each) => lossText(each, backend)),
    ]),
  ];
  return rows.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function lossText({ losses: found }, backend) {
  if (found[backend] === undefined) return notRun;
  const { told, unseen, failed } = found[backend];
  return `${told} of ${told + unseen + failed}`;
}

/** The README with another table between the marks. */
export function withTable(readme, table) {
  const [from, to] = [readme.indexOf(begin), readme.indexOf(end)];
  if (from === -1 || to === -1) throw new Error(`README.md has no place for the table: ${begin}`);
  return `${readme.slice(0, from)}${begin}\n\n${table}\n\n${readme.slice(to)}`;
}
