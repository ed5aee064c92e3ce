import { join } from 'node:path';

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { type CommandResult, startXdpctl, xdpctl } from '../support/command.ts';
import { TemporaryFolder } from '../support/temporary-folder.ts';
import { FaultWorld, objectFile, type State } from './support/fault-world.ts';
import { compilePreload, needPreload } from './support/preload.ts';
import { chosen } from './support/sample.ts';

let world: FaultWorld;
let old: State;

beforeAll(async () => {
  world = new FaultWorld();
  await world.done(...world.words('map create @m type devmap entries 4 name m'));
  await world.done(...world.words('redirect attach B --to C'));
  old = world.state();
});

afterAll(async () => {
  await world.clear();
  world[Symbol.dispose]();
});

/** Runs a command in the router's namespace, in a mount namespace of its own that was changed before. */
function where(script: string, text: string, options: readonly string[] = []): CommandResult {
  const wrapper = ['unshare', '--mount', 'sh', '-c', `${script} && exec "$0" "$@"`];
  return xdpctl([...options, '--netns', world.router.netns, ...world.words(text)], { wrapper });
}

/** An error in words for the user. */
function expectError(result: CommandResult, exit: number, message: RegExp): void {
  expect({ status: result.status, stdout: result.stdout }).toEqual({ status: exit, stdout: '' });
  expect(result.stderr).toMatch(message);
  expect(result.stderr).not.toMatch(/^\s+at /m);
  expect(world.state()).toEqual(old);
}

/** The commands that make or remove something below bpffs. */
const pinning = [
  'map create @n type devmap entries 4 name n',
  'map pin @m @n',
  'map unpin @m',
  `prog load ${objectFile('pass')} @p`,
  `prog loadall ${objectFile('pass')} @all pinmaps @maps`,
  'redirect attach A --to B',
  'redirect attach B --to A --replace',
  'redirect detach B',
];

describe('where bpffs is read-only', () => {
  it.each(pinning)('%s changes nothing, and says so', (text) => {
    const result = where('mount -o remount,ro,bind /sys/fs/bpf', text);
    expectError(result, 1, /^error: .*read-only.*EROFS/);
  });

  it('what needs no pin goes on', () => {
    const readOnly = 'mount -o remount,ro,bind /sys/fs/bpf';
    expect(where(readOnly, 'redirect show').stdout).toContain(world.router.b.name);
    expect(where(readOnly, 'map dump @m').status).toBe(0);
    expect(where(readOnly, 'debug drops A --duration 50ms').status).toBe(0);
  });
});

describe('where /proc is not mounted', () => {
  // Within the namespace, because entering it takes /proc.
  const without = 'umount -l /proc';

  it.each([
    ...pinning.slice(1, 3),
    'map update @m key 0 value B',
    'redirect attach A --to B',
    'redirect detach B',
    'redirect show',
    'redirect check',
    'redirect stats',
    'net features',
    'xsk bind A --queue 0 --attach --duration 50ms',
    'xsk show',
    'debug drops A --duration 50ms',
  ])('%s says that it is needed', (text) => {
    const words = world.words(text);
    const wrapper = ['nsenter', `--net=/run/netns/${world.router.netns}`, 'unshare', '--mount', 'sh', '-c'];
    const result = xdpctl(words, { wrapper: [...wrapper, `${without} && exec "$0" "$@"`] });
    expectError(result, 5, /^error: \/proc\/\S+ is needed.*\nhint: mount it, without restrictions: mount -t proc/);
  });

  it('entering a network namespace does too', () => {
    expectError(where(without, 'map show @m'), 5, /^error: \/proc\/thread-self\/ns\/net is needed/);
  });
});

describe('where /proc shows processes only, and only those of the user', () => {
  it.each(chosen(['hidepid=2,subset=pid', 'hidepid=2', 'subset=pid'], 1))('%s: everything goes on', (restriction) => {
    const restricted = `mount -t proc -o ${restriction} proc /proc`;
    for (const text of [
      'map show @m',
      'map update @m key 0 value B',
      'map delete @m key 0',
      'prog show',
      'net features',
      'redirect attach A --to B',
      'redirect show',
      'redirect check',
      'redirect test A --transmit --count 3',
      'redirect detach A',
      'xsk bind A --queue 0 --attach --duration 50ms',
      'xsk show',
      'debug drops A --duration 50ms',
      'debug events --duration 50ms',
    ]) {
      expect(where(restricted, text)).toMatchObject({ status: 0 });
    }
    expect(world.state()).toEqual(old);
  });
});

