/** Types commands for all to see: shows each, runs it by a shell, and shows what it prints. */
import { spawn } from 'node:child_process';
import { stripVTControlCharacters } from 'node:util';

/** The story took a turn that it should not have taken. */
export class Untrue extends Error {}

const wantsColour = process.stdout.isTTY && !process.env.NO_COLOR && process.env.TERM !== 'dumb';
const paint = (code, text) => (wantsColour ? `\u001b[${code}m${text}\u001b[0m` : text);

/** Each command is the head of a process group, so that it ends with all that it started. */
const running = new Set();

/** Words between the commands. @param {string} text */
export function say(text) {
  process.stdout.write(`\n${paint('36', text.replace(/^/gm, '## '))}\n\n`);
}

/**
 * Types a command and waits for its end.
 * @param {string} command
 * @returns {Promise<string>} what it printed, without colours
 * @throws Untrue when it fails
 */
export function type(command) {
  return start(command, { background: false }).ended;
}

/**
 * Types a command that goes on while others run.
 * @param {string} command
 * @returns {{ ready: Promise<void>, ended: Promise<string> }} `ready` settles at its line that begins with `ready:`
 */
export function start(command, { background = true } = {}) {
  process.stdout.write(`${paint('1', `# ${command}${background ? ' &' : ''}`)}\n`);
  const child = spawn('sh', ['-c', command], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    env: { ...process.env, ...(wantsColour && { FORCE_COLOR: '1' }) },
  });
  running.add(child);
  let printed = '';
  let beReady;
  const saysReady = new Promise((resolve) => (beReady = resolve));
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      process.stdout.write(text);
      printed += stripVTControlCharacters(text);
      if (/^ready:.*\n/m.test(printed)) beReady();
    });
  }
  const ended = new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status, signal) => {
      running.delete(child);
      if (status === 0) resolve(printed);
      else reject(new Untrue(`this command ended with ${signal ?? `exit ${status}`}: ${command}`));
    });
  });
  // Whoever waits for it to be ready must not wait for ever; whoever does not wait yet may look at the failure later.
  const ready = Promise.race([saysReady, ended]);
  for (const promise of [ready, ended]) promise.catch(() => {});
  return { ready, ended };
}

/** Ends whatever still runs, and settles when it has ended. */
export async function endAll() {
  await Promise.all([...running].map(end));
}

function end(child) {
  return new Promise((resolve) => {
    child.on('close', resolve);
    sendSignal(child, 'SIGTERM');
    setTimeout(() => sendSignal(child, 'SIGKILL'), 3000).unref();
  });
}

function sendSignal(child, name) {
  try {
    process.kill(-child.pid, name);
  } catch {
    // It has just ended.
  }
}
