import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { shellCommand } from '../../src/domain/shell-quote.ts';
import { BpfMap } from '../../src/kernel/map.ts';
import { printableLines } from '../../src/output/printable.ts';
import { builtinPath } from '../support/builtin-path.ts';
import { compileBpf } from '../support/clang.ts';
import { type CommandResult, PinFolder, startXdpctl } from '../support/command.ts';
import { sendFrames } from '../support/frames.ts';
import { addPair, hostileNames } from '../support/hostile-names.ts';
import { needProgram } from '../support/need.ts';
import { runHere } from '../support/run-here.ts';
import { fixtureName } from '../support/run-id.ts';
import { TemporaryFolder } from '../support/temporary-folder.ts';
import { tool } from '../support/tool.ts';
import { type Shell, typed } from '../support/typed.ts';
import { createWorld, type End, setGro, type World } from '../support/world.ts';

/*
 * What xdpctl prints for people to type, typed into the shells they have, where names attack a terminal or a shell. A name
 * that a shell runs leaves a file `C` in the folder where the shell is.
 */

const shells: readonly Shell[] = ['sh', 'bash', 'zsh', 'fish'];
const [source = '', ...targets] = hostileNames;

let world: World;
/** A namespace whose own name is hostile, with a veth for each name; number N ends at peerN. */
let namespace: string;
let folder: TemporaryFolder;
/** Where the shells are, which is empty. */
let place: TemporaryFolder;
let pins: PinFolder;

beforeAll(() => {
  world = createWorld();
  namespace = world.namespace('\u001b[2J\\\';>C;#$(>C)"\n`>C`\u009bx');
  folder = new TemporaryFolder();
  place = new TemporaryFolder();
  pins = new PinFolder();
  for (const [index, name] of hostileNames.entries()) {
    addPair(namespace, name, `peer${index}`);
  }
  setAll([...hostileNames, ...hostileNames.map((_, index) => `peer${index}`)], 'up');
});

afterEach(() => {
  if (readdirSync(place.path).length > 0) throw new Error('a shell ran a part of a name');
});

afterAll(() => {
  place[Symbol.dispose]();
  folder[Symbol.dispose]();
  pins[Symbol.dispose]();
  world[Symbol.dispose]();
});

/** Sets interfaces up or down. Through a shell: Node hands words that are not UTF-8 to no program. */
function setAll(names: readonly string[], state: 'up' | 'down'): void {
  const commands = names.map((name) => shellCommand(['ip', '-n', namespace, 'link', 'set', 'dev', name, state]));
  tool('bash', ['-ec', commands.join('\n')]);
}

/** Fails where a terminal would obey something in the output. */
function expectTame(result: CommandResult): CommandResult {
  for (const text of [result.stdout, result.stderr]) expect(printableLines(text)).toBe(text);
  return result;
}

async function run(exit: number, ...words: readonly string[]): Promise<CommandResult> {
  const result = await runHere('--netns', namespace, ...words);
  expect({ words, status: result.status, stderr: result.stderr }).toMatchObject({ words, status: exit });
  return expectTame(result);
}

/** The commands that mend something, whole: all that stands behind `fix: `. */
function fixesIn(text: string): string[] {
  return [...text.matchAll(/^ *fix: (.*)$/gm)].map(([, command = '']) => command);
}

/** By the index: ip prints the names as they are, in JSON too. */
function indexesUp(): Set<number> {
  const links = tool('ip', ['-n', namespace, '-o', 'link', 'show', 'up']);
  return new Set([...links.matchAll(/^(\d+):/gm)].map(([, index]) => Number(index)));
}

/**
 * What typing a command sets up.
 *
 * @param before what was up before; is what is up afterwards
 */
function setUpBy(shell: Shell, command: string, before = indexesUp()): number[] {
  typed(command, shell, place.path);
  const fresh = [...indexesUp()].filter((index) => !before.has(index));
  for (const index of fresh) before.add(index);
  return fresh;
}

async function indexOf(name: string): Promise<number> {
  const device = (await run(0, '-j', 'net', 'features', '--', 'dev', name)).json() as { readonly ifindex: number };
  return device.ifindex;
}

