import type { SpawnSyncReturns } from 'node:child_process';
import { createRequire } from 'node:module';

import { KernelRefusal, ToolError } from '../../domain/errors.ts';
import { hearFromElsewhere, isListening } from '../../ffi/libbpf-log.ts';
import { libbpf } from '../../ffi/libbpf.ts';
import { EINTR } from '../check.ts';
import { receiveDescriptors, socketPair } from '../descriptor-passing.ts';
import type { Fd } from '../fd.ts';
import { childEnvironment, childScript } from '../own-child.ts';
import type { LoadTask, ObjectDescription, ObjectReport, ObjectTask } from './task.ts';

/** How long libbpf may take to read a file, and to load it: the verifier may need a minute for a huge program. */
const READ_LIMIT_MS = 30_000;
const LOAD_LIMIT_MS = 300_000;
/** The verifier's whole log of each program may be 16 MiB (--debug). */
const REPORT_LIMIT = 1 << 29;

/** Signals by which people and systems end a process, which this one gets as well. */
const asked: ReadonlySet<NodeJS.Signals> = new Set(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT']);

/** libbpf crashed, or came to no end, with a file. */
export class LibraryCrash extends ToolError {}

/** Whether libbpf was stopped while it worked on a file: what it had done by then is not taken back. */
export function wasCutShort(error: unknown): boolean {
  return error instanceof LibraryCrash || (error instanceof KernelRefusal && error.errno === EINTR);
}

/** What was loaded, by positions in the file. The caller owns the descriptors. */
export interface LoadedDescriptors {
  readonly programs: ReadonlyMap<number, Fd>;
  readonly maps: ReadonlyMap<number, Fd>;
}

/**
 * Says what is in a file of programs.
 *
 * @param path for messages, and for the names of data sections
 * @param milliseconds how long libbpf may take
 * @throws KernelRefusal `object open`; LibraryCrash
 */
export function describeObject(path: string, bytes: Uint8Array, milliseconds = READ_LIMIT_MS): ObjectDescription {
  const { object } = perform({ path, verbose: isListening() }, bytes, [], milliseconds);
  if (object === undefined) throw new Error('the child described nothing');
  return object;
}

/**
 * Loads a file of programs.
 *
 * @param reused descriptors of maps, by the position of the map in the file whose place they take
 * @param unpinned positions of maps that libbpf is not to pin, although the source says so
 * @throws KernelRefusal `object open`, `object map`, `object program`, `object load`; LibraryCrash
 */
export function loadObject(
  path: string,
  bytes: Uint8Array,
  programs: LoadTask['programs'],
  reused: ReadonlyMap<number, number>,
  unpinned: readonly number[] = [],
): LoadedDescriptors {
  const [ours, theirs] = socketPair();
  using _ours = ours;
  const inherited = [theirs.number, ...reused.values()];
  const maps: LoadTask['maps'] = [
    ...[...reused.keys()].map((index, position) => ({ index, fd: FIRST_MAP_SLOT + position })),
    ...unpinned.map((index) => ({ index, unpinned: true as const })),
  ];
  let report;
  try {
    report = perform({ path, verbose: isListening(), load: { programs, maps } }, bytes, inherited, LOAD_LIMIT_MS);
  } finally {
    theirs[Symbol.dispose]();
  }
  const received = receiveDescriptors(ours.number);
  const take = (indexes: readonly number[]): ReadonlyMap<number, Fd> =>
    new Map(
      indexes.flatMap((index) => {
        const fd = received.shift();
        return fd === undefined ? [] : [[index, fd] as const];
      }),
    );
  return { programs: take(report.sent?.programs ?? []), maps: take(report.sent?.maps ?? []) };
}

/** Standard input, output and error, and the socket come before. */
const FIRST_MAP_SLOT = 4;

/** @param inherited descriptors that the child gets as 3 and what follows */
function perform(
  task: ObjectTask,
  bytes: Uint8Array,
  inherited: readonly number[],
  milliseconds: number,
): ObjectReport {
  // Where there is no libbpf, this says so.
  libbpf.libbpf_version_string();
  const ended = childProcess().spawnSync(process.execPath, [childScript('object-child.cjs')], {
    input: Buffer.concat([Buffer.from(`${JSON.stringify(task)}\n`), bytes]),
    stdio: ['pipe', 'pipe', 'pipe', ...inherited],
    cwd: '/',
    env: childEnvironment(),
    timeout: milliseconds,
    killSignal: 'SIGKILL',
    maxBuffer: REPORT_LIMIT,
  });
  const report = reportOf(ended, task.path, task.load === undefined ? 'open' : 'load');
  hearFromElsewhere(report.messages);
  const { refusal } = report;
  if (refusal === undefined) return report;
  const { operation, errno, log } = refusal;
  throw new KernelRefusal(operation, errno, { path: task.path, ...(log !== undefined && { log }) });
}

/** Loaded only here: it takes 3 ms, and most paths that are attached use no file of the user's. */
function childProcess(): typeof import('node:child_process') {
  return createRequire(import.meta.filename)('node:child_process') as typeof import('node:child_process');
}

function reportOf(
  { status, signal, error, stdout, stderr }: SpawnSyncReturns<Buffer>,
  path: string,
  step: 'open' | 'load',
): ObjectReport {
  const { code } = (error ?? {}) as NodeJS.ErrnoException;
  const timedOut = code === 'ETIMEDOUT';
  if (error !== undefined && !timedOut) throw error;
  if (timedOut) throw crash(path, step, 'comes to no end');
  if (signal !== null && asked.has(signal)) throw new KernelRefusal(`object ${step}`, EINTR, { path });
  if (signal !== null) {
    const [lastWords = ''] = stderr.toString().trim().split('\n').slice(-1);
    throw crash(path, step, `crashes (${signal}${lastWords === '' ? '' : `: ${lastWords}`})`);
  }
  if (status !== 0) throw new Error(`the process that reads objects failed: ${stderr.toString()}`);
  return JSON.parse(stdout.toString()) as ObjectReport;
}

function crash(path: string, step: 'open' | 'load', what: string): LibraryCrash {
  return new LibraryCrash(
    step === 'load' ? 'refused' : 'usage',
    `libbpf ${what} when it ${step === 'load' ? 'loads' : 'reads'} ${path}`,
    {
      hint: 'the file is damaged, or made to do harm: compile it anew; a newer libbpf may say what is wrong with it',
      operation: `object ${step}`,
    },
  );
}
