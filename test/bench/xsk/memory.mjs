/**
 * Lets a consumer of an AF_XDP socket take so many frames, and prints how much its memory has grown meanwhile:
 * `{"frames":…,"growth_kib":…}`.
 *
 *     node test/bench/xsk/memory.mjs SENDING_DEV FRAMES CONSUMER WORDS…
 *
 * The consumer prints `ready:` on stderr and ends by itself after FRAMES.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** After so much time all code is compiled and all buffers are there. */
const WARM_UP_MS = 2000;

const [device, frames, ...consumer] = process.argv.slice(2);
const generator = join(import.meta.dirname, '..', '..', 'support', 'live-frames.mjs');

/** Resident memory in KiB, undefined when the process has gone. */
function memoryOf(pid) {
  try {
    return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  } catch {
    return undefined;
  }
}

const [program, ...words] = consumer;
const taker = spawn(program, words, { stdio: ['ignore', 'pipe', 'pipe'] });
const ended = new Promise((resolve, reject) => {
  taker.on('error', reject);
  taker.on('close', (status) => (status === 0 ? resolve() : reject(new Error(`the consumer ended with ${status}`))));
});
taker.stdout.resume();
await new Promise((resolve) => {
  taker.stderr.setEncoding('utf8').on('data', (text) => {
    if (text.includes('ready:')) resolve();
  });
});
const giver = spawn(process.execPath, [generator, device, '--seconds', '3600'], { stdio: 'ignore' });
const samples = [];
const timer = setInterval(() => {
  const memory = memoryOf(taker.pid);
  if (memory > 0) samples.push(memory);
}, 250);
try {
  await ended;
} finally {
  clearInterval(timer);
  giver.kill('SIGKILL');
}
const [first = 0, ...later] = samples.slice(Math.min(WARM_UP_MS / 250, samples.length - 1));
console.log(JSON.stringify({ frames: Number(frames), growth_kib: Math.max(0, ...later) - Math.min(first, ...later) }));