describe('a redirect to interfaces of all names', () => {
  const indexes = new Map<string, number>();

  beforeAll(async () => {
    await run(0, 'redirect', 'attach', '--broadcast', ...targets.flatMap((name) => ['--to', name]), '--', source);
    for (const name of targets) indexes.set(name, await indexOf(name));
  });

  afterAll(async () => {
    await run(0, 'redirect', 'detach', '--', source);
  });

  it.for(shells)('is mended by what is printed, typed into %s', async (shell, context) => {
    needProgram(context, shell);
    setAll(targets, 'down');
    const { stdout } = await run(0, 'redirect', 'check', '--', source);
    const commands = new Set(fixesIn(stdout).filter((command) => command.endsWith(' up')));
    expect(commands.size).toBe(targets.length);
    const up = indexesUp();
    for (const name of targets) {
      const command = shellCommand(['ip', 'netns', 'exec', namespace, 'ip', 'link', 'set', 'dev', name, 'up']);
      expect(commands).toContain(command);
      expect({ name, up: setUpBy(shell, command, up) }).toEqual({ name, up: [indexes.get(name)] });
    }
  });

  it('is shown, counted and told of without a word that a terminal obeys', async () => {
    expect.hasAssertions();
    for (const words of [
      ['redirect', 'show'],
      ['redirect', 'check'],
      ['redirect', 'stats'],
      ['redirect', 'test', '--transmit', '--count', '1', '--', source],
      ['net', 'show'],
      ['net', 'features'],
      ['link', 'show'],
      ['xsk', 'show'],
      ['map', 'show'],
      ['prog', 'show'],
    ]) {
      const exit = words[1] === 'test' ? 2 : 0;
      await run(exit, ...words);
      await run(exit, '-j', ...words);
    }
  });
});

/** Those that a shell may take for more than a name, one for each shell. */
const nastiest = ["\\';>C;#", '"\';>C;\'"', '\udcff\udcfe;>C', '\u001b]0;x\u0007'];

it.for(shells)('a hint of our own command does what it says in %s', async (shell, context) => {
  needProgram(context, shell);
  for (const name of nastiest) {
    await run(0, 'net', 'attach', '--', 'xdpgeneric', 'builtin', 'pass', 'dev', name);
    const { stderr } = await run(3, 'net', 'detach', '--', 'xdpdrv', 'dev', name);
    const command = /xdpctl .*$/m.exec(stderr)?.[0] ?? '';
    expect(command).toBe(shellCommand(['xdpctl', '--netns', namespace, 'net', 'detach', 'xdpgeneric', 'dev', name]));
    typed(command, shell, place.path);
    expect((await run(0, '-j', 'net', 'show', '--', 'dev', name)).json()).toMatchObject([{ xdp: [] }]);
  }
});

describe.for([
  ['builtin', 'fish'],
  ['bpftrace', 'zsh'],
  ['perf', 'bash'],
] as const)('debug drops --via %s', ([via, shell]) => {
  it(`tells of frames that are lost on such a way, and what ${shell} is to do`, async (context) => {
    needProgram(context, shell);
    if (via !== 'builtin') needProgram(context, via);
    const [ingress, egress] = ['$(>C)', "\\';>C;#"];
    const from: End = { name: `peer${hostileNames.indexOf(ingress)}`, namespace, ifindex: 0, mac: '' };
    setGro({ name: `peer${hostileNames.indexOf(egress)}`, namespace }, true);
    await run(0, 'redirect', 'attach', '--to', egress, '--', ingress);
    setAll([egress], 'down');
    {
      await using drops = startXdpctl(['--netns', namespace, 'debug', 'drops', '--via', via, '--', ingress]);
      await drops.ready();
      sendFrames(from, { count: 5 });
      const { stdout } = expectTame(await drops.stop());
      expect(stdout).toMatch(/5 {2}target-down/);
      const [command = ''] = fixesIn(stdout);
      expect(command).toMatch(/^ip netns exec .* up$/);
      expect(setUpBy(shell, command)).toEqual([await indexOf(egress)]);
    }
    await run(0, 'redirect', 'detach', '--', ingress);
  });
});

