/**
 * `npm run bench`: how fast xdpctl is beside a peer that runs in turn with it, as ratios.
 *
 *     npm run bench                     all benchmarks (a few minutes); exit 1 when a figure is not reached
 *     npm run bench -- --only NAME      one of them
 *     npm run bench -- --smoke          each once and small, to see that it works; the figures fail nothing
 *
 * Everything is made in network and mount namespaces of its own, bpffs included, which vanish with this process however
 * it ends.
 */
import { spawnSync } from 'node:child_process';
import { availableParallelism, constants, loadavg, setPriority } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const root = join(import.meta.dirname, '..', '..');
const insideVariable = 'XDPCTL_BENCH_INSIDE';
const { values: options } = parseArgs({ options: { smoke: { type: 'boolean' }, only: { type: 'string' } } });

function run(program, args) {
  const { status, error } = spawnSync(program, args, { cwd: root, stdio: 'inherit' });
  if (error) throw error;
  return status ?? 1;
}

/** Sets the machine up, builds, and starts this script again in namespaces of its own. */
async function enter() {
  if (process.getuid() !== 0) {
    console.error('error: the benchmarks make BPF maps: run them as root');
    return 1;
  }
  const { setup } = await import('../../bin/dev/setup.mjs');
  setup({ for: 'bench' });
  if (run(process.execPath, ['bin/dev/build.mjs']) !== 0) return 1;
  process.env[insideVariable] = 'yes';
  // Node 20 reads the certificates that this names at every start, which takes longer than all the rest.
  delete process.env.NODE_EXTRA_CA_CERTS;
  return run('unshare', ['--net', '--mount', process.execPath, ...process.argv.slice(1)]);
}

/** Lets what is measured go before whatever else this machine does, and says when that is much. */
function goFirst() {
  try {
    setPriority(constants.priority.PRIORITY_HIGHEST);
  } catch {
    // A container may not have the capability.
  }
  const [load] = loadavg();
  if (load > availableParallelism() / 2) {
    console.error(`note: the machine is busy (load ${load.toFixed(1)}), which makes figures worse than they are`);
  }
}

async function measure() {
  if (run('mount', ['-t', 'bpf', 'bpf', '/sys/fs/bpf']) !== 0) return 1;
  const { benchmarks } = await import('./benchmarks.mjs');
  const chosen = Object.entries(benchmarks).filter(([name]) => options.only === undefined || name === options.only);
  if (chosen.length === 0) {
    console.error(`error: --only takes one of: ${Object.keys(benchmarks).join(', ')}`);
    return 2;
  }
  if (!options.smoke) goFirst();
  const figures = [];
  for (const [name, benchmark] of chosen) {
    process.stderr.write(`${name} …\n`);
    figures.push(...benchmark({ smoke: options.smoke === true }));
  }
  const { table } = await import('./table.mjs');
  process.stdout.write(table(figures, { judged: !options.smoke }));
  return options.smoke || figures.every(({ measured, atMost }) => measured <= atMost) ? 0 : 1;
}

// Ctrl-C reaches the command that is being measured as well; its failure ends the run, which tidies up on its way out.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {});
process.exitCode = process.env[insideVariable] === undefined ? await enter() : await measure();
