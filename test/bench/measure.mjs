/** Runs whole processes and measures them. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const bin = join(import.meta.dirname, '..', '..', 'bin', 'xdpctl');

/** The words that run the built command, as a shell would by its first line. */
export function xdpctl(...words) {
  return [process.execPath, bin, ...words];
}

/**
 * Runs a command to its end. What it prints on stdout goes to /dev/null, so that no reader takes part; stderr must stay empty.
 *
 * @param {string[]} command
 * @returns {number} seconds from its start to its end
 */
export function seconds([program, ...args]) {
  const start = performance.now();
  const { status, signal, error, stderr } = spawnSync(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const end = performance.now();
  if (error) throw error;
  if (status !== 0 || stderr.length > 0) {
    throw new Error(`${[program, ...args].join(' ')}: ended with ${signal ?? status}: ${stderr}`);
  }
  return (end - start) / 1000;
}

/**
 * Takes measurements in turn (A B C A B C …), so that whatever else the machine does meets them alike.
 *
 * @param {(() => number)[]} measurements
 * @param {number} rounds after one that only warms up the caches
 * @returns {number[][]} for each round what each gave
 */
export function inTurn(measurements, rounds) {
  const round = () => measurements.map((measure) => measure());
  round();
  return Array.from({ length: rounds }, round);
}

/**
 * How much longer each command takes than its peer: the median over the rounds of the ratio within a round, because the
 * machine's speed changes from round to round.
 *
 * @param {string[]} peer
 * @param {string[][]} commands
 * @param {number} rounds
 * @returns {number[]}
 */
export function ratios(peer, commands, rounds) {
  const times = inTurn(
    [peer, ...commands].map((command) => () => seconds(command)),
    rounds,
  );
  return commands.map((_, index) => median(times.map(([first, ...others]) => others[index] / first)));
}

/** @param {number[]} numbers */
export function median(numbers) {
  const sorted = numbers.toSorted((one, other) => one - other);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * The most memory that a command of ours has had in use, in MiB. It tells itself before it exits (peak-memory.cjs), since
 * Node says nothing of its children's.
 *
 * @param {string[]} words
 */
export function peakMemory(...words) {
  return inFolder((folder) => {
    const file = join(folder, 'peak');
    process.env.XDPCTL_BENCH_PEAK = file;
    seconds([process.execPath, '--require', join(import.meta.dirname, 'peak-memory.cjs'), bin, ...words]);
    return Number(readFileSync(file, 'utf8')) / 1024;
  });
}

/** Calls `work` with a folder that is there only meanwhile. */
export function inFolder(work) {
  const folder = mkdtempSync(join(tmpdir(), 'xdpctl-bench-'));
  try {
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
