/** What the tests run with, besides what this machine has: see README.md of the project for the table that comes of it. */
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, readdirSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { kept } from './cache.mjs';
import { debianRoot, libraryFolders, ownArchitecture, triples } from './debian.mjs';
import { Unavailable } from './must.mjs';
import { nodeFolder, nodeModules } from './node.mjs';

const project = join(import.meta.dirname, '..', '..');

/** Groups of tests, in the order of the table's columns. */
const everything = {
  versions: ['test/libraries/versions.test.ts', 'test/libraries/warnings.test.ts'],
  pure: ['test/ffi/', 'test/domain/', 'test/output/', 'test/tracing/', 'test/cli/'],
  maps: ['test/kernel/map-words-', 'test/kernel/map-types.test.ts', 'test/kernel/libbpf-functions.test.ts'],
  objects: ['test/kernel/object.test.ts', 'test/kernel/prog.test.ts', 'test/e2e/debug-log.test.ts'],
  redirect: ['test/kernel/xdp-attachment.test.ts', 'test/kernel/link.test.ts', 'test/e2e/redirect.test.ts'],
  drops: ['test/e2e/debug-drops.test.ts'],
  xsk: ['test/e2e/xsk-bind.test.ts', 'test/kernel/xskmap-reader.test.ts'],
};

/** What a tracer's version matters to: every way to lose a frame, counted by each backend. */
const tracers = {
  drops: ['test/e2e/debug-drops.test.ts', 'test/e2e/debug-events.test.ts'],
  losses: ['test/kernel/tracing-drops.test.ts'],
};

/**
 * `enter()` fetches what it takes and gives words for enter.sh, folders for the front of PATH, and other variables;
 * it throws Unavailable where that is not to be had.
 */
export const environments = [
  { name: 'bookworm', groups: { ...everything, ...tracers }, enter: () => ({}) },
  {
    name: 'bookworm-backports',
    groups: everything,
    enter: () => overlaid({ suites: ['bookworm', 'bookworm-backports'], packages: ['libbpf1/bookworm-backports'] }),
  },
  {
    name: 'trixie',
    groups: { ...everything, ...tracers },
    enter: () => overlaid({ suites: ['trixie'], packages: ['libbpf1', 'bpftrace'] }, 'bpftrace'),
  },
  {
    name: 'forky',
    groups: { ...everything, ...tracers },
    enter: () => overlaid({ suites: ['forky'], packages: ['libbpf1', 'bpftrace'] }, 'bpftrace'),
  },
  ...['22.23.3', '24.21.0', '26.12.1'].map((version) => ({
    name: `node-${version.split('.')[0]}`,
    groups: everything,
    enter: () => ({ path: [nodeFolder(version)] }),
  })),
  {
    name: 'bullseye',
    groups: { without: ['test/e2e/without-libbpf.test.ts'] },
    enter: () => onlyOldLibbpf(),
  },
  {
    name: 'arm64',
    groups: {
      versions: ['test/libraries/versions.test.ts'],
      pure: everything.pure,
      without: ['test/libraries/without-bpf.test.ts'],
    },
    // Every instruction is translated.
    slowness: 10,
    enter: () => emulated('arm64', '24.22.0'),
  },
];

/** For `npm test`: the newest of both in one, and few tests. */
export const smoke = {
  name: 'forky-node-26',
  groups: {
    versions: everything.versions,
    pure: ['test/ffi/'],
    maps: ['test/kernel/map-words-update.test.ts'],
    objects: ['test/kernel/object.test.ts'],
    redirect: ['test/kernel/xdp-attachment.test.ts'],
    xsk: ['test/kernel/xskmap-reader.test.ts'],
  },
  enter: () => ({
    ...overlaid({ suites: ['forky'], packages: ['libbpf1'] }),
    path: [nodeFolder('26.12.1')],
  }),
};

/** The libraries of a suite over those of the system, and one of its programs. */
function overlaid(packages, program) {
  const root = debianRoot(packages);
  const place = `/usr/lib/${triples[ownArchitecture]}`;
  const binary =
    program === undefined ? [] : ['--at', realpathSync(`/usr/bin/${program}`), join(root, 'usr/bin', program)];
  return { words: ['--over', place, libraryFolders(root).join(':'), ...binary] };
}

/** libbpf.so.0 of bullseye beside the system's, which the tests hide; bullseye's C library is too old for this machine. */
function onlyOldLibbpf() {
  const [from] = libraryFolders(debianRoot({ suites: ['bullseye'], packages: ['libbpf0'] }));
  const folder = kept('libbpf0', (draft) => {
    for (const name of readdirSync(from).filter((each) => each.startsWith('libbpf.so.0'))) {
      copyFileSync(join(from, name), join(draft, name));
    }
  });
  return { words: ['--over', `/usr/lib/${triples[ownArchitecture]}`, folder] };
}

/** A Node.js for another architecture, which QEMU translates, with libraries of trixie and npm's packages for it. */
function emulated(architecture, version) {
  const program = { arm64: 'qemu-aarch64' }[architecture];
  if (spawnSync(program, ['--version']).status !== 0) throw new Unavailable(`${program} is not installed`);
  const root = debianRoot({ suites: ['trixie'], packages: ['libbpf1', 'libstdc++6'], architecture });
  const node = join(nodeFolder(version, architecture), 'node');
  const wrapper = kept(`emulated_${architecture}_${version}`, (folder) => {
    const script = join(folder, 'node');
    // The kernel would not run the path that Node.js knows of itself.
    const itself = 'process.execPath = require("node:path").join(__dirname, "node");';
    writeFileSync(join(folder, 'itself.cjs'), `${itself}\n`);
    writeFileSync(
      script,
      `#!/bin/sh\nexec ${program} -L '${root}' '${node}' --require "$(dirname "$0")/itself.cjs" "$@"\n`,
    );
    chmodSync(script, 0o755);
  });
  return {
    words: ['--at', join(project, 'node_modules', '@koromix'), join(nodeModules(architecture), '@koromix')],
    path: [wrapper],
  };
}
