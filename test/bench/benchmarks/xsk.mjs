import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { inFolder, inTurn, median, xdpctl } from '../measure.mjs';

const root = join(import.meta.dirname, '..', '..', '..');
const [receiver, sender] = ['benchx0', 'benchx1'];
const pins = '/sys/fs/bpf/xsk';

/** A veth pair of which one end has our redirect program, with the map that sockets are entered in. */
function setUp() {
  if (existsSync(pins)) return;
  run('ip', 'link', 'add', receiver, 'type', 'veth', 'peer', 'name', sender);
  for (const end of [receiver, sender]) run('ip', 'link', 'set', end, 'up');
  const object = join(root, 'bpf-objects', 'redirect_xskmap.bpf.o');
  run('bpftool', 'prog', 'loadall', object, pins, 'pinmaps', `${pins}_maps`);
  run('bpftool', 'net', 'attach', 'xdpdrv', 'pinned', join(pins, readdirSync(pins)[0]), 'dev', receiver);
}

function run(program, ...args) {
  const { status, error, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  if (error) throw error;
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
  return stdout;
}

/** Frames a second that a consumer takes. */
function rate(consumer, { seconds, size }) {
  const script = join(root, 'test', 'bench', 'xsk', 'receive.mjs');
  const { frames, seconds: time } = JSON.parse(
    run(process.execPath, script, sender, String(seconds), String(size), ...consumer),
  );
  return frames / time;
}

/** The C loop over libxdp, compiled; undefined where a compiler or libxdp-dev is missing. */
function compileLoop(folder) {
  const program = join(folder, 'loop');
  const source = join(root, 'test', 'bench', 'xsk', 'loop.c');
  const { status } = spawnSync('cc', ['-O2', '-o', program, source, '-lxdp', '-lbpf'], { stdio: 'ignore' });
  return status === 0 ? program : undefined;
}

const ours = (...words) =>
  xdpctl('-j', 'xsk', 'bind', receiver, '--queue', '0', '--map', `${pins}_maps/targets`, ...words);

/** `xsk bind` beside a loop in C that does the same, on the same pair, with the same program and the same sender. */
export function xsk({ smoke }) {
  setUp();
  return inFolder((folder) => {
    const loop = compileLoop(folder);
    if (loop === undefined) {
      console.error('note: no C compiler or no libxdp (headers): xsk bind is not compared with a loop in C');
      return [];
    }
    const kinds = [
      { what: 'drop, poll', words: [], loopWords: ['drop', 'poll'], atMost: 1.11 },
      { what: 'drop, busy', words: ['--busy'], loopWords: ['drop', 'busy'], atMost: 1.05 },
      { what: 'echo', words: ['--action', 'echo'], loopWords: ['echo', 'poll'], atMost: 1.11 },
    ];
    return kinds.map(({ what, words, loopWords, atMost }) => {
      const load = { seconds: smoke ? 0.2 : 1.5, size: 60 };
      const rounds = inTurn(
        [
          () => rate([loop, receiver, '0', `${pins}_maps/targets`, ...loopWords], load),
          () => rate(ours(...words), load),
        ],
        smoke ? 1 : 7,
      );
      if (process.env.XDPCTL_BENCH_DETAILS) {
        for (const [theirs, mine] of rounds)
          console.error(`  ${what}: ${(theirs / 1e6).toFixed(2)} / ${(mine / 1e6).toFixed(2)} Mpps`);
      }
      const measured = median(rounds.map(([theirs, mine]) => theirs / mine));
      return { what: `frames/s of a C loop / xsk bind, ${what}`, measured, atMost, unit: '×' };
    });
  });
}

/** `xsk bind --write` beside `cp` of the file that it wrote, both on the same tmpfs. */
export function xskWrite({ smoke }) {
  setUp();
  return inFolder((folder) => {
    run('mount', '-t', 'tmpfs', 'tmpfs', folder);
    try {
      const file = join(folder, 'frames.pcapng');
      const copy = join(folder, 'copy.pcapng');
      const load = { seconds: smoke ? 0.2 : 3, size: 1400 };
      const rounds = inTurn(
        [
          () => {
            rate(ours('--write', file, '--overwrite', '--rx-size', '8192'), load);
            return statSync(file).size / load.seconds;
          },
          () => {
            rmSync(copy, { force: true });
            const begin = performance.now();
            run('cp', file, copy);
            return statSync(file).size / ((performance.now() - begin) / 1000);
          },
        ],
        smoke ? 1 : 5,
      );
      if (process.env.XDPCTL_BENCH_DETAILS) {
        for (const [mine, theirs] of rounds)
          console.error(`  write: ${(mine / 1e6).toFixed(0)} / cp ${(theirs / 1e6).toFixed(0)} MB/s`);
      }
      const measured = median(rounds.map(([mine, theirs]) => theirs / mine));
      return [{ what: 'bytes/s of cp / xsk bind --write, 1,400-byte frames', measured, atMost: 2, unit: '×' }];
    } finally {
      run('umount', '-l', folder);
    }
  });
}

/** Whether anything is kept of each frame: how much memory grows while very many pass. */
export function xskMemory({ smoke }) {
  setUp();
  const frames = smoke ? 1_000_000 : 100_000_000;
  const script = join(root, 'test', 'bench', 'xsk', 'memory.mjs');
  const { growth_kib: growth } = JSON.parse(
    run(process.execPath, script, sender, String(frames), ...ours('--count', String(frames))),
  );
  const what = `memory that xsk bind takes more after ${frames.toLocaleString('en')} frames`;
  return [{ what, measured: growth / 1024, atMost: 16, unit: 'MiB' }];
}
