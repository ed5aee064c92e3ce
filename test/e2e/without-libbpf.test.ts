import { describe, expect, it } from 'vitest';

import type { Example } from '../../src/cli/verb.ts';
import { runInExampleWorld } from '../support/example-world.ts';
import { WithoutLibbpf } from '../support/libraries.ts';

interface Case {
  readonly command: string;
  readonly given?: Example['given'];
}

const refused: readonly Case[] = [
  { command: 'map show' },
  { command: 'map create uplinks type devmap entries 2' },
  { command: 'map update pinned forward key 1 value dev eth1' },
  { command: 'map dump pinned forward' },
  { command: 'map freeze pinned forward' },
  { command: 'map import pinned forward forward.json' },
  { command: 'batch file updates.txt' },
  { command: 'prog load router.bpf.o router' },
  { command: 'net attach xdpdrv builtin pass dev eth0' },
  { command: 'net detach xdpdrv dev eth0', given: 'attached' },
  { command: 'link detach pinned uplink', given: 'linked' },
  { command: 'redirect attach eth0 --to eth1' },
  { command: 'redirect detach eth0', given: 'attached' },
  { command: 'redirect apply redirects.json' },
  { command: 'redirect check', given: 'attached' },
  { command: 'redirect show' },
  { command: 'xsk show' },
  { command: 'xsk bind eth0 --queue 0 --attach --duration 100ms' },
  { command: 'debug drops eth0 --duration 100ms' },
];

/** What changes nothing and needs no libbpf works without it. */
const done: readonly Case[] = [
  { command: '--version' },
  { command: 'version' },
  { command: 'map update --help' },
  { command: 'net show' },
  { command: 'net features' },
  { command: 'debug explain target-no-xmit' },
  { command: 'completion bash' },
];

/** Everything in the example world that the commands could change, printed before and after. */
const state = 'find /sys/fs/bpf -ls; bpftool -j net show; bpftool -j map dump pinned /sys/fs/bpf/forward; ip -d link';

function run(machine: WithoutLibbpf, { command, given }: Case): ReturnType<typeof runInExampleWorld> {
  const quoted = machine.wrapper.map((word) => `'${word}'`).join(' ');
  return runInExampleWorld({
    command: `(${state}) >before 2>&1; ${quoted} xdpctl ${command}; status=$?
      (${state}) >after 2>&1; cmp before after >&2 || exit 98; exit $status`,
    ...(given !== undefined && { given }),
  });
}

describe('without libbpf.so.1', () => {
  it.each(refused)('$command says what to install, and changes nothing', (entry) => {
    using machine = new WithoutLibbpf();
    const { status, stdout, stderr } = run(machine, entry);
    expect(stderr).toMatch(
      /^error: (?:updates\.txt:2: )?.*libbpf\.so\.1 cannot be loaded: libbpf 1\.0 or newer is required\n/,
    );
    expect(stderr).toMatch(/\nhint: install it: apt install libbpf1 \(Debian, Ubuntu\), dnf install libbpf/);
    expect({ status, stdout }).toEqual({ status: 5, stdout: '' });
  });

  it.each(done)('$command works', (entry) => {
    using machine = new WithoutLibbpf();
    const { status, stdout, stderr } = run(machine, entry);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).not.toBe('');
  });

  it('says so in JSON', () => {
    using machine = new WithoutLibbpf();
    const { status, stdout, stderr } = run(machine, { command: '-j map show' });
    expect({ status, stdout }).toEqual({ status: 5, stdout: '' });
    expect(JSON.parse(stderr)).toMatchObject({ error: { exit: 5, message: expect.stringContaining('libbpf.so.1') } });
  });
});

describe('with libbpf.so.0 alone', () => {
  it.each(refused.slice(0, 2))('$command says that it is too old, and changes nothing', (entry) => {
    using machine = new WithoutLibbpf({ older: true });
    const { status, stdout, stderr } = run(machine, entry);
    expect(stderr).toContain('libbpf 1.0 or newer is required, and only libbpf.so.0 (libbpf 0.x) is here\n');
    expect(stderr).toContain('apt install libbpf1');
    expect({ status, stdout }).toEqual({ status: 5, stdout: '' });
  });
});
