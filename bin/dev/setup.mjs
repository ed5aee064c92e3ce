/**
 * Installs what this checkout needs and does not have yet: npm packages, and packages of the system. `npm test`,
 * `npm run demo` and `npm run bench` begin with it; it also runs by itself:
 *
 *     node bin/dev/setup.mjs [demo|test|bench|libraries]
 *
 * Prints each command before it runs it, and asks first on a terminal. Silent when nothing is missing. Node's own
 * modules only: this runs before anything is installed.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { isatty } from 'node:tty';

import { adminFolders, needs, packageManager } from './needs.mjs';

const root = join(import.meta.dirname, '..', '..');

/** A reason why the set-up cannot go on, in words for the person at the terminal. */
class SetupError extends Error {}

/**
 * Installs whatever is missing, and puts the administrators' folders into this process's PATH.
 * Ends the process with a message when that fails.
 * @param {{ for: 'demo' | 'test' | 'bench' | 'libraries' }} purpose
 */
export function setup({ for: purpose }) {
  const path = (process.env.PATH ?? '').split(':');
  process.env.PATH = [...path, ...adminFolders.filter((folder) => !path.includes(folder))].join(':');
  try {
    if (!npmPackagesAreInstalled()) installNpmPackages();
    installSystemPackages(purpose);
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(`error: ${error.message}`);
    process.exit(1);
  }
}

function readLock(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).packages;
  } catch {
    return {};
  }
}

/** Whether npm's own record of node_modules has what the lock file has; packages for other platforms may be absent. */
function npmPackagesAreInstalled() {
  const installed = readLock(join(root, 'node_modules', '.package-lock.json'));
  return Object.entries(readLock(join(root, 'package-lock.json'))).every(
    ([folder, { version, optional }]) =>
      folder === '' || installed[folder]?.version === version || (optional === true && !(folder in installed)),
  );
}

function installNpmPackages() {
  // Without --include=dev, NODE_ENV=production leaves the compiler out.
  const command = ['npm', 'ci', '--include=dev'];
  agree(command);
  if (!run(command)) throw new SetupError(`${command.join(' ')} failed`);
}

function missingFor(purpose) {
  return needs.filter((need) => need.for.includes(purpose) && !need.found(purpose));
}

function installSystemPackages(purpose) {
  const missing = missingFor(purpose);
  if (missing.length === 0) return;
  const manager = packageManager();
  install(
    manager,
    missing.filter(({ optional }) => !optional),
  );
  const still = missingFor(purpose).filter(({ optional }) => !optional);
  if (still.length > 0) throw new SetupError(`still missing after the installation: ${names(still)}`);

  // One at a time: a distribution that lacks one may have the others.
  for (const need of missingFor(purpose)) {
    if (manager === undefined || need.packages[manager.name] === undefined) continue;
    try {
      install(manager, [need]);
    } catch (error) {
      if (!(error instanceof SetupError)) throw error;
      console.error(`note: going on without ${need.what}: ${error.message}`);
    }
  }
}

function names(missing) {
  return missing.map(({ what }) => what).join(', ');
}

function install(manager, missing) {
  if (missing.length === 0) return;
  if (manager === undefined) {
    throw new SetupError(`missing: ${names(missing)}; found none of apt-get, dnf, apk, pacman to install them with`);
  }
  const packages = [...new Set(missing.flatMap((need) => need.packages[manager.name] ?? []))];
  const command = [...manager.install, ...packages];
  if (process.getuid() !== 0) {
    throw new SetupError(`missing: ${names(missing)}; install as root: sudo ${command.join(' ')}`);
  }
  console.error(`missing: ${names(missing)}`);
  agree(command);
  // A fresh image has no package lists, an old one stale lists.
  if (run(command)) return;
  console.error(`+ ${manager.refresh.join(' ')}`);
  run(manager.refresh);
  console.error(`+ ${command.join(' ')}`);
  if (!run(command)) throw new SetupError(`${command.join(' ')} failed`);
}

/** Prints a command, and on a terminal waits for a yes. Nobody is asked in CI. */
function agree(command) {
  // Not process.stdin.isTTY, which makes reads return EAGAIN instead of waiting.
  const terminal = isatty(0) && isatty(1) && !process.env.CI;
  process.stderr.write(`+ ${command.join(' ')}${terminal ? '\nrun this? [Y/n] ' : '\n'}`);
  if (terminal && !/^(y|yes)?$/i.test(readAnswer())) throw new SetupError('not installed; nothing was changed');
}

/** One line of the terminal; what is not a line (Ctrl-D) is a no. */
function readAnswer() {
  const buffer = Buffer.alloc(256);
  const length = readSync(0, buffer);
  return length === 0 ? 'no' : buffer.toString('utf8', 0, length).trim();
}

function run([program, ...args]) {
  const { status } = spawnSync(program, args, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  return status === 0;
}

if (process.argv[1] === import.meta.filename) {
  const [purpose = 'test'] = process.argv.slice(2);
  if (!['demo', 'test', 'bench', 'libraries'].includes(purpose)) {
    console.error('usage: node bin/dev/setup.mjs [demo|test|bench|libraries]');
    process.exit(2);
  }
  setup({ for: purpose });
}
