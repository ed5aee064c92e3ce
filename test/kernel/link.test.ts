import { existsSync } from 'node:fs';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import { openBuiltin } from '../../src/kernel/builtin-objects.ts';
import { inNetns } from '../../src/kernel/netns.ts';
import { BpfObject } from '../../src/kernel/object.ts';
import { BpfProgram } from '../../src/kernel/program.ts';
import { XdpLink } from '../../src/kernel/xdp-link.ts';
import { builtinPath } from '../support/builtin-path.ts';
import { type CommandResult, PinFolder } from '../support/command.ts';
import { runHere } from '../support/run-here.ts';
import { tool, toolJson } from '../support/tool.ts';
import { createWorld, type World } from '../support/world.ts';

let world: World;
let namespace: string;
let ifindex: number;
let pins: PinFolder;
let id: number;

beforeAll(() => {
  world = createWorld();
  namespace = world.namespace();
  ifindex = world.veth({ namespace, name: 'near0' }, { namespace: world.namespace(), name: 'far0' }).a.ifindex;
});

beforeEach(() => {
  pins = new PinFolder();
  tool('bpftool', ['prog', 'load', builtinPath('pass'), pins.pin('pass')]);
  const { id: progId } = toolJson('bpftool', ['-j', 'prog', 'show', 'pinned', pins.pin('pass')]) as { id: number };
  using program = BpfProgram.byId(progId);
  using link = inNetns(namespace, () => XdpLink.create(ifindex, program.fd, 'native'));
  id = link.info.id;
  tool('bpftool', ['link', 'pin', 'id', String(id), pins.pin('link')]);
});

afterEach(async () => {
  pins[Symbol.dispose]();
  await vi.waitUntil(() => !attached());
});
afterAll(() => world[Symbol.dispose]());

/** Runs a command in the namespace; `@` is the folder of pins. */
function typed(command: string): Promise<CommandResult> {
  return runHere('--netns', namespace, ...command.replaceAll('@', pins.path).split(' '));
}

/** What ip says. */
function attached(): boolean {
  const [link] = toolJson('ip', ['-n', namespace, '-j', 'link', 'show', 'dev', 'near0']) as [{ xdp?: object }];
  return link.xdp !== undefined;
}

/** What bpftool says of the link. */
function judged(pin: string): Record<string, unknown> {
  return toolJson('bpftool', ['-j', '-f', 'link', 'show', 'pinned', pins.pin(pin)]) as Record<string, unknown>;
}

async function expectRefusal(command: string, exit: number, says: string | RegExp): Promise<void> {
  const before = attached();
  const plain = await typed(command);
  expect({ status: plain.status, stdout: plain.stdout }).toEqual({ status: exit, stdout: '' });
  expect(plain.stderr).toMatch(says);
  const json = await typed(`-j ${command}`);
  expect({ status: json.status, stdout: json.stdout }).toEqual({ status: exit, stdout: '' });
  expect(json.jsonErrors()).toMatchObject([{ error: { exit } }]);
  expect(attached()).toBe(before);
}

describe('link show', () => {
  it.each(['pinned @/link', '@/link', 'id ID'])('%s is what bpftool says, and the interface', async (handle) => {
    const result = await typed(`-j link show ${handle.replace('ID', String(id))}`);
    expect(result).toMatchObject({ status: 0, stderr: '' });
    expect(result.json()).toMatchObject({ ...judged('link'), devname: 'near0', ifname: 'near0', ifindex, pids: [] });
  });

  it('lists links of every type', async () => {
    using object = openBuiltin('pass');
    object.load();
    const rows = (await typed('-j -f link list')).json() as { id: number; type: string; pinned: string[] }[];
    expect(rows.find((row) => row.id === id)).toMatchObject({
      type: 'xdp',
      pinned: [pins.pin('link')],
      ifname: 'near0',
    });
    expect((await typed('link show')).stdout).toMatch(new RegExp(`^ *${id} +xdp +\\d+ +near0$`, 'm'));
  });

  it('names no interface of another namespace', async () => {
    const row = (await runHere('-j', 'link', 'show', 'id', String(id))).json();
    expect(row).toMatchObject({ id, ifindex });
    expect(row).not.toHaveProperty('ifname');
  });

  it.each([
    ['@/none', 3, 'there is no pin'],
    ['id 4294967294', 3, 'there is no link with id 4294967294'],
    ['@/pass', 2, 'is a pinned program, not a link'],
    ['near0', 2, "links have no names: 'near0'"],
    ['@/link now', 2, "unexpected word 'now'"],
  ])('%s is refused', (words, exit, says) => expectRefusal(`link show ${words}`, exit, says));
});

describe('link pin', () => {
  it('keeps the program attached', async () => {
    expect(await typed('link pin @/link @/second')).toMatchObject({ status: 0, stdout: '', stderr: '' });
    expect(judged('second')['id']).toBe(id);
    tool('rm', [pins.pin('link')]);
    expect(attached()).toBe(true);
  });

  it('says under --dry-run what it would do', async () => {
    expect((await typed('link pin @/link @/second --dry-run')).stdout).toBe(
      `would pin xdp link ${id} at ${pins.pin('second')}\n`,
    );
    expect(existsSync(pins.pin('second'))).toBe(false);
  });

  it.each([
    ['@/link @/pass', 6, 'exists already'],
    ['@/pass @/second', 2, 'is a pinned program, not a link'],
    ['@/link', 2, 'the pin is missing'],
    ['@/link @/no/second', 3, 'does not exist'],
  ])('%s is refused', (words, exit, says) => expectRefusal(`link pin ${words}`, exit, says));
});

describe('link detach', () => {
  it('takes the program off, once', async () => {
    expect((await typed('link detach @/link --dry-run')).stdout).toMatch(
      new RegExp(`^would detach program \\d+ of xdp link ${id}\n$`),
    );
    expect(attached()).toBe(true);
    expect(await typed(`link detach id ${id}`)).toMatchObject({ status: 0, stdout: '', stderr: '' });
    expect(attached()).toBe(false);
    expect((await typed('-j link show @/link')).json()).toMatchObject({ id, ifindex: 0 });
    expect((await typed('link show @/link')).stdout).toMatch(/^interface {2}\(detached\)$/m);
    await expectRefusal('link detach @/link', 3, 'is detached already');
  });

  it('says of which types the kernel detaches none', async () => {
    using object = BpfObject.open(builtinPath('losses'));
    // Each kernel has the event, with the same arguments.
    const chosen = object.programs.find(({ name }) => name === 'exception')!;
    for (const each of object.programs) each.setAutoload(each === chosen);
    object.load();
    using _held = chosen.attach();
    const links = toolJson('bpftool', ['-j', 'link', 'show']) as { id: number; prog_id: number }[];
    using program = chosen.openProgram();
    const link = links.find((each) => each.prog_id === program.info.id);
    await expectRefusal(`link detach id ${link?.id}`, 5, 'cannot be detached');
  });

  it.each([
    ['@/none', 3, 'there is no pin'],
    ['@/pass', 2, 'is a pinned program, not a link'],
    ['@/link now', 2, "unexpected word 'now'"],
  ])('%s is refused', (words, exit, says) => expectRefusal(`link detach ${words}`, exit, says));
});
