import { type ChildProcess, spawnSync, type StdioOptions } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

import { ToolError } from '../domain/errors.ts';
import { isAbsence } from '../kernel/access.ts';
import { cannotStart, startProcess } from '../kernel/child-process.ts';

/** Where administrators' programs are, also when the user's PATH leaves them out. */
const alwaysSearched = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** The folders in which programs are looked for. */
function programFolders(): readonly string[] {
  return [...(process.env['PATH'] ?? '').split(delimiter).filter(Boolean), ...alwaysSearched];
}

/** The path of a program, or undefined when it is not installed. @throws ToolError `refused` when that cannot be told */
export function findProgram(name: string, folders = programFolders()): string | undefined {
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch (error) {
    // Nor is one that may not be run, or a folder that may not be searched, as for the shell.
    if (isAbsence(error) || codeOf(error) === 'EACCES') return false;
    throw new ToolError('refused', `cannot look for ${path}: ${codeOf(error)}`, { cause: error });
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}

/**
 * The words that make the kernel kill a program when this process dies, also of SIGKILL: setpriv of util-linux. Empty
 * where there is none that can (busybox); then the tracers notice by themselves that nobody reads them any more.
 *
 * @throws ToolError `refused`, `permission` when it cannot be asked
 */
export function deathBinding(folders = programFolders()): string[] {
  const setpriv = findProgram('setpriv', folders);
  if (setpriv === undefined) return [];
  const { stdout, error } = spawnSync(setpriv, ['--help'], { encoding: 'utf8' });
  if (error !== undefined) {
    if (isAbsence(error)) return [];
    throw cannotStart(setpriv, error);
  }
  return stdout.includes('--pdeathsig') ? [setpriv, '--pdeathsig', 'KILL', '--'] : [];
}

export interface TracerOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly stdio: StdioOptions;
}

/** How a tracer ended. */
export interface TracerExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** How much of what a tracer says on stderr is kept. */
const stderrLimit = 16_384;

/**
 * A tracing program that cannot outlive this process, and that Ctrl-C on the terminal does not reach: it runs in a
 * session of its own, so that we decide when it stops and no count is lost.
 */
export class TracerProcess implements AsyncDisposable {
  readonly child: ChildProcess;
  /** Settles when it has ended and all its output has been read; never rejects. */
  readonly exit: Promise<TracerExit>;
  #stderr = '';

  /** @throws ToolError `refused`, `permission` when it cannot be started; the other reasons are told by `exit` */
  constructor(argv: readonly [program: string, ...args: string[]], { env = {}, stdio }: TracerOptions) {
    const [program = argv[0], ...words] = [...deathBinding(), ...argv];
    this.child = startProcess(program, words, { stdio, env: { ...process.env, ...env } });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(0, stderrLimit);
    });
    this.exit = new Promise((resolve) => {
      this.child.on('error', (error) => {
        this.#stderr += error.message;
        resolve({ code: null, signal: null });
      });
      this.child.on('close', (code, signal) => resolve({ code, signal }));
    });
  }

  get stderr(): string {
    return this.#stderr;
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  /** Kills it and whatever it has started, which would else keep its output open. */
  kill(): void {
    const { pid, exitCode, signalCode } = this.child;
    if (pid === undefined || exitCode !== null || signalCode !== null) return;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // It ended between the two lines.
    }
  }

  /** Kills it if it still runs, and waits for its end. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.kill();
    await this.exit;
  }
}
