import { spawnSync } from 'node:child_process';

const name = 'bench0';
const peer = 'bench1';
let ifindex;

/**
 * A device that transmits redirected frames, so that no entry with it is worth a warning. Made on first use, in the network
 * namespace of this process.
 *
 * @returns {{ name: string, ifindex: number }}
 */
export function device() {
  if (ifindex === undefined) {
    run('ip', 'link', 'add', name, 'type', 'veth', 'peer', 'name', peer);
    for (const end of [name, peer]) {
      run('ip', 'link', 'set', end, 'up');
      // A veth transmits to a peer that polls, which it does with GRO, once that is switched on while it is up.
      run('ethtool', '-K', end, 'gro', 'on');
    }
    const [link] = JSON.parse(run('ip', '-j', 'link', 'show', 'dev', name));
    ifindex = link.ifindex;
  }
  return { name, ifindex };
}

function run(program, ...args) {
  const { status, error, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  if (error) throw error;
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
  return stdout;
}
