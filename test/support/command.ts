import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { untilLine } from './lines.ts';
import { fixtureName } from './run-id.ts';
import { slowness } from './slowness.ts';
import { inNamespace } from './tool.ts';

/** The built command, as users run it. */
export const xdpctlPath = join(import.meta.dirname, '..', '..', 'bin', 'xdpctl');

export interface CommandOptions {
  /** What it reads on stdin; nothing when absent. */
  readonly input?: string | Uint8Array;
  /** Variables to set, or with undefined to remove. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Name of the network namespace to run in. */
  readonly namespace?: string;
  readonly cwd?: string;
  /** Words that run it: `['setpriv', '--reuid=1000', '--']`. */
  readonly wrapper?: readonly string[];
  /** After how long it is killed, where nothing is slow; 30,000 when absent. */
  readonly milliseconds?: number;
}

/** How a command ended, and all it wrote. */
export class CommandResult {
  /** Exit code; null when it died of a signal. */
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;

  constructor(status: number | null, signal: NodeJS.Signals | null, stdout: string, stderr: string) {
    this.status = status;
    this.signal = signal;
    this.stdout = stdout;
    this.stderr = stderr;
  }

  /** stdout, parsed as one JSON document. */
  json(): unknown {
    return parse(this.stdout, this);
  }

  /** stdout, parsed as one JSON document a line. */
  jsonLines(): unknown[] {
    return lines(this.stdout).map((line) => parse(line, this));
  }

  /** The JSON objects on stderr, without the line that begins with `ready:`. */
  jsonErrors(): unknown[] {
    return lines(this.stderr)
      .filter((line) => !line.startsWith('ready:'))
      .map((line) => parse(line, this));
  }
}

/** Runs `xdpctl …` and waits for its end. */
export function xdpctl(args: readonly string[], options: CommandOptions = {}): CommandResult {
  const [program, words] = commandLine(args, options);
  const { status, signal, stdout, stderr, error } = spawnSync(program, words, {
    ...spawnOptions(options),
    input: options.input ?? '',
    encoding: 'utf8',
    maxBuffer: 1 << 30,
    timeout: (options.milliseconds ?? 30_000) * slowness,
    killSignal: 'SIGKILL',
  });
  if (error !== undefined) throw error;
  return new CommandResult(status, signal, stdout, stderr);
}

/** A command that still runs; killed when it is disposed of. */
export class RunningCommand implements AsyncDisposable {
  readonly child: ChildProcess;
  stdout = '';
  stderr = '';
  readonly #result: Promise<CommandResult>;

  constructor(child: ChildProcess, milliseconds: number) {
    this.child = child;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    const timer = setTimeout(() => child.kill('SIGKILL'), milliseconds);
    this.#result = new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (status, signal) => {
        clearTimeout(timer);
        resolve(new CommandResult(status, signal, this.stdout, this.stderr));
      });
    });
    this.#result.catch(() => {});
  }

  /** Waits for the line that says the kernel side is in place. */
  async ready(): Promise<void> {
    await this.untilStderr(/^ready:/);
  }

  /** Waits for a whole or begun line of stderr that matches, also one already written, and returns it. */
  async untilStderr(pattern: RegExp): Promise<string> {
    return lines(this.stderr).find((line) => pattern.test(line)) ?? (await untilLine(this.child, 'stderr', pattern));
  }

  /** The same for stdout. */
  async untilStdout(pattern: RegExp): Promise<string> {
    return lines(this.stdout).find((line) => pattern.test(line)) ?? (await untilLine(this.child, 'stdout', pattern));
  }

  /** Sends a signal and waits for the end. */
  stop(signal: NodeJS.Signals = 'SIGINT'): Promise<CommandResult> {
    this.child.kill(signal);
    return this.#result;
  }

  /** Waits for the end. */
  result(): Promise<CommandResult> {
    return this.#result;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill('SIGKILL');
    await this.#result.catch(() => {});
  }
}

/**
 * Starts `xdpctl …` and returns at once. Its stdin is empty without `input`; with `keepInputOpen`, write to
 * `child.stdin` yourself.
 */
export function startXdpctl(
  args: readonly string[],
  options: CommandOptions & { readonly keepInputOpen?: boolean } = {},
): RunningCommand {
  const [program, words] = commandLine(args, options);
  const child = spawn(program, words, { ...spawnOptions(options), stdio: ['pipe', 'pipe', 'pipe'] });
  // A command that ends without reading its input is not a failure of the test.
  child.stdin.on('error', () => {});
  if (options.keepInputOpen !== true) child.stdin.end(options.input);
  return new RunningCommand(child, (options.milliseconds ?? 30_000) * slowness);
}

/** A folder of its own on the BPF filesystem for a test's pins, removed with all of them. */
export class PinFolder implements Disposable {
  readonly path = `/sys/fs/bpf/${fixtureName()}`;

  constructor() {
    mkdirSync(this.path);
  }

  /** The path of a pin in it. */
  pin(name: string): string {
    return join(this.path, name);
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

function commandLine(args: readonly string[], { namespace, wrapper = [] }: CommandOptions): [string, string[]] {
  const [program = '', ...words] = inNamespace(namespace, [...wrapper, xdpctlPath, ...args]);
  return [program, words];
}

/**
 * The test's own environment, without what Vitest put there, and without the certificates that cost Node 27 ms at
 * every start.
 */
export function commandEnvironment(env: CommandOptions['env'] = {}): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(
    ([name]) =>
      !/^(NODE_EXTRA_CA_CERTS|NODE_ENV|NODE_V8_COVERAGE|FORCE_COLOR|FORCE_TTY|TEST|VITEST.*|VITE_.*)$/.test(name),
  );
  return Object.fromEntries([...inherited, ...Object.entries(env)].filter(([, value]) => value !== undefined));
}

function spawnOptions({ env, cwd }: CommandOptions): { env: NodeJS.ProcessEnv; cwd?: string } {
  return { env: commandEnvironment(env), ...(cwd === undefined ? {} : { cwd }) };
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}

function parse(text: string, result: CommandResult): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error(`not JSON: ${text}\nexit ${result.status}, stderr: ${result.stderr}`, { cause });
  }
}
