import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync } from 'node:fs';

import { startTests, type Suite, type Task, type TaskResult, type Test, type VitestRunner } from '@vitest/runner';

import { slowness } from '../../support/slowness.ts';

/** How one test ended, as bin/dev/test-reporter.mjs has it. */
interface Result {
  readonly file: string;
  readonly name: string;
  readonly state: 'passed' | 'failed' | 'skipped';
  readonly reason?: string;
  readonly seconds?: number;
}

/**
 * Runs the tests of one file, and writes each result to the file that XDPCTL_RESULTS names as soon as it is there, one
 * JSON object a line; what failed, with all its words, to stderr. XDPCTL_ONLY is a regular expression that chooses tests.
 */
export async function runFile(name: string, load: () => Promise<unknown>): Promise<void> {
  const told = new Set<Task>();
  const pattern = process.env['XDPCTL_ONLY'];
  const only = pattern === undefined ? undefined : new RegExp(pattern);
  const write = (result: Omit<Result, 'file'>): void => {
    appendFileSync(process.env['XDPCTL_RESULTS'] ?? '/dev/stdout', `${JSON.stringify({ file: name, ...result })}\n`);
  };
  const tell = (test: Test): void => {
    if (told.has(test) || (only !== undefined && !only.test(fullName(test)))) return;
    told.add(test);
    // Its type does not name the reason for a skip.
    const { state, note, errors = [] }: Partial<TaskResult> & { note?: string } = test.result ?? {};
    const failed = state === 'fail';
    const reason = failed ? firstLine(errors[0]?.message) : note;
    write({
      name: fullName(test),
      state: failed ? 'failed' : state === 'pass' ? 'passed' : 'skipped',
      ...(reason === undefined ? {} : { reason }),
      seconds: Math.round((test.result?.duration ?? 0) / 100) / 10,
    });
    if (failed) complain(fullName(test), errors);
  };
  const runner: VitestRunner = {
    config: {
      root: '/',
      setupFiles: [],
      name: '',
      passWithNoTests: false,
      testNamePattern: only,
      allowOnly: false,
      sequence: { seed: 1, hooks: 'stack', setupFiles: 'list' },
      chaiConfig: undefined,
      maxConcurrency: 1,
      testTimeout: 120_000 * slowness,
      hookTimeout: 120_000 * slowness,
      retry: 0,
      includeTaskLocation: false,
      tags: [],
      tagsFilter: undefined,
      strictTags: false,
    },
    importFile: load,
    onAfterRunTask: tell,
  };
  await openReserve();
  const files = await startTests([name], runner);
  for (const file of files) {
    for (const test of testsOf(file)) tell(test);
    for (const suite of [file, ...suitesOf(file)]) {
      const errors = suite.result?.errors ?? [];
      if (errors.length === 0) continue;
      const place = `${fullName(suite)} (set-up, clean-up or loading)`.trim();
      write({ name: place, state: 'failed', reason: firstLine(errors[0]?.message) });
      complain(place, errors);
    }
  }
}

/**
 * With its first stream, libuv opens /dev/null for good, to have a descriptor when there are no more (uv__stream_init). Tests
 * that look for what stays open would find it; Vitest has streams before.
 */
async function openReserve(): Promise<void> {
  await once(spawn('true'), 'close');
}

function testsOf(suite: Suite): Test[] {
  return suite.tasks.flatMap((task) => (task.type === 'suite' ? testsOf(task) : [task]));
}

function suitesOf(suite: Suite): Suite[] {
  return suite.tasks.flatMap((task) => (task.type === 'suite' ? [task, ...suitesOf(task)] : []));
}

function fullName(task: Task): string {
  const { suite } = task;
  const before = suite === undefined || suite === task.file ? '' : fullName(suite);
  if (task === task.file) return '';
  return before === '' ? task.name : `${before} > ${task.name}`;
}

function firstLine(text = ''): string {
  return text.trim().split('\n', 1)[0] ?? '';
}

interface Failure {
  readonly message: string;
  readonly stack?: string;
  readonly diff?: string;
}

function complain(name: string, errors: readonly Failure[]): void {
  const words = errors.map(({ message, stack = '', diff = '' }) => `${message}\n${diff}\n${stack}\n`);
  process.stderr.write(`FAILED ${name}\n${words.join('')}`);
}
