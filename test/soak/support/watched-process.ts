import { spawn, type ChildProcess } from 'node:child_process';

import { commandEnvironment, xdpctlPath } from '../../support/command.ts';
import { inNamespace } from '../../support/tool.ts';

/** How a process ended, and what it printed last. */
export interface WatchedEnd {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The last whole line of stdout. */
  readonly lastLine: string;
  readonly stderr: string;
}

/** A command of ours that prints more than is worth keeping: its output is read, counted and forgotten. */
export class WatchedProcess implements AsyncDisposable {
  readonly child: ChildProcess;
  /** How often the text that is counted has been printed. */
  count = 0;
  stderr = '';
  readonly #end: Promise<WatchedEnd>;

  /** @param counted a text of which each occurrence on stdout is counted */
  constructor(args: readonly string[], namespace: string, counted: string) {
    const [program = '', ...words] = inNamespace(namespace, [xdpctlPath, ...args]);
    this.child = spawn(program, words, { env: commandEnvironment(), stdio: ['pipe', 'pipe', 'pipe'] });
    let rest = '';
    let line = '';
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      const whole = rest + text;
      this.count += whole.split(counted).length - 1;
      // Of what is cut in two, the first part is kept, which is shorter than the whole.
      const end = whole.lastIndexOf(counted);
      rest = (end === -1 ? whole : whole.slice(end + counted.length)).slice(-(counted.length - 1));
      const lines = (line + text).split('\n');
      line = lines.at(-1) === '' ? `${lines.at(-2) ?? ''}\n` : (lines.at(-1) ?? '');
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.#end = new Promise((resolve, reject) => {
      this.child.on('error', reject);
      this.child.on('close', (status, signal) =>
        resolve({ status, signal, lastLine: line.trim(), stderr: this.stderr }),
      );
    });
    this.#end.catch(() => {});
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** Whether it has said that it is ready. */
  get ready(): boolean {
    return /^ready:/m.test(this.stderr);
  }

  /** Whether it has ended, asked or not. */
  get ended(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** Sends a signal, when there is one, and waits for the end. */
  end(signal?: NodeJS.Signals): Promise<WatchedEnd> {
    if (signal !== undefined) this.child.kill(signal);
    return this.#end;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill('SIGKILL');
    await this.#end.catch(() => {});
  }
}
