/**
 * What the demo, the tests and the benchmarks need of the machine, and which package has it. Node's own modules only:
 * this runs before anything is installed.
 */
import { accessSync, constants, existsSync, readFileSync, readdirSync, realpathSync } from 'node:fs';

/** Debian keeps administrators' programs here, and not every root's PATH has them. */
export const adminFolders = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** @param {string} name @returns {string | undefined} where the program is */
function programPath(name) {
  const folders = [...(process.env.PATH ?? '').split(':'), ...adminFolders];
  return folders
    .map((folder) => `${folder}/${name}`)
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

function hasProgram(name) {
  return programPath(name) !== undefined;
}

/** Alpine has these from busybox: an `ip` that knows neither namespaces nor veth's peers, a `setpriv` without signals. */
function hasWhole(name) {
  const path = programPath(name);
  return path !== undefined && !realpathSync(path).endsWith('busybox');
}

/** @param {string} file name of a shared library */
function hasLibrary(file) {
  const roots = ['/usr/lib', '/lib', '/usr/lib64', '/lib64', '/usr/local/lib', '/usr/local/lib64'].filter(existsSync);
  const folders = roots.flatMap((root) => [
    root,
    ...readdirSync(root)
      .filter((name) => name.includes('-linux-'))
      .map((name) => `${root}/${name}`),
  ]);
  return folders.some((folder) => existsSync(`${folder}/${file}`));
}

function isUbuntu() {
  return /^ID(_LIKE)?=.*ubuntu/m.test(existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '');
}

/** Ubuntu packs perf and bpftool with its kernels. */
const kernelTools = ['linux-tools-common', 'linux-tools-generic'];

/**
 * `for`: who needs it; `optional`: tests that use it are skipped without it; the packages of each package manager
 * (none where the distribution has no such package).
 */
export const needs = [
  {
    what: 'libbpf.so.1',
    for: ['demo', 'test', 'bench'],
    found: () => hasLibrary('libbpf.so.1'),
    packages: { 'apt-get': ['libbpf1'], dnf: ['libbpf'], apk: ['libbpf'], pacman: ['libbpf'] },
  },
  {
    what: 'ip',
    for: ['demo', 'test', 'bench'],
    found: () => hasWhole('ip'),
    packages: { 'apt-get': ['iproute2'], dnf: ['iproute'], apk: ['iproute2'], pacman: ['iproute2'] },
  },
  {
    what: 'unshare and setpriv',
    for: ['demo', 'test', 'bench'],
    found: () => hasWhole('unshare') && hasWhole('setpriv'),
    packages: {
      'apt-get': ['util-linux'],
      dnf: ['util-linux'],
      apk: ['util-linux-misc', 'setpriv'],
      pacman: ['util-linux'],
    },
  },
  {
    what: 'taskset and chrt',
    for: ['test', 'bench'],
    found: () => hasProgram('taskset') && hasProgram('chrt'),
    packages: { 'apt-get': ['util-linux'], dnf: ['util-linux'], apk: ['util-linux-misc'], pacman: ['util-linux'] },
  },
  // A terminal for what draws on one.
  {
    ...program('script', ['test', 'bench']),
    packages: { 'apt-get': ['bsdutils'], dnf: ['util-linux-script'], apk: ['util-linux-misc'], pacman: ['util-linux'] },
  },
  program('ethtool', ['demo', 'test', 'bench']),
  program('bpftrace', ['demo', 'test', 'bench']),
  {
    ...program('perf', ['demo', 'test', 'bench']),
    // The demo is content with bpftrace alone.
    found: (purpose) => hasProgram('perf') || (purpose === 'demo' && hasProgram('bpftrace')),
    packages: {
      'apt-get': isUbuntu() ? kernelTools : ['linux-perf'],
      dnf: ['perf'],
      apk: ['perf'],
      pacman: ['perf'],
    },
  },
  {
    ...program('bpftool', ['test', 'bench']),
    packages: {
      'apt-get': isUbuntu() ? kernelTools : ['bpftool'],
      dnf: ['bpftool'],
      apk: ['bpftool'],
      pacman: ['bpf'],
    },
  },
  program('tcpdump', ['test']),
  program('strace', ['test']),
  { ...program('man', ['test']), packages: samePackage('man-db') },
  { ...program('groff', ['test']), packages: samePackage('groff') },
  // Elsewhere it takes the place of man-db.
  { ...program('mandoc', ['test']), optional: true, packages: { 'apt-get': ['mandoc'] } },
  { ...program('zsh', ['test']), optional: true },
  { ...program('fish', ['test']), optional: true },
  {
    ...program('clang-14', ['test']),
    found: () => hasProgram('clang-14') && hasProgram('llvm-strip-14'),
    optional: true, // only Debian and Ubuntu have this very version, and the objects are compared byte by byte
    packages: { 'apt-get': ['clang-14', 'llvm-14'] },
  },
  {
    what: 'bpf/bpf_helpers.h',
    for: ['test'],
    optional: true,
    found: () => existsSync('/usr/include/bpf/bpf_helpers.h') && existsSync('/usr/include/linux/bpf.h'),
    packages: { 'apt-get': ['libbpf-dev', 'linux-libc-dev'] },
  },
  // The machines in which tests run on other kernels (test/vm), which Debian has.
  {
    ...program('qemu-system-x86_64', ['test']),
    optional: true,
    packages: { 'apt-get': ['qemu-system-x86'] },
  },
  { ...program('busybox', ['test']), optional: true, packages: { 'apt-get': ['busybox-static'] } },
  { ...program('cpio', ['test']), optional: true, packages: { 'apt-get': ['cpio'] } },
  {
    what: "Debian's keys",
    for: ['test'],
    optional: true,
    found: () => existsSync('/usr/share/keyrings/debian-archive-keyring.gpg'),
    packages: { 'apt-get': ['debian-archive-keyring'] },
  },
  // Another architecture, for `npm run test:libraries`.
  {
    ...program('qemu-aarch64', ['libraries']),
    optional: true,
    packages: { 'apt-get': ['qemu-user'], dnf: ['qemu-user'], apk: ['qemu-aarch64'], pacman: ['qemu-user'] },
  },
  // What makes system calls fail is preloaded into the command; in the benchmarks, the loop beside which `xsk bind` is measured.
  {
    ...program('cc', ['test', 'bench']),
    optional: true, // only of the benchmarks and of test/faults
    packages: { 'apt-get': ['gcc', 'libc6-dev'], dnf: ['gcc'], apk: ['gcc', 'musl-dev'], pacman: ['gcc'] },
  },
  {
    what: 'xdp/xsk.h',
    for: ['bench'],
    optional: true,
    found: () => existsSync('/usr/include/xdp/xsk.h'),
    packages: { 'apt-get': ['libxdp-dev'], dnf: ['libxdp-devel'], pacman: ['libxdp'] },
  },
  { ...program('xdp-loader', ['test']), optional: true, packages: { 'apt-get': ['xdp-tools'], dnf: ['xdp-tools'] } },
];

function samePackage(name) {
  return { 'apt-get': [name], dnf: [name], apk: [name], pacman: [name] };
}

/** A program whose package has its name everywhere. */
function program(name, purposes) {
  return { what: name, for: purposes, optional: false, found: () => hasProgram(name), packages: samePackage(name) };
}

const managers = {
  'apt-get': {
    refresh: ['apt-get', 'update'],
    install: ['apt-get', 'install', '-y', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=300'],
  },
  dnf: { refresh: ['dnf', 'makecache'], install: ['dnf', 'install', '-y'] },
  apk: { refresh: ['apk', 'update'], install: ['apk', 'add'] },
  pacman: { refresh: ['pacman', '-Sy'], install: ['pacman', '-S', '--needed', '--noconfirm'] },
};

/** This machine's package manager, its name and the beginnings of its commands; undefined when it is not one of these. */
export function packageManager() {
  const name = Object.keys(managers).find(hasProgram);
  return name === undefined ? undefined : { name, ...managers[name] };
}
