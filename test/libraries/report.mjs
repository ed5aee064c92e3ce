/**
 * What the runs of test/libraries found (results.json), and the table in README.md that is made of it.
 *
 *     node test/libraries/report.mjs            writes the table
 *     node test/libraries/report.mjs --check    writes nothing, and fails when it is not what the results say
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');
const resultsFile = join(import.meta.dirname, 'results.json');
const readmeFile = join(root, 'README.md');

const BEGIN = '<!-- Made by test/libraries/report.mjs of test/libraries/results.json -->\n';
const END = '<!-- End of what test/libraries/report.mjs makes -->\n';

/** The columns, and what they stand for. */
const columns = {
  versions: 'starts',
  pure: 'parsers, layouts, FFI',
  maps: 'maps',
  objects: 'objects',
  redirect: 'attach, frames',
  drops: '`debug drops`',
  losses: 'every loss',
  xsk: 'AF_XDP',
};

/** The order of the rows. */
const order = [
  'bookworm',
  'bookworm-backports',
  'trixie',
  'forky',
  'node-22',
  'node-24',
  'node-26',
  'arm64',
  'bullseye',
];

/**
 * @typedef {object} Row
 * @property {string} name
 * @property {string} [unavailable] why it could not be had
 * @property {string} [kernel]
 * @property {string} [node]
 * @property {string} [arch]
 * @property {boolean} [emulated]
 * @property {string} [libbpf]
 * @property {string} [glibc]
 * @property {string} [bpftrace]
 * @property {Record<string, { passed: number, failed: number, skipped: number, note?: string }>} [groups] a note is put there
 *   by hand, and goes with the next run
 * @property {string[]} [again] files that failed once, and passed when they were run again
 * @property {string} [leftBehind] what the tests left behind
 */

/** @returns {Row[]} */
function readResults() {
  return existsSync(resultsFile) ? JSON.parse(readFileSync(resultsFile, 'utf8')) : [];
}

/**
 * Puts a row in the place of that of the same name, but for groups that only the older one has. What cannot be had today
 * was tried all the same.
 *
 * @param {Row} row
 * @param {string[]} files of which it has results
 */
export function mergeResult(row, files) {
  const before = readResults();
  const older = before.find(({ name, groups }) => name === row.name && groups !== undefined);
  if (row.unavailable !== undefined && older !== undefined) return;
  const others = before.filter(({ name }) => name !== row.name);
  const merged = older !== undefined && isOfTheSame(row, older) ? withGroupsOf(row, older, files) : row;
  const sorted = [...others, merged].toSorted((one, other) => order.indexOf(one.name) - order.indexOf(other.name));
  writeFileSync(resultsFile, `${JSON.stringify(sorted, null, 2)}\n`);
}

/** Whether two rows are of the same versions. @param {Row} row @param {Row} older */
function isOfTheSame(row, older) {
  return ['kernel', 'node', 'arch', 'libbpf', 'glibc', 'bpftrace'].every((key) => row[key] === older[key]);
}

/** @param {Row} row @param {Row} older @param {string[]} files */
function withGroupsOf({ again: newer = [], ...row }, older, files) {
  const again = [...(older.again ?? []).filter((file) => !files.includes(file)), ...newer];
  return { ...row, groups: { ...older.groups, ...row.groups }, ...(again.length > 0 && { again }) };
}

/** @param {Row} row */
function title({ arch, emulated, node, libbpf, glibc, groups, bpftrace }) {
  const traced = groups.drops === undefined ? [] : [`bpftrace ${bpftrace}`];
  const machine = emulated ? [`**${arch}**, emulated`] : [];
  return [...machine, `libbpf ${libbpf}`, `glibc ${glibc}`, `Node.js ${node}`, ...traced].join(', ');
}

function cell(group) {
  if (group === undefined) return '—';
  const { passed, failed, skipped } = group;
  const others = [failed > 0 ? `**${failed} failed**` : '', skipped > 0 ? `${skipped} skipped` : ''].filter(Boolean);
  return [String(passed), ...others].join(', ');
}

/** @param {Row[]} rows */
function table(rows) {
  const names = Object.keys(columns);
  const shown = rows.filter(({ groups }) => groups !== undefined && names.some((name) => name in groups));
  return [
    `| | ${names.map((name) => columns[name]).join(' | ')} |`,
    `|---|${names.map(() => '---:').join('|')}|`,
    ...shown.map((row) => `| ${title(row)} | ${names.map((name) => cell(row.groups[name])).join(' | ')} |`),
  ].join('\n');
}

/** @param {Row[]} rows */
function section(rows) {
  const bullseye = rows.find(({ name, groups }) => name === 'bullseye' && groups !== undefined);
  const arm64 = rows.find(({ name, groups }) => name === 'arm64' && groups !== undefined);
  const missing = rows.filter(({ unavailable }) => unavailable !== undefined);
  const again = rows.flatMap((row) => row.again ?? []);
  const kernels = [...new Set(rows.flatMap(({ kernel }) => (kernel === undefined ? [] : [kernel.replace(/-.*/, '')])))];
  const notes = [
    `How many tests passed, on Linux ${kernels.join(' and ')}; — stands for what was not run, or not to the end. Versions between these, other ` +
      'machines and other C libraries (musl) are untested; a Node.js before 20 is refused (exit 5).',
    arm64 &&
      'On arm64, which QEMU emulates without bpf(2), only what is above the kernel was run: ' +
        'everything that makes, attaches or counts something is untested there. ' +
        `Commands that need bpf(2) are exit 5 and say so (${cell(arm64.groups.without)} tests).`,
    bullseye &&
      `Where libbpf is missing, or only a libbpf.so.0 is there, every command that needs it is exit 5, says what to ` +
        `install, and changes nothing (${cell(bullseye.groups.without)} tests).`,
    again.length > 0 &&
      `${again.length} files of tests failed once, on a machine that had other work, and passed when they were run again ` +
        '(named in [results.json](test/libraries/results.json)).',
    ...rows.flatMap(({ groups = {}, ...row }) =>
      Object.entries(groups).flatMap(([group, { note }]) =>
        note === undefined ? [] : [`${columns[group]}, ${title({ ...row, groups })}: ${note}.`],
      ),
    ),
    ...missing.map(({ name, unavailable }) => `${name} could not be had: ${unavailable}.`),
  ].filter(Boolean);
  return `${BEGIN}\n${table(rows)}\n\n${notes.join('\n')}\n\n${END}`;
}

function readmeWithTable(readme) {
  const begin = readme.indexOf(BEGIN);
  const end = readme.indexOf(END);
  if (begin === -1 || end < begin) throw new Error(`README.md has no place for the table: ${BEGIN}…${END}`);
  return readme.slice(0, begin) + section(readResults()) + readme.slice(end + END.length);
}

export function writeReadme() {
  writeFileSync(readmeFile, readmeWithTable(readFileSync(readmeFile, 'utf8')));
}

if (process.argv[1] === import.meta.filename) {
  const checking = process.argv[2] === '--check';
  if (!checking) writeReadme();
  else {
    const readme = readFileSync(readmeFile, 'utf8');
    if (readmeWithTable(readme) !== readme) {
      console.error(
        'error: README.md is not what test/libraries/results.json says (run: node test/libraries/report.mjs)',
      );
      process.exitCode = 1;
    }
  }
}
