#!/usr/bin/env node
// Compiles bpf-objects/*.bpf.c, and those of the tests' sources that need it, into the committed *.bpf.o beside them.
//   node bin/dev/bpf.mjs          compile; replaces only the objects that changed
//   node bin/dev/bpf.mjs --check  compile elsewhere, and fail where the bytes or the headers of the sources are not right
// Users have no clang, nor has a virtual machine for tests, so the objects are committed; the check keeps them honest.
// The bytes depend on the compiler,
// hence one version of it, and on nothing else: not on the folder, not on this machine's kernel.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';

const CLANG = 'clang-14';
const STRIP = 'llvm-strip-14';
const PACKAGES = 'Debian: apt install clang-14 llvm-14 libbpf-dev';
const root = join(import.meta.dirname, '..', '..');
const SOURCES = join(root, 'bpf-objects');
const LICENCE = 'SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause';

/** v3 is what every kernel since 5.1 runs. */
const ours = { folder: SOURCES, flags: ['-mcpu=v3', '-Wall', '-Wextra', '-Werror'] };

/** Programs that do wrong, which a compiler has a lot to say about. */
const fixtures = { folder: join(root, 'test', 'fixtures', 'bpf'), flags: [] };

/** Runs a program to its end; its stderr becomes the error when it fails or is not there. */
function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'ignore', 'pipe'] });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
    child.on('error', (error) =>
      reject(error.code === 'ENOENT' ? new Error(`${command} is not installed (${PACKAGES})`) : error),
    );
    child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`${command}: ${stderr.trim() || code}`))));
  });
}

/** Debian keeps <asm/types.h> in a folder named for the machine, which clang does not search for the bpf target. */
async function systemIncludes() {
  if (existsSync('/usr/include/asm/types.h')) return [];
  const names = await readdir('/usr/include');
  const found = names.find((name) => existsSync(`/usr/include/${name}/asm/types.h`));
  if (!found) throw new Error(`no asm/types.h below /usr/include (${PACKAGES})`);
  return ['-idirafter', `/usr/include/${found}`];
}

/**
 * Compiles one source of a folder into `object`. -g is for BTF (map types, CO-RE, source lines in the verifier's log); the
 * DWARF that comes with it names folders and is stripped.
 */
async function compile({ folder, flags }, source, object, includes) {
  const reproducible = ['-fdebug-compilation-dir=.', `-ffile-prefix-map=${folder}=.`];
  const words = ['-g', '-O2', '-target', 'bpfel', ...flags, ...reproducible, ...includes];
  await run(CLANG, [...words, '-c', source, '-o', object], { cwd: folder });
  await run(STRIP, ['-g', object]);
}

/** What a source lacks: the licence line, then a comment that says what the program does. */
async function complaints(file) {
  const text = await readFile(join(SOURCES, file), 'utf8');
  const [first = '', ...rest] = text.split('\n');
  const found = [];
  if (!first.includes(LICENCE)) found.push(`${file}: the first line must be "${LICENCE}"`);
  const comment = /^\/\*(.*?)\*\//s.exec(rest.join('\n'))?.[1] ?? '';
  if (comment.replace(/[\s*]+/g, ' ').trim().length < 60)
    found.push(`${file}: a comment that says what it does must follow the licence line`);
  if (file.endsWith('.bpf.c') && !text.includes('SEC("license") = "Dual BSD/GPL"'))
    found.push(`${file}: the program must be licensed "Dual BSD/GPL"`);
  return found;
}

async function sameBytes(one, other) {
  return existsSync(other) && (await readFile(one)).equals(await readFile(other));
}

/** Calls `work` for every item, as many at a time as there are CPUs. */
async function inParallel(items, work) {
  const queue = [...items];
  const worker = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
}

/** Returns the complaints and, unless only checking, brings the objects up to date. */
async function build(check, scratch) {
  const files = (await readdir(SOURCES)).sort();
  const sources = files.filter((file) => file.endsWith('.bpf.c'));
  const objects = sources.map((file) => file.replace(/\.c$/, '.o'));
  const found = (await Promise.all(files.filter((file) => /\.[ch]$/.test(file)).map(complaints))).flat();
  const orphans = files.filter((file) => file.endsWith('.o') && !objects.includes(file));
  found.push(...orphans.map((file) => `${file}: no source of that name`));

  const includes = await systemIncludes();
  const others = (await readdir(fixtures.folder)).filter((file) => file.endsWith('.bpf.o'));
  const all = [
    ...objects.map((object) => ({ from: ours, object })),
    ...others.map((object) => ({ from: fixtures, object })),
  ];
  await inParallel(all, async ({ from, object }) => {
    const fresh = join(scratch, object);
    const committed = join(from.folder, object);
    await compile(from, object.replace(/\.o$/, '.c'), fresh, includes);
    if (await sameBytes(fresh, committed)) return;
    if (check) {
      found.push(`${object}: not what its source compiles to (run: node bin/dev/bpf.mjs)`);
      return;
    }
    await copyFile(fresh, `${committed}.new`);
    await rename(`${committed}.new`, committed);
    console.log(`${object} written`);
  });
  if (found.length === 0) console.log(`${all.length} objects are what their sources compile to`);
  return found;
}

const [option, ...more] = process.argv.slice(2);
if (more.length > 0 || (option !== undefined && option !== '--check')) {
  console.error('usage: node bin/dev/bpf.mjs [--check]');
  process.exitCode = 2;
} else {
  const scratch = await mkdtemp(join(tmpdir(), 'xdpctl-bpf-'));
  try {
    const found = await build(option === '--check', scratch);
    for (const complaint of found.sort()) console.error(`error: ${complaint}`);
    if (found.length > 0) process.exitCode = 1;
  } catch (error) {
    console.error(`error: ${error.message}`);
    process.exitCode = 1;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