describe('a file of programs', () => {
  // The kernel looks at the first 15 characters only, and pins have whole names.
  const names = [`${fixtureName()}a\u001b[2J'>C`, `${fixtureName()}a\n\\';>C`, `${fixtureName()}a\u009b$(>C)`] as const;
  const [map, declared, program] = names;
  const declaredPin = `/sys/fs/bpf/${declared}`;
  let file: string;

  beforeAll(() => {
    const bytesOfNames = names.map((name) => Buffer.from(name).toString('latin1'));
    const [devmap, array, main] = bytesOfNames.map((name) => name.replaceAll(/[^a-z0-9]/g, '_'));
    file = compileBpf(
      folder.path,
      'evil',
      `struct { __uint(type, BPF_MAP_TYPE_DEVMAP); __uint(max_entries, 4); __type(key, __u32); __type(value, __u32); }
${devmap} SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_ARRAY); __uint(max_entries, 1); __type(key, __u32); __type(value, __u32);
__uint(pinning, LIBBPF_PIN_BY_NAME); } ${array} SEC(".maps");
SEC("xdp") int ${main}(struct xdp_md *ctx)
{ __u32 key = 0; return bpf_map_lookup_elem(&${array}, &key) ? bpf_redirect_map(&${devmap}, 0, 2) : 1; }`,
    );
    // A compiler makes identifiers only.
    let bytes = readFileSync(file).toString('latin1');
    for (const [index, identifier] of [devmap, array, main].entries()) {
      bytes = bytes.replaceAll(identifier!, bytesOfNames[index]!);
    }
    writeFileSync(file, bytes, 'latin1');
  });

  it('may have names that attack a terminal, and they do not get there', async () => {
    const [programs, maps] = [pins.pin('programs'), pins.pin('maps')];
    const load = ['prog', 'loadall', file, programs, 'pinmaps', maps];
    await run(0, ...load, '--dry-run');
    await run(2, 'prog', 'load', file, pins.pin('p'), 'map', 'name', 'none', 'id', '1');
    await run(0, ...load);
    await run(6, ...load);
    expect(new Set(readdirSync(maps))).toEqual(new Set([map, declared]));
    expect(readdirSync(programs)).toEqual([program]);
    for (const words of [
      ['map', 'show', `${maps}/${map}`],
      ['map', 'dump', `${maps}/${declared}`],
      ['prog', 'show', `${programs}/${program}`],
      ['map', 'export', `${maps}/${declared}`],
    ]) {
      await run(0, ...words);
      await run(0, '-j', ...words);
    }
    await run(2, 'map', 'dump', `${programs}/${program}`);
    await run(0, 'map', 'unpin', declaredPin);
  });

  it.for(shells)('is filled by what is printed, typed into %s', async (shell, context) => {
    needProgram(context, shell);
    const [ingress = '', egress = ''] = nastiest;
    await run(0, 'redirect', 'attach', '--object', file, '--', ingress);
    const { stdout } = await run(0, 'redirect', 'check', '--', ingress);
    const [command = ''] = fixesIn(stdout);
    expect(command).toContain(' key KEY value dev DEV');
    typed(command.replace('KEY', '0').replace('DEV', shellCommand([egress])), shell, place.path);
    const [path] = (await run(0, '-j', 'redirect', 'show', '--', ingress)).json() as [{ maps: [{ entries: unknown }] }];
    expect(path.maps[0].entries).toMatchObject([{ formatted: { value: { ifname: egress } } }]);
    await run(0, 'redirect', 'detach', '--', ingress);
    await run(0, 'map', 'unpin', declaredPin);
  });
});

it('a process that holds a map may call itself anything', async () => {
  const [name, link] = ['\u001b[2J\n$(>C)', folder.file('\u001b[2J\n$(>C)')];
  symlinkSync(tool('sh', ['-c', 'command -v sleep']).trim(), link);
  using map = BpfMap.create({ type: 1, name: 'held', keySize: 4, valueSize: 4, maxEntries: 1, flags: 0 });
  const holder = spawn(link, ['600'], { stdio: ['ignore', 'ignore', 'ignore', map.fd] });
  try {
    await once(holder, 'spawn');
    const id = String(map.info.id);
    const shown = (await run(0, '-j', 'map', 'show', 'id', id)).json();
    expect(shown).toMatchObject({ pids: [{ pid: holder.pid, comm: name }] });
    await run(0, 'map', 'show', 'id', id);
    await run(0, 'map', 'show');
  } finally {
    holder.kill('SIGKILL');
    await once(holder, 'close');
  }
});

function type(...words: readonly string[]): void {
  typed(shellCommand(words), 'bash', place.path);
}

it('words that are no UTF-8 reach the kernel as they are', async () => {
  const [pin, file] = [pins.pin('\udcff\udc9b2J'), folder.file('\udcfe\n.o')];
  type('cp', builtinPath('pass'), file);
  type('xdpctl', 'prog', 'load', file, pin);
  type('rm', file);
  expect((await run(0, '-j', 'prog', 'show', 'pinned', pin)).json()).toMatchObject({ pinned: [pin] });
  type('xdpctl', 'prog', 'unpin', pin);
  await run(3, 'prog', 'show', 'pinned', pin);
  await run(2, 'debug', 'record', '-o', file);
});
