import { spawnSync } from 'node:child_process';

/** What else a program is given. */
export interface ToolOptions {
  readonly input?: string;
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

/**
 * Runs a helper program (ip, ethtool, bpftool, …) and returns its stdout.
 *
 * @throws Error with its stderr when it fails
 */
export function tool(program: string, args: readonly string[], options: ToolOptions = {}): string {
  const { status, signal, stdout, stderr, error } = spawnSync(program, args, {
    encoding: 'utf8',
    maxBuffer: 1 << 30,
    ...options,
  });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${signal ?? `exit ${status}`}: ${stderr}${stdout}`);
  return stdout;
}

/** The same, for a program that prints one JSON document. */
export function toolJson(program: string, args: readonly string[]): unknown {
  return JSON.parse(tool(program, args), eachPinOnce);
}

/** bpftool names a pin once for each bpffs that is mounted there, one on top of the other. */
export function eachPinOnce(key: string, value: unknown): unknown {
  return key === 'pinned' && Array.isArray(value) ? [...new Set<unknown>(value)] : value;
}

/** The words that run a program inside a network namespace; those of the program alone for the machine's own. */
export function inNamespace(namespace: string | undefined, argv: readonly string[]): string[] {
  return namespace === undefined ? [...argv] : ['nsenter', `--net=/run/netns/${namespace}`, ...argv];
}
