/**
 * Runs a consumer of an AF_XDP socket on one CPU while the kernel sends frames to it from another, and prints
 * `{"frames":…,"sent":…,"seconds":…}`.
 *
 *     node test/bench/xsk/receive.mjs SENDING_DEV SECONDS SIZE CONSUMER WORDS…
 *
 * The consumer prints `ready:` on stderr, ends at SIGINT, and prints a number of frames, or JSON with `frames`, on stdout.
 */
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

const [device, seconds, size, ...consumer] = process.argv.slice(2);
const generator = join(import.meta.dirname, '..', '..', 'support', 'live-frames.mjs');

function start(cpu, argv) {
  const [program, ...args] = availableParallelism() > 1 ? ['taskset', '-c', String(cpu), ...argv] : argv;
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'])
    child[stream].setEncoding('utf8').on('data', (text) => (output[stream] += text));
  const ended = new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status, signal) => {
      if (status === 0) resolve(output.stdout);
      else reject(new Error(`${argv.join(' ')}: ended with ${signal ?? status}: ${output.stderr}`));
    });
  });
  const ready = new Promise((resolve, reject) => {
    child.stderr.on('data', () => {
      if (/^ready:/m.test(output.stderr)) resolve();
    });
    ended.then(() => reject(new Error(`${argv.join(' ')}: ended before it was ready`)), reject);
  });
  ready.catch(() => {});
  return { child, ended, ready };
}

const taker = start(1, consumer);
await taker.ready;
const giver = start(0, [process.execPath, generator, device, '--seconds', seconds, '--size', size]);
await giver.ready;
const begin = performance.now();
const sent = Number(await giver.ended);
const elapsed = (performance.now() - begin) / 1000;
taker.child.kill('SIGINT');
const output = JSON.parse(await taker.ended);
console.log(JSON.stringify({ frames: typeof output === 'number' ? output : output.frames, sent, seconds: elapsed }));
