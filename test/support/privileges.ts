import type { Example } from '../../src/cli/verb.ts';
import { runInExampleWorld } from './example-world.ts';

/** A command of the example world, and how the manual writes it. */
export interface PrivilegeCase {
  readonly words: string;
  readonly command: string;
  readonly given?: Example['given'];
}

/** Who runs a command: root without capabilities, or somebody who owns nothing of what it works on. */
export type User = 'root' | 'other';

/** The exit code that says a capability is missing. */
const PERMISSION = 4;

const CAPABILITY = /CAP_[A-Z_]+/g;

/** What the manual and the README say of capabilities is measured with these. */
export const privilegeCases: readonly PrivilegeCase[] = [
  { words: 'map show MAP', command: 'map show pinned forward' },
  { words: 'map dump MAP', command: 'map dump pinned forward' },
  { words: 'map dump XSKMAP', command: 'map dump pinned sockets', given: 'bound' },
  { words: 'map lookup', command: 'map lookup pinned forward key 0' },
  { words: 'map update', command: 'map update pinned forward key 1 value dev eth1 prog pinned egress' },
  { words: 'map delete', command: 'map delete pinned forward key 0' },
  { words: 'map getnext', command: 'map getnext pinned forward' },
  { words: 'map export', command: 'map export pinned forward' },
  { words: 'map import', command: 'map import pinned forward forward.json' },
  { words: 'map pin', command: 'map pin pinned forward uplinks' },
  { words: 'map unpin', command: 'map unpin sessions2' },
  { words: 'map freeze', command: 'map freeze pinned forward' },
  { words: 'map show', command: 'map show' },
  { words: 'map dump name NAME', command: 'map dump name forward' },
  { words: 'map create (cpumap)', command: 'map create uplinks type cpumap entries 2' },
  { words: 'map create (devmap)', command: 'map create uplinks type devmap entries 2' },
  { words: 'map create (devmap_hash)', command: 'map create uplinks type devmap_hash entries 2' },
  { words: 'map create (xskmap)', command: 'map create uplinks type xskmap entries 2' },
  { words: 'prog show PROG', command: 'prog show pinned egress' },
  { words: 'prog show', command: 'prog show' },
  { words: 'prog show name NAME', command: 'prog show name egress' },
  { words: 'prog load', command: 'prog load router.bpf.o router' },
  { words: 'prog loadall', command: 'prog loadall router.bpf.o router pinmaps router' },
  { words: 'prog pin', command: 'prog pin pinned egress uplink' },
  { words: 'prog unpin', command: 'prog unpin egress' },
  { words: 'prog run', command: 'prog run builtin pass' },
  { words: 'net show', command: 'net show', given: 'attached' },
  { words: 'net features', command: 'net features' },
  { words: 'net attach builtin', command: 'net attach xdpdrv builtin pass dev eth0' },
  { words: 'net attach pinned', command: 'net attach xdpdrv pinned quiet dev eth0' },
  { words: 'net detach', command: 'net detach xdpdrv dev eth0', given: 'attached' },
  { words: 'link show LINK', command: 'link show pinned uplink', given: 'linked' },
  { words: 'link show', command: 'link show' },
  { words: 'link pin', command: 'link pin pinned uplink uplink2', given: 'linked' },
  { words: 'link detach', command: 'link detach pinned uplink', given: 'linked' },
  { words: 'batch', command: 'batch file updates.txt' },
  { words: 'redirect attach --to', command: 'redirect attach eth0 --to eth1' },
  { words: 'redirect attach --cpus', command: 'redirect attach eth0 --cpus 0' },
  { words: 'redirect attach --xsk', command: 'redirect attach eth0 --xsk' },
  { words: 'redirect attach --link', command: 'redirect attach eth0 --to eth1 --link' },
  { words: 'redirect attach --replace', command: 'redirect attach eth0 --to eth1 --replace', given: 'attached' },
  { words: 'redirect detach', command: 'redirect detach eth0', given: 'attached' },
  { words: 'redirect apply', command: 'redirect apply redirects.json' },
  { words: 'redirect diff', command: 'redirect diff redirects.json', given: 'attached' },
  { words: 'redirect export', command: 'redirect export', given: 'attached' },
  { words: 'redirect stats', command: 'redirect stats eth0', given: 'attached' },
  { words: 'redirect show', command: 'redirect show', given: 'attached' },
  { words: 'redirect check', command: 'redirect check', given: 'attached' },
  { words: 'redirect test', command: 'redirect test eth0 --transmit', given: 'attached' },
  { words: 'xsk bind --attach', command: 'xsk bind eth0 --queue 0 --rx-size 512 --attach --duration 100ms' },
  {
    words: 'xsk bind --write',
    command: 'xsk bind eth0 --queue 0 --rx-size 512 --attach --duration 100ms --write private/frames.pcapng',
  },
  {
    words: 'xsk bind --map',
    command: 'xsk bind eth0 --queue 0 --rx-size 512 --map /sys/fs/bpf/sockets --duration 100ms',
  },
  { words: 'xsk show', command: 'xsk show eth0', given: 'bound' },
  { words: 'debug drops --via builtin', command: 'debug drops eth0 --duration 300ms --via builtin', given: 'losing' },
  { words: 'debug drops --via bpftrace', command: 'debug drops eth0 --duration 300ms --via bpftrace', given: 'losing' },
  { words: 'debug drops --via perf', command: 'debug drops eth0 --duration 300ms --via perf', given: 'losing' },
  { words: 'debug events --via builtin', command: 'debug events --duration 300ms --via builtin', given: 'losing' },
  { words: 'debug events --via bpftrace', command: 'debug events --duration 300ms --via bpftrace', given: 'losing' },
  { words: 'debug events --via perf', command: 'debug events --duration 300ms --via perf', given: 'losing' },
  { words: 'debug record', command: 'debug record --duration 300ms -o record.data', given: 'losing' },
  { words: 'debug explain', command: 'debug explain map-miss' },
  { words: 'any with --netns', command: '--netns left map dump pinned forward' },
];

