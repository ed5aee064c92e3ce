/**
 * Debian's kernels for cloud machines, one of each suite: downloads them, checked against Debian's signatures, and takes
 * them apart. Nothing is installed, and the system's own lists of packages stay as they are.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** From old to new. What a suite under development has moves on; `name` is what it had when this was written. */
export const kernels = [
  { name: '5.10', suite: 'bullseye' },
  { name: '6.1', suite: 'bookworm' },
  { name: '6.12', suite: 'trixie' },
  { name: '7.2', suite: 'forky' },
];

const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** Drivers and queueing disciplines that the tests use and that Debian builds as modules. */
const modules = ['veth', 'tun', 'dummy', 'bridge', 'macvlan'];
/** What those need, by the kernels' own order of loading. */
const dependencies = { bridge: ['llc', 'stp'] };

/** Why a kernel cannot be had here. */
export class NoKernel extends Error {}

/** Not a place where others may write: what lies there runs as root. */
function cacheFolder() {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'xdpctl-kernels');
}

/**
 * @typedef {object} Kernel
 * @property {string} name 6.12
 * @property {string} release as uname -r will say: 6.12.117+deb13-cloud-amd64
 * @property {string} image the file that boots
 * @property {string[]} modules files, in the order in which they must be loaded
 */

/**
 * The kernel of a suite, downloaded unless the cache has one.
 * @param {{ name: string, suite: string }} wanted
 * @param {{ refresh?: boolean }} options whether to look for a newer one
 * @returns {Kernel}
 * @throws {NoKernel}
 */
export function fetchKernel({ name, suite }, { refresh = false } = {}) {
  const folder = join(cacheFolder(), suite);
  if (refresh || !existsSync(join(folder, 'release'))) download(suite, folder);
  const release = readFileSync(join(folder, 'release'), 'utf8');
  const home = ['usr/lib/modules', 'lib/modules'].map((path) => join(folder, path, release)).find(existsSync);
  const image = [join(folder, 'boot', `vmlinuz-${release}`), join(home ?? '', 'vmlinuz')].find(existsSync);
  if (home === undefined || image === undefined) throw new NoKernel(`${folder} has no kernel ${release}`);
  const files = readdirSync(home, { recursive: true });
  const fileOf = (module) => files.find((path) => path.match(/([^/]+)\.ko(\.\w+)?$/)?.[1] === module);
  const wanted = modules.flatMap((module) => [...(dependencies[module] ?? []), module]);
  return {
    name,
    release,
    image,
    modules: wanted.flatMap((module) => fileOf(module) ?? []).map((path) => join(home, path)),
  };
}

function download(suite, folder) {
  const draft = `${folder}.${process.pid}.tmp`;
  mkdirSync(cacheFolder(), { recursive: true, mode: 0o700 });
  const { mode, uid } = statSync(cacheFolder());
  if ((mode & 0o022) !== 0 || uid !== process.getuid()) throw new NoKernel(`others may write to ${cacheFolder()}`);
  try {
    const apt = aptFor(suite, join(draft, 'apt'));
    run(apt('apt-get', 'update', '--error-on=any'));
    // The metapackage says which kernel is the suite's; that depends on more than it takes to boot.
    const image = dependenciesOf(apt, 'linux-image-cloud-amd64').find((name) => name.startsWith('linux-image-'));
    if (image === undefined) throw new NoKernel(`${suite} has no linux-image-cloud-amd64`);
    const parts = dependenciesOf(apt, image).filter((name) => /^linux-(binary|modules)-/.test(name));
    run(apt('apt-get', 'download', image, ...parts), { cwd: join(draft, 'apt') });
    for (const file of readdirSync(join(draft, 'apt')).filter((path) => path.endsWith('.deb'))) {
      run(['dpkg-deb', '--extract', join(draft, 'apt', file), draft]);
    }
    rmSync(join(draft, 'apt'), { recursive: true });
    writeFileSync(join(draft, 'release'), image.replace('linux-image-', ''));
    rmSync(folder, { recursive: true, force: true });
    renameSync(draft, folder);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/** @returns {(program: string, ...words: string[]) => string[]} commands of apt that know this suite and nothing else */
function aptFor(suite, folder) {
  if (!existsSync(keyring)) throw new NoKernel(`Debian's keys are missing (${keyring})`);
  for (const path of ['lists/partial', 'archives/partial']) mkdirSync(join(folder, path), { recursive: true });
  const list = join(folder, 'sources.list');
  writeFileSync(list, `deb [arch=amd64 signed-by=${keyring}] ${mirror()} ${suite} main\n`);
  const settings = {
    'Dir::Etc::sourcelist': list,
    'Dir::Etc::sourceparts': '-',
    'Dir::State': folder,
    'Dir::State::status': '/dev/null',
    'Dir::Cache': folder,
    'APT::Architecture': 'amd64',
    'Acquire::Languages': 'none',
    // The folder is not open to the user that apt would download as.
    'APT::Sandbox::User': 'root',
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  return (program, ...words) => [program, ...options, ...words];
}

/** The machine's own mirror of Debian, which it can reach. */
function mirror() {
  const format = '$(ORIGIN) $(LABEL) $(REPO_URI)';
  const { stdout } = spawnSync('apt-get', ['indextargets', '--format', format, 'Created-By: Packages'], {
    encoding: 'utf8',
  });
  const lines = (stdout ?? '').split('\n');
  return lines.find((line) => line.startsWith('Debian Debian '))?.split(' ')[2] ?? 'http://deb.debian.org/debian/';
}

function dependenciesOf(apt, name) {
  const words = ['depends', '--no-recommends', '--no-suggests', '--no-breaks', '--no-conflicts', '--no-replaces'];
  return [...run(apt('apt-cache', ...words, name)).matchAll(/Depends: (\S+)/g)].map((match) => match[1]);
}

function run([program, ...words], options = {}) {
  const { status, stdout, stderr, error } = spawnSync(program, words, { encoding: 'utf8', ...options });
  if (status === 0) return stdout;
  throw new NoKernel(`${program} ${words.at(-1)}: ${error?.message ?? stderr.trim().split('\n').at(-1)}`);
}
