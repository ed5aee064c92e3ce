/** A machine that exists only as long as its tests run: QEMU without hardware to help it. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/**
 * Boots a kernel with an archive as its only filesystem, and waits until it switches itself off.
 *
 * @param {object} machine
 * @param {string} machine.image of the kernel
 * @param {string} machine.archive its filesystem
 * @param {string} machine.log the file that gets what it prints on its console
 * @param {number} machine.seconds after which it is switched off
 * @param {(result: object) => void} onResult for each line of JSON that it sends
 * @returns {Promise<string | undefined>} what went wrong
 */
export function runMachine({ image, archive, log, seconds }, onResult) {
  const options = {
    accel: 'tcg,thread=multi',
    cpu: 'qemu64',
    smp: '2',
    m: '3000',
    display: 'none',
    kernel: image,
    initrd: archive,
    // A kernel that panics restarts at once, which ends it. When this machine is busy, timers seem not to work.
    append: 'console=ttyS0 quiet panic=-1 no_timer_check nowatchdog mitigations=off rdinit=/init',
  };
  const ports = ['-serial', `file:${log}`, '-serial', 'stdio'];
  const words = [...Object.entries(options).flatMap(([name, value]) => [`-${name}`, value]), ...ports];
  return new Promise((resolve) => {
    // It ends with this process, however that ends.
    const tied = ['--pdeathsig', 'KILL', 'qemu-system-x86_64', '-nodefaults', '-no-reboot', ...words];
    const child = spawn('setpriv', tied, { stdio: ['ignore', 'pipe', 'inherit'] });
    let problem;
    const timer = setTimeout(() => {
      problem = `switched off after ${seconds} seconds`;
      child.kill('SIGKILL');
    }, seconds * 1000);
    createInterface({ input: child.stdout }).on('line', (line) => {
      const begin = line.indexOf('{');
      if (begin !== -1) onResult(JSON.parse(line.slice(begin)));
    });
    child.on('error', (error) => (problem ??= error.message));
    child.on('close', (status, signal) => {
      clearTimeout(timer);
      resolve(problem ?? (status === 0 ? undefined : `QEMU: ${signal ?? `exit ${status}`}`));
    });
  });
}
