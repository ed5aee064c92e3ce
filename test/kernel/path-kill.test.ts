import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { pathText } from '../../src/domain/redirect-path.ts';
import { loadBuiltinProgram } from '../../src/kernel/builtin-objects.ts';
import { inNetns } from '../../src/kernel/netns.ts';
import { readOccupant } from '../../src/kernel/occupant.ts';
import { PathStore, programIn, storeRoot } from '../../src/kernel/path-store.ts';
import { attachedPrograms, attachXdp } from '../../src/kernel/xdp-attachment.ts';
import { compileBpf } from '../support/clang.ts';
import { runHere } from '../support/run-here.ts';
import { fixtureName, runPrefix } from '../support/run-id.ts';
import { createWorld, type End, setLink, type World } from '../support/world.ts';
import { allowChanges, wasKilled } from './support/kill-switch.ts';

vi.mock('node:fs', async (original) => (await import('./support/kill-switch.ts')).killableFs(await original()));
vi.mock('../../src/ffi/libbpf.ts', async (original) =>
  (await import('./support/kill-switch.ts')).killableLibbpf(await original()),
);

let world: World;
let netns: string;
/** Interfaces of one namespace. */
let a: End;
let b: End;
let c: End;
let file: string;
/** A file of programs with a map that wants to be pinned here. */
let object: string;
const mapName = fixtureName();
const declaredPin = `/sys/fs/bpf/${mapName}`;

beforeAll(() => {
  world = createWorld();
  netns = world.namespace();
  ({ a, b } = world.veth({ namespace: netns }, { namespace: netns }));
  ({ a: c } = world.veth({ namespace: netns }, { namespace: netns }));
  const folder = mkdtempSync(join(tmpdir(), runPrefix()));
  file = join(folder, 'redirects.json');
  object = compileBpf(
    folder,
    'wants_pin',
    `struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__type(key, __u32);
	__type(value, __u32);
	__uint(max_entries, 4);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} ${mapName} SEC(".maps");
SEC("xdp") int forward(struct xdp_md *ctx) { return bpf_redirect_map(&${mapName}, 0, XDP_PASS); }`,
  );
});

afterAll(() => {
  rmSync(join(file, '..'), { recursive: true });
  world[Symbol.dispose]();
});

/** A change to be killed: the commands that make the old state, and the one that makes the new one. */
interface Scenario {
  readonly name: string;
  readonly before: () => readonly (readonly string[])[];
  readonly change: () => readonly string[];
  /** The kernel cannot do it in one step: there is a moment with neither the old nor the new. */
  readonly gap?: true;
  /** In the new state a map is pinned that the file of the user wants to be. */
  readonly pin?: true;
}

const scenarios: readonly Scenario[] = [
  { name: 'attach', before: () => [], change: () => attach(a, '--to', b.name) },
  { name: 'attach in generic mode', before: () => [], change: () => attach(a, '--to', b.name, '--mode', 'generic') },
  { name: 'attach by a link', before: () => [], change: () => attach(a, '--to', b.name, '--link') },
  {
    name: 'attach with egress programs',
    before: () => [],
    change: () => attach(a, '--to', b.name, '--dst-mac', '02:00:00:00:00:01'),
  },
  { name: 'replace', before: () => [attach(a, '--to', b.name)], change: () => attach(a, '--to', c.name, '--replace') },
  {
    name: 'replace behind a link',
    before: () => [attach(a, '--to', b.name, '--link')],
    change: () => attach(a, '--to', c.name, '--link', '--replace'),
  },
  {
    name: 'replace a link',
    before: () => [attach(a, '--to', b.name, '--link')],
    change: () => attach(a, '--to', c.name, '--replace'),
    gap: true,
  },
  {
    name: 'replace by a link',
    before: () => [attach(a, '--to', b.name)],
    change: () => attach(a, '--to', c.name, '--link', '--replace'),
    gap: true,
  },
  {
    name: 'replace in another mode',
    before: () => [attach(a, '--to', b.name)],
    change: () => attach(a, '--to', c.name, '--mode', 'generic', '--replace'),
    gap: true,
  },
  {
    name: 'replace a program of others',
    before: () => [['foreign']],
    change: () => attach(a, '--to', c.name, '--replace'),
  },
  { name: 'both ways', before: () => [], change: () => attach(a, '--to', c.name, '--both') },
  {
    name: 'replace both ways',
    before: () => [attach(a, '--to', b.name), attach(c, '--to', b.name)],
    change: () => attach(a, '--to', c.name, '--both', '--replace'),
  },
  { name: 'detach', before: () => [attach(a, '--to', b.name)], change: () => ['detach', a.name] },
  {
    name: 'apply to an entry',
    before: () => [attach(a, '--to', b.name)],
    change: () => apply([{ dev: a.name, to: [c.name] }]),
  },
  {
    name: 'apply to several entries',
    before: () => [attach(a, '--to', b.name, '--to', a.name, '--broadcast')],
    change: () => apply([{ dev: a.name, to: [b.name, c.name], broadcast: true }]),
    gap: true,
  },
  {
    name: 'apply to several paths',
    before: () => [attach(a, '--to', b.name), attach(c, '--to', b.name)],
    change: () => apply([{ dev: a.name, to: [c.name], on_miss: 'drop' }], '--prune'),
  },
  {
    name: 'attach a program of the user whose file wants a pin',
    before: () => [],
    change: () => attach(a, '--object', object),
    pin: true,
  },
  { name: 'detach from a link', before: () => [attach(a, '--to', b.name, '--link')], change: () => ['detach', a.name] },
];

