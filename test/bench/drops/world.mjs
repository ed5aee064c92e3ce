/** Devices and programs that frames are lost at, in the network namespace of this process. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..', '..');

export const ingress = 'benchd0';
const [egress, sink] = ['benchd1', 'benchd2'];
const pins = '/sys/fs/bpf/drops';
let made = false;

/** Redirects to a veth whose peer drops what comes. */
export const program = `${pins}/forward`;
/** Its map. */
export const map = `${pins}_maps/targets`;

export function run([command, ...args]) {
  const { status, error, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (error) throw error;
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`);
  return stdout;
}

/**
 * Makes the path, once.
 *
 * @param {{ lost: boolean }} options whether every frame is lost, because the target does not transmit
 */
export function setUp({ lost }) {
  if (!made) {
    for (const [end, peer] of [
      [ingress, 'benchd3'],
      [egress, sink],
    ]) {
      run(['ip', 'link', 'add', end, 'type', 'veth', 'peer', 'name', peer]);
      for (const name of [end, peer]) run(['ip', 'link', 'set', name, 'up']);
    }
    const object = join(root, 'test', 'fixtures', 'bpf', 'faulty.bpf.o');
    run(['bpftool', 'prog', 'loadall', object, pins, 'pinmaps', `${pins}_maps`]);
    const [{ ifindex }] = JSON.parse(run(['ip', '-j', 'link', 'show', 'dev', egress]));
    const value = [...new Uint8Array(Uint32Array.of(ifindex, 0).buffer)].map(String);
    run(['bpftool', 'map', 'update', 'pinned', map, 'key', '0', '0', '0', '0', 'value', ...value]);
    made = true;
  }
  // A veth transmits to a peer with a program; without one, and without GRO, it does not.
  const words = lost ? ['off'] : ['pinned', `${pins}/drops`];
  run(['ip', 'link', 'set', 'dev', sink, 'xdpdrv', ...words]);
}
