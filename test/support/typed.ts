import { type ChildProcess, spawn } from 'node:child_process';
import { dirname } from 'node:path';

import { commandEnvironment, xdpctlPath } from './command.ts';
import { tool } from './tool.ts';

/** Where a person types commands that a command of ours has printed: `xdpctl` is the built one. */
function environment(): NodeJS.ProcessEnv {
  const env = commandEnvironment();
  return { ...env, PATH: `${dirname(xdpctlPath)}:${env['PATH'] ?? ''}` };
}

/** Shells as people have them before them: all but fish read what is typed, with history expansion where they know it. */
const shells = {
  sh: ['sh'],
  bash: ['bash', '--norc', '-i'],
  zsh: ['zsh', '-f', '-i'],
  fish: ['fish', '--no-config', '-c'],
} as const;

export type Shell = keyof typeof shells;

/** Types a command into a shell, and waits for its end. @throws Error when it fails */
export function typed(command: string, shell: Shell = 'sh', cwd?: string): void {
  const [program, ...words] = shells[shell];
  const place = { env: environment(), ...(cwd !== undefined && { cwd }) };
  // fish cannot read from the socket that is the input here.
  if (shell === 'fish') tool(program, [...words, command], place);
  else tool(program, words, { ...place, input: `${command}\n` });
}

/** A command that was typed and stays in the foreground; it is interrupted when it is disposed of. */
export class TypedCommand implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;

  constructor(command: string) {
    // A group of its own, as a shell gives every command, so that the interruption reaches all of it.
    this.#child = spawn('sh', ['-c', command], { env: environment(), detached: true, stdio: 'ignore' });
    this.#ended = new Promise((resolve) => {
      this.#child.on('close', () => resolve());
      this.#child.on('error', () => resolve());
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { pid } = this.#child;
    if (pid !== undefined && this.#child.exitCode === null) process.kill(-pid, 'SIGINT');
    await this.#ended;
  }
}
