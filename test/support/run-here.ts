import type { ByteStream } from '../../src/output/sink.ts';
import type { Io } from '../../src/run.ts';
import { run } from '../../src/run.ts';
import { CommandResult } from './command.ts';

/**
 * Runs `xdpctl …` in this process, which is sixty times as fast as starting it: for tests that run hundreds of commands
 * and look only at what these print and how they end.
 */
export function runHere(...args: readonly string[]): Promise<CommandResult> {
  return runWith(args, async function* nothing() {});
}

/** The same with the standard input given as it comes, or fails. */
export async function runWith(args: readonly string[], stdin: Io['stdin']): Promise<CommandResult> {
  const [stdout, stderr] = [new Collector(), new Collector()];
  const io: Io = { stdout, stderr, env: {}, signal: new AbortController().signal, stdin };
  const { exitCode } = await run(args, io);
  return new CommandResult(exitCode, null, stdout.text(), stderr.text());
}

class Collector implements ByteStream {
  readonly isTerminal = false;
  readonly closed = false;
  readonly #pieces: Uint8Array[] = [];

  writeNow(bytes: Uint8Array): number {
    this.#pieces.push(bytes.slice());
    return bytes.length;
  }

  write(bytes: Uint8Array): Promise<void> {
    this.writeNow(bytes);
    return Promise.resolve();
  }

  text(): string {
    return Buffer.concat(this.#pieces).toString();
  }
}
