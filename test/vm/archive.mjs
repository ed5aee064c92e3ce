/** The filesystem of a virtual machine: the part of this machine's that the tests need, at the same paths. */
import { spawnSync } from 'node:child_process';
import { closeSync, cpSync, existsSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

import { FileSet } from './files.mjs';

const root = join(import.meta.dirname, '..', '..');

/** Without these there is nothing to test; the tests themselves say what else they miss. */
const required = 'busybox sh bash ip tc ethtool bpftool nsenter unshare mount umount'.split(' ');
const others = [
  'bpftrace perf tcpdump strace setpriv findmnt taskset chrt timeout script ldconfig cat chmod env false grep head id',
  'ls mkdir mkfifo mv rm rmdir sed sleep sort stat stty tail tee touch true uname wc',
].flatMap((line) => line.split(' '));

/** This machine does not have what the tests need. */
export class Missing extends Error {}

/** Tests compile programs of their own. */
const compiler = ['clang-14', 'llvm-strip-14'];
const headers = ['bpf', 'linux', 'asm-generic', 'x86_64-linux-gnu/asm'].map((name) => `/usr/include/${name}`);

/** Who is who, and where libraries are. */
const settings = ['/etc/passwd', '/etc/group', '/etc/nsswitch.conf', '/etc/ld.so.cache'];

/** Where kernel filesystems and what is written go. */
const emptyFolders = ['proc', 'sys', 'dev', 'tmp', 'run', 'root'];

/** Packages that are loaded at run time; everything else is in the bundles. */
const packages = ['koffi', '@koromix'];

/**
 * Writes the archive that kernels unpack into their first filesystem.
 * @param {object} content
 * @param {import('./kernels.mjs').Kernel[]} content.kernels whose modules go in
 * @param {string[]} content.bundles test files
 * @param {string} content.main the bundle that runs them
 * @param {Record<string, string>} content.environment of the tests
 * @param {string} folder where there is room for some hundred megabytes
 * @returns {string} its path
 */
export function makeArchive(content, folder) {
  const archive = join(folder, 'initramfs.cpio');
  const fd = openSync(archive, 'w');
  try {
    pack(
      '/',
      [...machineFiles().paths].toSorted().map((path) => path.slice(1)),
      fd,
    );
    const own = join(folder, 'root');
    pack(own, layOut(own, content), fd);
  } finally {
    closeSync(fd);
  }
  return archive;
}

function machineFiles() {
  const files = new FileSet();
  files.addBinary(process.execPath);
  const missing = required.filter((name) => !files.addProgram(name));
  if (missing.length > 0) throw new Missing(`missing: ${missing.join(', ')}`);
  for (const name of [...others, ...compiler]) files.addProgram(name);
  for (const path of headers.filter(existsSync)) files.addFolder(path);
  files.addBinary(libbpf());
  for (const path of settings.filter(existsSync)) files.add(path);
  for (const name of ['bin', 'bpf-objects', 'dist', 'man', 'src', 'test']) files.addFolder(join(root, name));
  files.add(join(root, 'package.json'));
  for (const name of packages) files.addFolder(join(root, 'node_modules', name));
  return files;
}

/** The library that koffi loads by its name. */
function libbpf() {
  const { stdout } = spawnSync('ldconfig', ['-p'], { encoding: 'utf8' });
  const path = /libbpf\.so\.1 .*=> (\S+)/.exec(stdout)?.[1];
  if (path === undefined) throw new Missing('missing: libbpf.so.1');
  return path;
}

/** What the machine has and this one has not. @returns {string[]} its files and folders */
function layOut(own, { kernels, bundles, main, environment }) {
  for (const name of emptyFolders) mkdirSync(join(own, name), { recursive: true });
  mkdirSync(join(own, 'tests'));
  for (const bundle of [main, ...bundles]) cpSync(bundle, join(own, 'tests', basename(bundle)));
  for (const { release, modules } of kernels) {
    mkdirSync(join(own, 'modules', release), { recursive: true });
    for (const [order, path] of modules.entries()) {
      cpSync(path, join(own, 'modules', release, `${String(order).padStart(2, '0')}-${basename(path)}`));
    }
  }
  const words = bundles.map((bundle) => quote(`/tests/${basename(bundle)}`)).join(' ');
  const variables = Object.entries(environment).map(([name, value]) => `export ${name}=${quote(value)}\n`);
  writeFileSync(
    join(own, 'tests', 'run'),
    `${variables.join('')}cd ${quote(root)}\n${process.execPath} /tests/${basename(main)} ${words}\n`,
  );
  cpSync(join(import.meta.dirname, 'guest', 'init'), join(own, 'init'));
  const files = new FileSet();
  files.addFolder(own);
  return [...files.paths].flatMap((path) => (path.startsWith(`${own}/`) ? [path.slice(own.length + 1)] : []));
}

function quote(word) {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Appends files of a folder, folders before what is in them. */
function pack(folder, names, fd) {
  const { status, stderr, error } = spawnSync('cpio', ['--create', '--format=newc', '--null', '--quiet'], {
    cwd: folder,
    input: names.map((name) => `${name}\0`).join(''),
    stdio: ['pipe', fd, 'pipe'],
    encoding: 'utf8',
  });
  // A build at the same time replaces files.
  const gone = stderr
    ?.split('\n')
    .every((line) => line === '' || line.endsWith('Cannot stat: No such file or directory'));
  if (status !== 0 && !gone) throw new Error(`cpio: ${error?.message ?? stderr}`);
}