/** How a command ended that had some capabilities and no others. */
export interface Attempt {
  readonly status: number;
  readonly stderr: string;
}

/**
 * Runs a command with these capabilities only, once for each set, one after the other in one world: those that are refused
 * change nothing.
 *
 * @param sets without CAP_, in lower case
 */
export function attempt(
  { command, given }: PrivilegeCase,
  user: User,
  sets: readonly (readonly string[])[],
): Attempt[] {
  const lines = sets.map((capabilities) => {
    const set = ['-all', ...capabilities.map((name) => `+${name}`)].join(',');
    const who =
      user === 'root'
        ? `--inh-caps=-all`
        : `--reuid=65534 --regid=65534 --clear-groups --inh-caps=${set} --ambient-caps=${set}`;
    return `setpriv ${who} --bounding-set=${set} xdpctl ${command} >/dev/null 2>error </dev/null; echo "@ $?"; cat error`;
  });
  // What it reads may be read by everybody, and it may write into this directory, but not into private.
  const { stdout, stderr } = runInExampleWorld({
    command: `mkdir -m 700 private; chmod 777 .; chmod a+r *; ${lines.join('; ')}`,
    ...(given !== undefined && { given }),
  });
  const attempts = stdout.split(/^@ /m).slice(1);
  if (attempts.length !== sets.length) throw new Error(`not every attempt was made: ${stdout}${stderr}`);
  return attempts.map((text) => {
    const [, status = '', rest = ''] = /^(\d+)\n([^]*)$/.exec(text) ?? [];
    return { status: Number(status), stderr: rest };
  });
}

/** The capabilities that a message names, without CAP_, in lower case. */
export function capabilitiesIn(text: string): string[] {
  return [...new Set(text.match(CAPABILITY))].map((name) => name.slice('CAP_'.length).toLowerCase());
}

/**
 * Whether it was done, perhaps not all of it. Where other tests run at the same time there may be several maps of a name, of
 * which only somebody can know who may list them.
 */
export function isDone({ status, stderr }: Attempt): boolean {
  return status === 0 || (status === 2 && /^error: there are \d+ (?:maps|programs) named/.test(stderr));
}

/** Whether everything was done that there was to do. */
export function isWhole(result: Attempt): boolean {
  return isDone(result) && capabilitiesIn(result.stderr).length === 0;
}

/** Whether it was refused with the exit code for that, saying what to do. */
export function isRefused({ status, stderr }: Attempt): boolean {
  return status === PERMISSION && /^hint: .*\broot\b/m.test(stderr);
}

/** The same capabilities but one. */
export function without(capabilities: readonly string[], missing: string): string[] {
  return capabilities.filter((name) => name !== missing);
}