describe('where tracefs is not mounted', () => {
  const without = '(umount -l /sys/kernel/debug 2>/dev/null; umount -l /sys/kernel/tracing)';

  it.each([
    'debug drops A --via bpftrace --duration 50ms',
    'debug drops A --via perf --duration 50ms',
    'debug record --duration 50ms -o %record.data',
    'redirect test B --transmit --count 3',
  ])('%s says how to mount it', (text) => {
    expectError(
      where(without, text),
      5,
      /tracefs is not mounted.*\nhint: .*mount -t tracefs tracefs \/sys\/kernel\/tracing/,
    );
  });

  it.each(['debug drops A --duration 50ms', 'debug events --duration 50ms'])('%s does without', (text) => {
    expect(where(without, text)).toMatchObject({ status: 0 });
  });
});

/** An hour would be a step of the clock. How many frames there are is not looked at: events tell those of the whole machine. */
function isWrong({ name, number }: { readonly name: string; readonly number: number }): boolean {
  return number < 0 || (/^(?:time|interval|duration)_s$/.test(name) && number >= 600);
}

describe('where somebody sets the clock', () => {
  const SOURCE = join(import.meta.dirname, 'support', 'stepped-clock.c');
  let folder: TemporaryFolder;
  let library: string | undefined;

  beforeAll(() => {
    folder = new TemporaryFolder();
  });

  beforeEach((context) => {
    needPreload(context);
    library ??= compilePreload(SOURCE, folder);
  });

  afterAll(() => folder[Symbol.dispose]());

  /** The environment in which the clock is set by so many seconds every 100 milliseconds. */
  function setBy(step: number): Record<string, string> {
    return { LD_PRELOAD: library ?? '', CLOCK_STEP: String(step), CLOCK_EVERY: '100' };
  }

  /** Runs a command meanwhile. */
  function underClock(step: number, text: string): { readonly result: CommandResult; readonly seconds: number } {
    const start = performance.now();
    const result = xdpctl(['-j', '--netns', world.router.netns, ...world.words(text)], {
      env: setBy(step),
    });
    return { result, seconds: (performance.now() - start) / 1000 };
  }

  describe.each(
    chosen(
      [
        ['back', -3600],
        ['forth', 86_400],
      ] as const,
      1,
    ),
  )('%s', (_direction, step) => {
    it.each([
      ['redirect stats B --interval 200ms --count 3', 0.6],
      ['debug drops B --via builtin --interval 200ms --duration 700ms', 0.7],
      ['debug drops B --via bpftrace --interval 200ms --duration 700ms', 0.7],
      ['debug drops B --via perf --interval 200ms --duration 700ms', 0.7],
      ['debug events --duration 500ms', 0.5],
      ['xsk bind A --queue 0 --attach --interval 200ms --duration 700ms', 0.7],
    ])('%s lasts as long as it should, and counts no negative times and rates', (text, least) => {
      const { result, seconds } = underClock(step, text);
      expect(result).toMatchObject({ status: 0 });
      expect(seconds).toBeGreaterThanOrEqual(least);
      const numbers = [
        ...result.stdout.matchAll(/"(time_s|interval_s|duration_s|\w+_per_s|count|dropped)":(-?[\d.e+]+)/g),
      ].map(([, name = '', number]) => ({ name, number: Number(number) }));
      expect(numbers).not.toEqual([]);
      expect(numbers.filter(isWrong)).toEqual([]);
    });

    it('a change that is not confirmed is taken back in time', async () => {
      const words = ['--netns', world.router.netns, ...world.words('redirect attach A --to B --confirm 500ms')];
      await using running = startXdpctl(words, { env: setBy(step), keepInputOpen: true });
      await running.ready();
      const started = performance.now();
      expect(await running.result()).toMatchObject({ status: 1 });
      expect(performance.now() - started).toBeGreaterThan(400);
      expect(world.state()).toEqual(old);
    });
  });
});
