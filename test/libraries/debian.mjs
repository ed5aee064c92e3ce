/**
 * Packages of other Debian suites, extracted into a folder of their own and never installed. apt works there on lists,
 * a cache and a status of its own, in which nothing is installed, so that it fetches whatever a package depends on, the
 * C library included: the libbpf of trixie asks for a glibc that bookworm does not have.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { kept } from './cache.mjs';
import { must, Unavailable } from './must.mjs';

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** Debian's name for the machine that this runs on, and that of its folder of libraries. */
export const ownArchitecture = process.arch === 'x64' ? 'amd64' : process.arch;
export const triples = { amd64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' };

/**
 * @typedef {object} DebianPackages
 * @property {readonly string[]} suites in which they are looked for
 * @property {readonly string[]} packages as apt-get install takes them: `libbpf1`, or `libbpf1/bookworm-backports`
 * @property {'amd64' | 'arm64'} [architecture] this machine's when absent
 */

/**
 * Extracts packages with everything they depend on.
 *
 * @param {DebianPackages} wanted
 * @returns {string} a root folder: `usr/lib/…`, `usr/bin/…`
 * @throws {Unavailable} without a mirror, or where it does not have them
 */
export function debianRoot({ suites, packages, architecture = ownArchitecture }) {
  return kept(['debian', ...suites, ...packages, architecture].join('_'), (root) => {
    const state = `${root}.apt`;
    try {
      const options = ownApt(state, suites, architecture);
      must('apt-get', ['-q', ...options, 'update']);
      must('apt-get', ['-q', ...options, '--download-only', '--no-install-recommends', '-y', 'install', ...packages]);
      const archives = join(state, 'archives');
      for (const file of readdirSync(archives).filter((name) => name.endsWith('.deb'))) {
        must('dpkg-deb', ['--extract', join(archives, file), root]);
      }
      // What the package base-files makes where all of /lib is in /usr.
      if (!existsSync(join(root, 'lib'))) symlinkSync('usr/lib', join(root, 'lib'));
    } finally {
      rmSync(state, { recursive: true, force: true });
    }
  });
}

/** The folders of shared libraries in such a root, the first one first; in most suites /lib is a link into /usr. */
export function libraryFolders(root, architecture = ownArchitecture) {
  const folders = ['usr/lib', 'lib'].map((folder) => join(root, folder, triples[architecture]));
  return [...new Set(folders.filter(existsSync).map((folder) => realpathSync(folder)))];
}

/** The options that keep apt away from the system's own lists and packages. */
function ownApt(state, suites, architecture) {
  if (!existsSync(KEYRING)) throw new Unavailable(`${KEYRING} is not here, which has the keys of Debian`);
  for (const folder of ['lists/partial', 'archives/partial']) mkdirSync(join(state, folder), { recursive: true });
  const sources = join(state, 'sources.list');
  const status = join(state, 'status');
  writeFileSync(status, '');
  writeFileSync(sources, suites.map((suite) => `deb [signed-by=${KEYRING}] ${mirror()} ${suite} main\n`).join(''));
  const settings = {
    'APT::Architecture': architecture,
    'APT::Architectures': architecture,
    'APT::Sandbox::User': 'root',
    'APT::Update::Error-Mode': 'any',
    'Acquire::Languages': 'none',
    'Acquire::Retries': 3,
    'Acquire::http::Timeout': 30,
    'Dir::Cache::archives': `${join(state, 'archives')}/`,
    'Dir::Cache::pkgcache': '',
    'Dir::Cache::srcpkgcache': '',
    'Dir::Etc::sourcelist': sources,
    'Dir::Etc::sourceparts': '-',
    'Dir::Etc::preferences': '-',
    'Dir::Etc::preferencesparts': '-',
    'Dir::State::lists': `${join(state, 'lists')}/`,
    'Dir::State::status': status,
    'Dir::State::extended_states': join(state, 'extended_states'),
  };
  return Object.entries(settings).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
}

/** The machine's own mirror of Debian, which it can reach. */
function mirror() {
  const words = ['indextargets', '--format', '$(ORIGIN) $(LABEL) $(REPO_URI)', 'Created-By: Packages'];
  const { stdout } = spawnSync('apt-get', words, { encoding: 'utf8' });
  const own = (stdout ?? '').split('\n').find((line) => line.startsWith('Debian Debian '));
  return own?.split(' ')[2] ?? 'http://deb.debian.org/debian/';
}
