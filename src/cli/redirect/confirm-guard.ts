import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

import { ToolError } from '../../domain/errors.ts';
import { cannotStart, startProcess } from '../../kernel/child-process.ts';
import { childEnvironment, childScript } from '../../kernel/own-child.ts';
import type { GlobalOptions } from '../global-options.ts';

/** What the guard is told: how to say what it has done. */
export type GuardOptions = Pick<GlobalOptions, 'json' | 'quiet' | 'netns'>;

const STDERR = 2;

/**
 * A process that takes an unconfirmed change back when this one dies of what it cannot hear (SIGKILL, the lack of memory):
 * whom the change has cut off cannot give the next command. It learns of the death by the end of its input, and has to be
 * stopped when the change has an end of another kind.
 */
export class ConfirmGuard implements AsyncDisposable {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
    // #ready() tells of it.
    child.on('error', () => {});
    child.stdin?.on('error', () => {});
  }

  /** @throws ToolError when there can be no guard */
  static async start({ json, quiet, netns }: GuardOptions): Promise<ConfirmGuard> {
    const told: GuardOptions = { json, quiet, netns };
    const child = startProcess(process.execPath, [childScript('confirm-guard.cjs')], {
      // Where it does not start, Node.js has words of its own for that, which nobody needs to see.
      stdio: ['pipe', 'pipe', 'ignore', STDERR],
      cwd: '/',
      env: childEnvironment(),
    });
    const guard = new ConfirmGuard(child);
    child.stdin?.write(JSON.stringify(told));
    try {
      await guard.#ready();
      return guard;
    } catch (error) {
      await guard[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #ready(): Promise<void> {
    const { stdout } = this.#child;
    const word = await new Promise<unknown>((resolve, reject) => {
      stdout?.once('data', resolve);
      stdout?.once('end', () => resolve(undefined));
      this.#child.once('error', (error) => reject(cannotStart(process.execPath, error)));
    });
    if (word !== undefined) return;
    throw new ToolError('refused', 'the process that is to take an unconfirmed change back does not start', {
      hint: 'memory, processes or descriptors may be short; nothing has changed, and --yes does without a confirmation',
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { pid, exitCode, signalCode } = this.#child;
    if (pid === undefined || exitCode !== null || signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    // It must not see the end of its input first.
    this.#child.kill('SIGKILL');
    await ended;
    this.#child.stdin?.destroy();
  }
}
