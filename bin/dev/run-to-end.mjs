/** Runs the programs that `npm test` consists of, with an end to each. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { createInterface } from 'node:readline';
import { stripVTControlCharacters } from 'node:util';

/** A line of /proc about a process; empty when it has ended. */
function procFile(pid, name) {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8').trim();
  } catch {
    return '';
  }
}

/** The process group: the third field after the name in /proc/PID/stat (proc(5)). */
function groupOf(pid) {
  return procFile(pid, 'stat')
    .replace(/^.*\) /s, '')
    .split(' ')[2];
}

/**
 * Kills a process and all below it: a test that loops for ever does not notice that its parent has gone. Spares what
 * has a process group of its own, as the reaper has, which then does its work.
 */
function killTree(pid) {
  const group = groupOf(pid);
  const children = procFile(pid, `task/${pid}/children`).split(' ').filter(Boolean);
  const ours = children.filter((child) => groupOf(child) === group);
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has just ended.
  }
  ours.forEach((child) => killTree(Number(child)));
}

/** How many programs run. */
let running = 0;

/** Vitest colours what its workers print even off a terminal. */
function printWithoutColour(stream) {
  createInterface({ input: stream }).on('line', (line) => console.log(stripVTControlCharacters(line)));
}

/**
 * Runs a program in a folder, without input, and prints what it prints. Kills it when it takes too long.
 * Ctrl-C reaches it too, and ends us after it and all others that run.
 * @param {string[]} command
 * @param {{ cwd: string, seconds: number, env?: Record<string, string> }} options
 * @returns {Promise<string | undefined>} what went wrong
 */
export function runToEnd([program, ...args], { cwd, seconds, env = {} }) {
  return new Promise((resolve) => {
    // Never the terminal itself: several of them would write over each other's lines.
    const child = spawn(program, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
    running += 1;
    [child.stdout, child.stderr].forEach(printWithoutColour);
    let problem;
    let interrupted;
    const timer = setTimeout(() => {
      problem = `killed after ${seconds} seconds`;
      killTree(child.pid);
    }, seconds * 1000);
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
    const passOn = (signal) => {
      interrupted = signal;
      child.kill(signal);
      setTimeout(() => killTree(child.pid), 5000).unref();
    };
    for (const signal of signals) process.on(signal, passOn);
    child.on('error', (error) => (problem = error.message));
    child.on('close', (status, signal) => {
      clearTimeout(timer);
      for (const name of signals) process.off(name, passOn);
      running -= 1;
      // Not by the signal itself: what the caller tidies up on 'exit' would stay.
      if (interrupted !== undefined && running === 0) process.exit(128 + constants.signals[interrupted]);
      else if (interrupted === undefined) resolve(problem ?? (status === 0 ? undefined : (signal ?? `exit ${status}`)));
    });
  });
}