describe.each(scenarios)('$name', ({ before, change, gap, pin }) => {
  it('leaves the old state or the new one wherever it is killed, and the next command repairs the rest', async () => {
    await reset(before());
    const old = state();
    expect(await command(change())).toBe(0);
    const fresh = state();
    expectConsistent();
    expect(fresh).not.toEqual(old);

    let moments = 0;
    for (; ; moments += 1) {
      await reset(before());
      if (!(await killed(change(), moments))) break; // That was the whole of it.
      const neither = state().filter((one, index) => one !== old[index] && one !== fresh[index]);
      expect(gap === true ? [] : neither).toEqual([]);

      await repaired();
      expect([old, fresh]).toContainEqual(state());
      expect(existsSync(declaredPin)).toBe(pin === true && isDeepStrictEqual(state(), fresh));
      expectConsistent();
    }
    await reset([]);
    expect(moments).toBeGreaterThan(3);
    expect(readdirIfThere(storeRoot()).filter((name) => name.startsWith(`${netnsInode()}_`))).toEqual([]);
  });
});

it('is repaired in the end also when the repair is killed', async () => {
  const change = attach(a, '--to', c.name, '--both', '--link', '--replace');
  const before = [attach(a, '--to', b.name), attach(c, '--to', b.name)];
  await reset(before);
  const old = state();
  expect(await command(change)).toBe(0);
  const fresh = state();
  // Not every moment: the states between are much alike.
  for (let moments = 0; ; moments += 13) {
    await reset(before);
    if (!(await killed(change, moments))) break;
    for (let repairs = 0; await killed(['detach', b.name], repairs); repairs += 1) {
      await repaired();
      expect([old, fresh]).toContainEqual(state());
      expectConsistent();
      await reset(before);
      expect(await killed(change, moments)).toBe(true);
    }
  }
  await reset([]);
});

describe('a change that was killed', () => {
  it('does not attach the old program again where somebody has taken off what was there', async () => {
    let told = 0;
    await atEachMoment(
      a,
      () => setLink(netns, 'set', 'dev', a.name, 'xdp', 'off'),
      async () => {
        const { stderr } = await runHere('--netns', netns, 'redirect', 'detach', b.name);
        if (stderr.includes(`somebody has taken the program of ${a.name} off meanwhile, and it stays off`)) told += 1;
        expect([programsOn(a), journals()]).toEqual([[], []]);
      },
    );
    expect(told).toBeGreaterThan(0);
  });

  it('is nothing to a new device that has the ifindex of the old one', async () => {
    using fresh = createWorld();
    const { a: device, b: peer } = fresh.veth({ namespace: netns }, { namespace: netns });
    await atEachMoment(
      device,
      () => {
        setLink(netns, 'del', device.name);
        const words = ['index', String(device.ifindex), 'type', 'veth', 'peer', 'name', peer.name];
        setLink(netns, 'add', device.name, ...words);
        setLink(netns, 'set', device.name, 'up');
        setLink(netns, 'set', peer.name, 'up');
      },
      async () => {
        const { stderr } = await runHere('--netns', netns, 'redirect', 'detach', b.name);
        // Said at the few moments at which it is not noted, or no more, which device the change is about.
        const said = stderr.replace(/^a command that was killed had begun to change \S+: \w+\n/, '');
        expect(said).toBe(`error: ${b.name} has no XDP program attached\n`);
        expect([programsOn(device), journals()]).toEqual([[], []]);
      },
    );
  });
});

