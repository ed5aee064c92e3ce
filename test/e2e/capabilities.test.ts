import { describe, expect, it } from 'vitest';

import type { Example } from '../../src/cli/verb.ts';
import { runInExampleWorld } from '../support/example-world.ts';

interface Case {
  readonly command: string;
  /** What it needs, without CAP_; nothing when empty. */
  readonly needs: readonly string[];
  readonly given?: Example['given'];
}

/** What the manual and the README say of capabilities, tried with exactly these, and with each of them missing. */
const cases: readonly Case[] = [
  { command: 'map dump pinned forward', needs: [] },
  { command: 'map lookup pinned forward key 0', needs: [] },
  { command: 'map update pinned forward key 1 value dev eth1 prog pinned egress', needs: [] },
  { command: 'map delete pinned forward key 0', needs: [] },
  { command: 'map getnext pinned forward', needs: [] },
  { command: 'map export pinned forward', needs: [] },
  { command: 'map import pinned forward forward.json', needs: [] },
  { command: 'map pin pinned forward uplinks', needs: [] },
  { command: 'map unpin sessions2', needs: [] },
  { command: 'map freeze pinned forward', needs: [] },
  { command: 'batch file updates.txt', needs: [] },
  { command: 'prog show pinned egress', needs: [] },
  { command: 'prog pin pinned egress uplink', needs: [] },
  { command: 'prog unpin egress', needs: [] },
  { command: 'prog show', needs: ['sys_admin'] },
  { command: 'prog show name egress', needs: ['sys_admin'] },
  { command: 'prog load router.bpf.o router', needs: ['bpf', 'net_admin'] },
  { command: 'prog loadall router.bpf.o router pinmaps router', needs: ['bpf', 'net_admin'] },
  { command: 'prog run builtin pass', needs: ['bpf', 'net_admin'] },
  { command: 'net show', needs: [], given: 'attached' },
  { command: 'net features', needs: [] },
  { command: 'net attach xdpdrv builtin pass dev eth0', needs: ['bpf', 'net_admin'] },
  { command: 'net detach xdpdrv dev eth0', needs: ['net_admin'], given: 'attached' },
  { command: 'link show pinned uplink', needs: [], given: 'linked' },
  { command: 'link show', needs: ['sys_admin'] },
  { command: 'link pin pinned uplink uplink2', needs: [], given: 'linked' },
  { command: 'link detach pinned uplink', needs: [], given: 'linked' },
  { command: 'map show', needs: ['sys_admin'] },
  { command: 'map dump name forward', needs: ['sys_admin'] },
  { command: '--netns left map dump pinned forward', needs: ['sys_admin'] },
  { command: 'map create uplinks type cpumap entries 2', needs: ['bpf'] },
  { command: 'map create uplinks type devmap entries 2', needs: ['bpf', 'net_admin'] },
  { command: 'map create uplinks type devmap_hash entries 2', needs: ['bpf', 'net_admin'] },
  { command: 'map create uplinks type xskmap entries 2', needs: ['bpf', 'net_admin'] },
  { command: 'map dump pinned sockets', needs: ['bpf', 'net_admin', 'perfmon'], given: 'bound' },
  { command: 'redirect attach eth0 --to eth1', needs: ['bpf', 'net_admin'] },
  { command: 'redirect attach eth0 --to eth1 --replace', needs: ['bpf', 'net_admin'], given: 'attached' },
  { command: 'redirect detach eth0', needs: ['bpf', 'net_admin'], given: 'attached' },
  { command: 'redirect apply redirects.json', needs: ['bpf', 'net_admin'] },
  { command: 'redirect diff redirects.json', needs: [], given: 'attached' },
  { command: 'redirect export', needs: [], given: 'attached' },
  { command: 'redirect stats eth0', needs: [], given: 'attached' },
  { command: 'redirect show', needs: ['sys_admin'], given: 'attached' },
  { command: 'redirect check', needs: ['sys_admin'], given: 'attached' },
  { command: 'redirect test eth0 --transmit', needs: ['sys_admin'], given: 'attached' },
  { command: 'xsk bind eth0 --queue 0 --attach --duration 100ms', needs: ['bpf', 'net_admin', 'net_raw'] },
  { command: 'xsk show eth0', needs: [], given: 'bound' },
  { command: 'debug drops eth0 --duration 1s --via builtin', needs: ['bpf', 'perfmon'], given: 'losing' },
  { command: 'debug events --duration 1s --via builtin', needs: ['bpf', 'perfmon'], given: 'losing' },
  { command: 'debug drops eth0 --duration 1s --via perf', needs: ['perfmon'], given: 'losing' },
];

function runWith(capabilities: readonly string[], { command, given }: Case): { status: number | null; stderr: string } {
  const set = ['-all', ...capabilities.map((name) => `+${name}`)].join(',');
  const { status, stderr } = runInExampleWorld({
    command: `setpriv --bounding-set=${set} --inh-caps=-all xdpctl ${command}`,
    ...(given !== undefined && { given }),
  });
  return { status, stderr };
}

describe('xdpctl', () => {
  it.each(cases)('$command needs $needs', (entry) => {
    expect(runWith(entry.needs, entry)).toMatchObject({ status: 0 });
  });

  it.each(cases.flatMap((entry) => entry.needs.map((missing) => ({ ...entry, missing }))))(
    '$command says that $missing is missing',
    ({ missing, ...entry }) => {
      const { status, stderr } = runWith(
        entry.needs.filter((name) => name !== missing),
        entry,
      );
      expect(stderr).toContain(`CAP_${missing.toUpperCase()}`);
      // What can be told without it is told.
      expect(status).toBe(missing === 'perfmon' && entry.command.startsWith('map ') ? 0 : 4);
    },
  );
});
