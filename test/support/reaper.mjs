/**
 * Removes what a test run left behind: processes, pins, folders in /tmp, trace instances, devices and namespaces. It is
 * a process of its own, so that neither a test that crashes nor a test runner that is killed can keep it from its work.
 *
 *     node test/support/reaper.mjs PREFIX
 *
 * Waits until stdin ends, which it does when the run ends, however that comes about. Everything it removes it names on
 * stdout, a line each: after an orderly run nothing.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync, rmSync, rmdirSync } from 'node:fs';

const [prefix] = process.argv.slice(2);
const run = `XDPCTL_TEST_RUN=${prefix.replace(/^xt/, '')}`;

/** Does one removal, which may fail because the thing has just gone, and names it. */
function remove(what, action) {
  try {
    action();
    console.log(what);
  } catch (error) {
    if (error.code !== 'ENOENT' && error.code !== 'ESRCH') console.log(`${what} (not removed: ${error.message})`);
  }
}

function list(folder) {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Programs that a test started carry the run in their environment. */
function killProcesses() {
  for (const pid of list('/proc').map(Number).filter(Boolean)) {
    if (pid === process.pid) continue;
    try {
      if (!readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(run)) continue;
      if (/^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))) continue;
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ').trim();
      // It has given its memory back, and is about to end (exit_mm, kernel/exit.c).
      if (words === '') continue;
      // Vitest's own workers end with the run; one that hangs has been told as a failure.
      if (words.includes('/vitest/dist/workers/')) process.kill(pid, 'SIGKILL');
      else remove(`process ${pid}: ${words}`, () => process.kill(pid, 'SIGKILL'));
    } catch {
      // It has just ended.
    }
  }
}

function ip(...args) {
  const { status, stdout, stderr } = spawnSync('ip', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr.trim());
  return stdout;
}

function sweep() {
  killProcesses();
  for (const folder of ['/sys/fs/bpf', '/tmp']) {
    for (const name of list(folder).filter((entry) => entry.startsWith(prefix))) {
      remove(`${folder}/${name}`, () => rmSync(`${folder}/${name}`, { recursive: true }));
    }
  }
  const instances = '/sys/kernel/tracing/instances';
  for (const name of list(instances).filter((entry) => entry.startsWith(prefix))) {
    remove(`${instances}/${name}`, () => rmdirSync(`${instances}/${name}`));
  }
  for (const name of list('/sys/class/net').filter((entry) => entry.startsWith(prefix))) {
    remove(`interface ${name}`, () => ip('link', 'del', name));
  }
  for (const name of list('/run/netns').filter((entry) => entry.startsWith(prefix))) {
    remove(`namespace ${name}`, () => ip('netns', 'del', name));
  }
}

// Ctrl-C goes to the whole group; the work is done when the run has ended.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
process.on('SIGHUP', () => {});
process.stdin.resume();
process.stdin.on('error', () => {});
process.stdin.on('close', sweep);