/** Does something at every moment of a replacement, and then what ends it. */
async function atEachMoment(device: End, meanwhile: () => void, end: () => Promise<void>): Promise<void> {
  for (let moments = 0; ; moments += 1) {
    await reset([attach(device, '--to', b.name)]);
    const wasAll = !(await killed(attach(device, '--to', c.name, '--replace'), moments));
    meanwhile();
    await end();
    if (wasAll) return;
  }
}

function programsOn({ ifindex }: End): number[] {
  return inNetns(netns, () => attachedPrograms(ifindex).map(({ progId }) => progId));
}

/** Runs a command that is killed after so many changes. @returns whether it had more to do */
async function killed(words: readonly string[], changes: number): Promise<boolean> {
  allowChanges(changes);
  await command(words);
  const result = wasKilled();
  allowChanges();
  return result;
}

function attach(device: End, ...words: string[]): string[] {
  return ['attach', device.name, ...words];
}

/** The command that applies a document. */
function apply(redirects: object[], ...words: string[]): string[] {
  writeFileSync(file, JSON.stringify({ xdpctl: 1, redirects }));
  return ['apply', file, ...words];
}

/** Runs `xdpctl redirect …` in the namespace and returns its exit code. */
async function command(words: readonly string[]): Promise<number | null> {
  if (words[0] === 'foreign') {
    inNetns(netns, () => {
      using pass = loadBuiltinProgram('pass');
      attachXdp(a.ifindex, pass.fd, 'native');
    });
    return 0;
  }
  return (await runHere('--netns', netns, '-q', 'redirect', ...words)).status;
}

/** A command that has nothing to do of its own, but makes an end of what it finds. */
async function repaired(): Promise<void> {
  expect(await command(['detach', b.name])).toBe(3);
}

/** Takes everything off all devices, and makes the state that the commands make. */
async function reset(commands: readonly (readonly string[])[]): Promise<void> {
  rmSync(declaredPin, { force: true });
  for (const device of [a, c]) {
    const [there] = inNetns(netns, () => attachedPrograms(device.ifindex));
    if (there === undefined) continue;
    expect(await command(['detach', device.name, '--force', String(there.progId)])).toBe(0);
  }
  for (const words of commands) expect(await command(words)).toBe(0);
}

/** What each device does, in words that are the same for the same thing made twice. */
function state(): string[] {
  return inNetns(netns, () => {
    const store = new PathStore();
    return [a, c].map(({ ifindex, name }) => {
      const there = readOccupant(store, { ifindex, ifname: name }, attachedPrograms(ifindex));
      if (there === undefined) return 'nothing';
      if (there.own === undefined) return `foreign, ${there.mode}`;
      const { path } = there.own;
      const programs = path.targets.kind === 'devices' ? path.targets.entries.map(({ program }) => program) : [];
      return `${pathText(path)}, ${path.mode}${path.link ? ', link' : ''}, ${JSON.stringify(programs)}`;
    });
  });
}

/** Exactly the devices that have a program of ours have a directory, with that very program; no change is under way. */
function expectConsistent(): void {
  inNetns(netns, () => {
    const store = new PathStore();
    const attached = new Map([a, c].map(({ ifindex }) => [ifindex, attachedPrograms(ifindex)[0]?.progId]));
    for (const [ifindex, id] of attached) {
      const directory = store.directory(ifindex);
      expect(existsSync(directory) ? programIn(directory) : id).toBe(id);
    }
    expect(journals()).toEqual([]);
  });
}

/** The changes that are under way in the namespace. */
function journals(): string[] {
  const change = new RegExp(`^${netnsInode()}_(?:pending|trial|committed)$`);
  return readdirIfThere(storeRoot()).filter((name) => change.test(name));
}

function netnsInode(): number {
  return inNetns(netns, () => new PathStore().netns);
}

function readdirIfThere(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}
