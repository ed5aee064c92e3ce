import { readFileSync, writeSync } from 'node:fs';

import { libbpfVersion } from '../../kernel/libbpf-version.ts';
import { DescriptorStream } from '../../output/descriptor-stream.ts';
import { Reporter } from '../../output/reporter.ts';
import { defaultOptions, type GlobalOptions } from '../global-options.ts';
import { toToolError } from '../to-tool-error.ts';
import type { GuardOptions } from './confirm-guard.ts';
import { holdStore } from './store.ts';

/*
 * The program of a ConfirmGuard, which see: a process of its own, in a session of its own, and in the network namespace of
 * the command that it guards.
 */

const STDIN = 0;
const STDOUT = 1;
/** Of the command that it guards; its own would get what Node.js says where it cannot start. */
const STDERR = 3;

async function guard(): Promise<void> {
  // Loaded now: what kills the command may be a lack of memory.
  libbpfVersion();
  writeSync(STDOUT, 'ready\n');
  // Comes to an end when the command does.
  const told = readFileSync(STDIN, 'utf8');
  const given = told === '' ? {} : (JSON.parse(told) as GuardOptions);
  // Where nothing is mounted any more, nothing is left to take back.
  const options: GlobalOptions = { ...defaultOptions, ...given, nomount: true };
  const streams = { stdout: new DescriptorStream(STDOUT), stderr: new DescriptorStream(STDERR) };
  const reporter = new Reporter(streams, { ...options, env: process.env });
  try {
    const held = await holdStore({
      options,
      signal: new AbortController().signal,
      note: (text) => reporter.note(text),
      warn: (warning) => reporter.warn(warning),
    });
    held[Symbol.dispose]();
  } catch (error) {
    await reporter.failure(toToolError(error));
  }
}

void guard();
