import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { randomWord, runPrefix, runVariable } from '../run-id.ts';

/** Filesystems that the tests need, and a file that shows that they are mounted. */
const mounts = [
  { type: 'bpf', folder: '/sys/fs/bpf', mounted: () => mountedTypes('/sys/fs/bpf').includes('bpf') },
  { type: 'tracefs', folder: '/sys/kernel/tracing', mounted: () => existsSync('/sys/kernel/tracing/events') },
];

/**
 * Before the kernel and e2e tests: mounts what is not mounted, names the run, and starts the reaper, which outlives
 * whatever happens. After them: fails when the tests left something behind.
 */
export default function setup(): (() => Promise<void>) | void {
  if (process.getuid?.() !== 0 || process.env[runVariable] !== undefined) return undefined;
  for (const { type, folder, mounted } of mounts) {
    if (!mounted()) spawnSync('mount', ['-t', type, type, folder], { stdio: 'inherit' });
  }

  // Its group of its own keeps it alive when the terminal or a time limit kills ours.
  const { [runVariable]: _, ...environment } = process.env;
  const run = randomWord(4);
  process.env[runVariable] = run;
  const reaper = spawn(process.execPath, [join(import.meta.dirname, '..', 'reaper.mjs'), runPrefix()], {
    detached: true,
    stdio: ['pipe', 'pipe', 'inherit'],
    env: environment,
  });
  let removed = '';
  reaper.stdout.setEncoding('utf8').on('data', (text: string) => (removed += text));

  return async () => {
    const ended = new Promise((resolve) => reaper.on('close', resolve));
    reaper.stdin.end();
    await ended;
    if (removed === '') return;
    process.exitCode = 1;
    throw new Error(`the tests left behind, now removed:\n${removed}`);
  };
}

function mountedTypes(folder: string): string[] {
  const { stdout } = spawnSync('findmnt', ['-n', '-o', 'FSTYPE', folder], { encoding: 'utf8' });
  return stdout.split('\n');
}
