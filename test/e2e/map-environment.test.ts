import { readFileSync } from 'node:fs';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { PinFolder, xdpctl, xdpctlPath } from '../support/command.ts';
import { tool } from '../support/tool.ts';
import { createWorld } from '../support/world.ts';

/** Mounts can lie on top of each other. */
const unmount = 'while umount /sys/fs/bpf 2>/dev/null; do :; done';
/** Runs a command where bpffs is not mounted. */
const withoutBpffs = ['unshare', '--mount', 'sh', '-c', `${unmount}; exec "$0" "$@"`];
/** Runs a command as somebody without any capability. */
const asNobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--'];

let pins: PinFolder;

beforeEach(() => {
  pins = new PinFolder();
  tool('bpftool', ['map', 'create', pins.pin('m'), ...'type devmap key 4 value 4 entries 4 name m'.split(' ')]);
});

afterEach(() => pins[Symbol.dispose]());

describe('without capabilities', () => {
  it.each([
    [['map', 'show'], 'CAP_SYS_ADMIN'],
    [['map', 'show', 'id', '1'], 'CAP_SYS_ADMIN'],
    [['map', 'dump', 'name', 'm'], 'CAP_SYS_ADMIN'],
    [['map', 'create', '@2', 'type', 'cpumap', 'entries', '1'], 'CAP_BPF'],
    // The mode of the pin stands in the way, not what the kernel asks of those who use maps.
    [['map', 'dump', 'pinned', '@'], 'CAP_DAC_OVERRIDE'],
    [['map', 'update', '@', 'key', '0', 'value', 'lo'], 'CAP_DAC_OVERRIDE'],
    [['map', 'unpin', '@'], 'CAP_DAC_OVERRIDE'],
    [['batch', 'file', '/proc/1/environ'], 'CAP_DAC_OVERRIDE'],
  ])('%j names what is missing', (words, capability) => {
    const args = words.map((word) => word.replace(/^@/, pins.pin('m')));
    const plain = xdpctl(args, { wrapper: asNobody });
    expect({ status: plain.status, stdout: plain.stdout }).toEqual({ status: 4, stdout: '' });
    expect(plain.stderr).toContain(capability);
    const json = xdpctl(['-j', ...args], { wrapper: asNobody });
    expect({ status: json.status, stdout: json.stdout }).toEqual({ status: 4, stdout: '' });
    expect(json.jsonErrors()).toMatchObject([{ error: { exit: 4, message: expect.stringContaining(capability) } }]);
  });
});

describe('where bpffs is not mounted', () => {
  it('a pin that cannot be found tells so', () => {
    const { status, stdout, stderr } = xdpctl(['map', 'show', pins.pin('m')], { wrapper: withoutBpffs });
    expect({ status, stdout }).toEqual({ status: 3, stdout: '' });
    expect(stderr).toBe(
      `error: there is no pin ${pins.pin('m')} (ENOENT)\n` +
        "hint: bpffs is not mounted here; 'ip netns exec' hides it: use xdpctl --netns NAME instead\n",
    );
  });

  it.each([
    ['create', ['map', 'create', '/sys/fs/bpf/new', 'type', 'devmap', 'entries', '4']],
    ['create --nomount', ['-n', 'map', 'create', '/sys/fs/bpf/new', 'type', 'devmap', 'entries', '4']],
    ['create --dry-run', ['--dry-run', 'map', 'create', '/sys/fs/bpf/new', 'type', 'devmap', 'entries', '4']],
  ])('no pin is made that would vanish: %s', (_verb, args) => {
    const script = ['unshare', '--mount', 'sh', '-c', `${unmount}; "$0" "$@"; s=$?; cat /proc/self/mounts; exit $s`];
    const { status, stdout, stderr } = xdpctl(args, { wrapper: script });
    expect(status).toBe(1);
    expect(stderr).toMatch(/^error: bpffs is not mounted in this mount namespace/);
    expect(stdout).not.toMatch(/ bpf /);
  });
});

it('is mounted once, however many commands see that it is not', () => {
  const script = [
    unmount,
    ...Array.from({ length: 6 }, (_, index) => `"$0" "$@" map create /sys/fs/bpf/m${index} type devmap entries 4 &`),
    'wait',
    'grep -c "^bpf /sys/fs/bpf bpf " /proc/self/mounts; ls /sys/fs/bpf | grep ^m.$',
  ].join('\n');
  // The first process of its namespace: what is mounted there stays.
  const namespace = ['--mount', '--pid', '--fork', '--mount-proc', '--kill-child'];
  const output = tool('unshare', [...namespace, 'sh', '-c', script, process.execPath, xdpctlPath]);
  expect(output.trim().split('\n')).toEqual(['1', 'm0', 'm1', 'm2', 'm3', 'm4', 'm5']);
});

it('ip netns exec, where a pin would vanish with the command, is refused, and --netns offered', () => {
  using world = createWorld();
  const namespace = world.namespace();
  world.veth({ namespace, name: 'inner0' }, { namespace });
  const words = ['map', 'create', '/sys/fs/bpf/new', 'type', 'devmap', 'entries', '4'];
  const { status, stderr } = xdpctl(words, { wrapper: ['ip', 'netns', 'exec', namespace] });
  expect(status).toBe(1);
  expect(stderr).toContain('use xdpctl --netns NAME instead');

  const path = pins.pin('inner');
  const create = ['--netns', namespace, 'map', 'create', path, 'type', 'devmap', 'entries', '4'];
  expect(xdpctl(create)).toMatchObject({ status: 0 });
  expect(xdpctl(['--netns', namespace, '-q', 'map', 'update', path, 'key', '0', 'value', 'inner0'])).toMatchObject({
    status: 0,
    stderr: '',
  });
  expect(tool('bpftool', ['map', 'lookup', 'pinned', path, 'key', '0', '0', '0', '0'])).toContain('value: ');
});

it('every message of a name with quotes and escapes is valid JSON', () => {
  const names = ['x"y', "x'y", 'x\\y', 'x\ny', 'x\u001b[2Jy', 'ä😀'];
  for (const name of names) {
    const result = xdpctl(['-j', 'map', 'show', 'pinned', `${pins.path}/${name}`]);
    expect(result).toMatchObject({ status: 3, stdout: '' });
    expect(result.jsonErrors()).toMatchObject([{ error: { message: `there is no pin ${pins.path}/${name}` } }]);
    const plain = xdpctl(['map', 'show', 'pinned', `${pins.path}/${name}`]);
    expect(plain.stderr.split('\n')).toHaveLength(2);
    expect(plain.stderr).not.toContain('\u001b');
  }
  expect(readFileSync('/proc/self/mounts', 'utf8')).toContain(' /sys/fs/bpf bpf ');
});
