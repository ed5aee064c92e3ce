import { readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { type CommandOptions, type CommandResult, xdpctl, xdpctlPath } from '../../support/command.ts';
import { TemporaryFolder } from '../../support/temporary-folder.ts';
import { compilePreload } from './preload.ts';

/** A call into the C library that a command made, as failing-calls.c tells it. */
export interface Call {
  /** `bpf`, `open`, `recv`, …; `syscall_434` for one without a function of its own. */
  readonly name: string;
  /** Its path, its descriptor, or the first of its numbers. */
  readonly detail: string;
  /** Which of those with this name and detail it is, from 1. */
  readonly nth: number;
}

/** What goes wrong. */
export interface Fault {
  /** Which of the calls fails, from 1; with `lasting` those after it fail too. */
  readonly at: number;
  /** Errno that it gives. */
  readonly errno?: number;
  /** A signal that the command gets before the call, which then is made. */
  readonly signal?: number;
  readonly lasting?: boolean;
  /** The calls that are numbered: those with a name, or with a name and a detail; all of them without it. */
  readonly only?: string;
}

/** How a command ended that met a fault. */
export interface FaultyRun {
  readonly result: CommandResult;
  readonly calls: readonly Call[];
  /** Whether the fault came to pass. */
  readonly met: boolean;
  /** Descriptors and mappings of ours that were still there when the process ended. */
  readonly left: readonly string[];
  /** An environment variable and its value that this command and all that it started have, and nobody else. */
  readonly mark: string;
}

const source = join(import.meta.dirname, 'failing-calls.c');
const project = dirname(dirname(xdpctlPath));

/** How long a command may take: some wait for bpftrace, on a machine on which other tests run at the same time. */
const PATIENCE_MS = 120_000;

/** Runs commands of which one system call fails. */
export class FaultyCommands implements Disposable {
  readonly #folder = new TemporaryFolder();
  #library: string | undefined;
  #runs = 0;
  #isKnown = false;

  /** Runs `xdpctl …` and waits for its end; without a fault it only tells the calls. */
  run(args: readonly string[], fault: Fault | undefined, options: CommandOptions = {}): FaultyRun {
    this.#runs += 1;
    const log = this.#folder.file(`calls-${this.#runs}`);
    const env = { ...options.env, ...this.environment(log, fault) };
    const result = xdpctl(args, { milliseconds: PATIENCE_MS, ...options, env });
    const lines = readFileSync(log, 'utf8').split('\n');
    rmSync(log);
    return {
      result,
      calls: parseCalls(lines),
      met: lines.some((line) => line.startsWith('failed ')),
      left: lines.filter((line) => LEFT.test(line) && !RESERVE.test(line)),
      mark: `FAULTS_LOG=${log}`,
    };
  }

  /** What a command must have in its environment for that. @param log a file that is not there yet */
  environment(log: string, fault: Fault | undefined): Record<string, string> {
    this.#library ??= compilePreload(source, this.#folder);
    return {
      LD_PRELOAD: this.#library,
      FAULTS_LOG: log,
      FAULTS_FROM: '/dist/xdpctl.cjs',
      FAULTS_CODE: project,
      FAULTS_AT: String((fault?.at ?? 0) * (fault?.lasting === true ? -1 : 1)),
      ...(fault?.errno !== undefined && { FAULTS_ERRNO: String(fault.errno) }),
      ...(fault?.signal !== undefined && { FAULTS_SIGNAL: String(fault.signal) }),
      ...(fault?.only !== undefined && { FAULTS_ONLY: fault.only }),
    };
  }

  /**
   * How many calls at the beginning every command makes: the way into the namespace, the FFI library. Faults of those need to
   * be met only once.
   */
  knownUntil(calls: readonly Call[]): number {
    const known = this.#isKnown;
    this.#isKnown = true;
    return known ? calls.findIndex(({ name }) => name === 'setns') + 1 : 0;
  }

  [Symbol.dispose](): void {
    this.#folder[Symbol.dispose]();
  }
}

/** The lines that tell what is left at the end; a call of the same name has a path there, not a number. */
const LEFT = /^(?:open \d+ |mapped )/;

/**
 * libuv keeps a descriptor for when there are no more, from the first pipe on: of /dev/null, or of / where that cannot be
 * opened (uv__stream_init, src/unix/stream.c).
 */
const RESERVE = /^open \d+ open \/(?:dev\/null)?$/;

function parseCalls(lines: readonly string[]): Call[] {
  const counts = new Map<string, number>();
  return lines
    .filter((line) => line !== '' && !LEFT.test(line) && !line.startsWith('failed '))
    .map((line) => {
      const nth = (counts.get(line) ?? 0) + 1;
      counts.set(line, nth);
      const [, name = '', detail = ''] = /^(\S+) ?(.*)$/.exec(line) ?? [];
      return { name, detail, nth };
    });
}

/** How a call is named among all others. */
export function callText({ name, detail }: Call): string {
  return `${name} ${detail}`;
}
