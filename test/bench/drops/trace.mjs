/**
 * Runs a tracer on one CPU while the kernel sends frames through a program on another, and prints
 * `{"sent":…,"rate":…,"report":…,"growth_kib":…,"cpu":…}`: frames sent, how many in a second of CPU time, what the tracer printed at its
 * end, how much its memory grew from when it was ready, and which share of a CPU it took.
 *
 *     node test/bench/drops/trace.mjs DEV PROGRAM COUNT [--read-maps PIN] [--terminal] TRACER WORDS…
 *
 * The tracer prints `ready:` and ends at SIGINT. With --read-maps another process reads a map on the CPU where frames are
 * lost, all the time. With --terminal the tracer has one.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

const words = process.argv.slice(2);
const [device, program, count] = words.splice(0, 3);
const pin = words[0] === '--read-maps' ? words.splice(0, 2)[1] : undefined;
const terminal = words[0] === '--terminal' && words.shift() !== undefined;

const generator = join(import.meta.dirname, '..', '..', 'support', 'live-frames.mjs');
const reader = join(import.meta.dirname, 'read-map.mjs');

/** Clock ticks a second in /proc/PID/stat (USER_HZ). */
const TICKS = 100;

function pinned(cpu, argv) {
  return availableParallelism() > 1 ? ['taskset', '-c', String(cpu), ...argv] : argv;
}

function start([command, ...args]) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, TERM: 'xterm' } });
  const output = { stdout: '', all: '' };
  for (const stream of ['stdout', 'stderr'])
    child[stream].setEncoding('utf8').on('data', (text) => {
      output.all += text;
      if (stream === 'stdout') output.stdout += text;
    });
  const ended = new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status, signal) => {
      if (status === 0 || signal !== null) resolve(output.stdout);
      else reject(new Error(`${command} ${args.join(' ')}: ended with ${status}: ${output.all}`));
    });
  });
  const ready = new Promise((resolve, reject) => {
    for (const stream of ['stdout', 'stderr'])
      child[stream].on('data', () => {
        if (/^ready:/m.test(output.all)) resolve();
      });
    ended.then(() => reject(new Error(`${args.join(' ')}: ended before it was ready`)), reject);
  });
  ready.catch(() => {});
  return { child, ended, ready };
}

/** The process itself: `script` runs it as a child. */
function processOf({ child }) {
  if (!terminal) return child.pid;
  return Number(readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim());
}

function memoryOf(pid) {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

/** Seconds of CPU time so far. */
function cpuTimeOf(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

const argv = terminal
  ? ['script', '-qefc', `stty rows 40 columns 120; exec ${pinned(1, words).join(' ')}`, '/dev/null']
  : pinned(1, words);
const tracer = start(argv);
await tracer.ready;
const mapReader = pin === undefined ? undefined : start(pinned(0, [process.execPath, reader, pin]));
await mapReader?.ready;
const pid = processOf(tracer);
const [memory, cpuTime, begin] = [memoryOf(pid), cpuTimeOf(pid), performance.now()];
const giver = start(
  pinned(0, [process.execPath, generator, device, '--prog', program, '--cpu-rate', '--count', count]),
);
const rate = Number(await giver.ended);
const growth = memoryOf(pid) - memory;
const cpu = (cpuTimeOf(pid) - cpuTime) / ((performance.now() - begin) / 1000);
mapReader?.child.kill('SIGKILL');
process.kill(pid, 'SIGINT');
const report = await tracer.ended;
console.log(JSON.stringify({ sent: Number(count), rate, growth_kib: growth, cpu, report: terminal ? '' : report }));
