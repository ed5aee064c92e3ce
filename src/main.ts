import { writeSync } from 'node:fs';

import { DescriptorStream } from './output/descriptor-stream.ts';

declare const __VERSION__: string;

const interruption = new AbortController();

async function main(decoded: readonly string[]): Promise<void> {
  const argv = await withRawBytes(decoded);
  const stdout = new DescriptorStream(1, () => giveBackOnTheWay(stdout));
  const stderr = new DescriptorStream(2);
  if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) {
    // Answered before anything is loaded: scripts ask this often.
    const answer = Buffer.from(`xdpctl ${__VERSION__}\n`);
    const written = stdout.writeNow(answer);
    if (written < answer.length) await stdout.write(answer.subarray(written));
    if (stdout.failure === undefined) return;
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (interruption.signal.aborted) die(signal, stdout);
      interruption.abort(signal);
      stdout.hurry();
      stderr.hurry();
    });
  }
  const { run } = await import('./run.ts');
  const { exitCode, signal } = await run(argv, {
    stdout,
    stderr,
    env: process.env,
    signal: interruption.signal,
    async *stdin() {
      const { descriptorPieces } = await import('./cli/input-file.ts');
      yield* descriptorPieces(0, interruption.signal);
    },
  });
  if (signal !== undefined) return die(signal, stdout);
  if (stdout.abandoned || stderr.abandoned) return die(interruption.signal.reason as NodeJS.Signals, stdout);
  // All output has arrived; waiting for Node to put its memory in order would take 2 ms.
  process.exit(exitCode);
}

/** The words with what is not UTF-8 in them, for which Node.js has put U+FFFD. */
async function withRawBytes(argv: readonly string[]): Promise<readonly string[]> {
  if (!argv.some((word) => word.includes('\ufffd'))) return argv;
  const { rawArguments } = await import('./kernel/raw-arguments.ts');
  return rawArguments(argv);
}

/** A terminal that is drawn on is put back when this process ends, whatever the reason, and while it is stopped (Ctrl-Z). */
function giveBackOnTheWay(stdout: DescriptorStream): void {
  process.on('exit', () => stdout.leave());
  process.on('SIGTSTP', () => {
    stdout.leave();
    process.kill(process.pid, 'SIGSTOP');
  });
  process.on('SIGCONT', () => stdout.enter());
  // Ctrl-\.
  process.on('SIGQUIT', () => die('SIGQUIT', stdout));
}

/** Dies of the signal, so that the shell sees it (128 + its number). */
function die(signal: NodeJS.Signals, stdout: DescriptorStream): void {
  stdout.leave();
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}

/** What run() cannot report, because not even the parts that would do that can be read. */
function lastResort(error: unknown): never {
  const { syscall, message } = error as NodeJS.ErrnoException;
  const exit = syscall === undefined ? 70 : 1;
  const text = `xdpctl cannot go on: ${message}`;
  const json = process.argv.some((word) => /^(?:--json|--pretty|-[A-Za-z]*[jp][A-Za-z]*)$/.test(word));
  writeSync(2, json ? `${JSON.stringify({ error: { exit, message: text } })}\n` : `error: ${text}\n`);
  process.exit(exit);
}

main(process.argv.slice(2)).catch(lastResort);
