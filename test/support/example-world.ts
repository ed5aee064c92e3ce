import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import type { Example } from '../../src/cli/verb.ts';
import { CommandResult, commandEnvironment, xdpctlPath } from './command.ts';
import { runPrefix } from './run-id.ts';

const script = join(import.meta.dirname, 'example-world.sh');
const project = join(import.meta.dirname, '..', '..');

/** Exit code of the script when the world could not be made. */
const NO_WORLD = 99;

/**
 * Runs an example's command line as a person types it, by a shell, in a new world (example-world.sh) and an empty
 * directory of its own.
 *
 * @throws Error when the world cannot be made
 */
export function runInExampleWorld({ command, given }: Pick<Example, 'command' | 'given'>): CommandResult {
  const cwd = mkdtempSync(join(tmpdir(), runPrefix()));
  const environment = commandEnvironment();
  try {
    const words = ['--mount', '--net', 'sh', script, command, given ?? ''];
    const { status, signal, stdout, stderr, error } = spawnSync('unshare', words, {
      cwd,
      env: {
        ...environment,
        PATH: `${dirname(xdpctlPath)}:${environment['PATH'] ?? ''}`,
        BPF_OBJECTS: join(project, 'bpf-objects'),
        SCRIPTS: join(project, 'bin', 'dev'),
      },
      encoding: 'utf8',
      timeout: 30_000,
      killSignal: 'SIGKILL',
    });
    if (error !== undefined) throw error;
    if (status === NO_WORLD) throw new Error(`the world for the examples could not be made: ${stderr}`);
    return new CommandResult(status, signal, stdout, stderr);
  } finally {
    rmSync(cwd, { recursive: true, force: true });
  }
}
