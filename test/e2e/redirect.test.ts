import { statSync } from 'node:fs';

import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';

import { builtinPath } from '../support/builtin-path.ts';
import { type CommandResult, PinFolder, xdpctl } from '../support/command.ts';
import { countFrames, framesThrough, startSending } from '../support/frames.ts';
import { expectNothingNew, kernelState } from '../support/leaks.ts';
import { createPathWorld, type PathWorld } from '../support/path-world.ts';
import { inNamespace, tool } from '../support/tool.ts';

let path: PathWorld;

beforeAll(() => {
  path = createPathWorld();
});

afterAll(() => {
  path[Symbol.dispose]();
});

describe('redirect attach', () => {
  it.each(['native', 'generic'])('sends what arrives at one interface out of another (%s)', async (mode) => {
    const before = kernelState();
    const { ingress, egress } = path;
    const made = redirect(['attach', ingress.name, '--to', egress.name, '--mode', mode]).json();
    expect(made).toMatchObject({ ifname: ingress.name, ifindex: ingress.ifindex, mode, targets: [egress.name] });
    expect(attached()).toEqual({ mode: mode === 'native' ? 'driver' : 'generic', id: idOf(made) });
    expect(await arriving(100)).toBe(100);

    const removed = redirect(['detach', ingress.name]).json();
    expect(removed).toMatchObject({ ifname: ingress.name, mode, removed: { prog: { id: idOf(made) } } });
    expect(attached()).toBeUndefined();
    expect(await arriving(20, 1)).toBe(0);
    await expectNothingNew(before);
  });

  it('leaves what is attached alone unless it is told to replace it', async () => {
    const { ingress, egress } = path;
    using _mine = detachedAtEnd();
    const first = idOf(redirect(['attach', ingress.name, '--to', egress.name]).json());
    const before = kernelState();
    const refused = run(['attach', ingress.name, '--to', egress.name]);
    expect(refused.jsonErrors()).toMatchObject([{ error: { exit: 6, hint: expect.stringContaining('--replace') } }]);
    expect(attached()?.id).toBe(first);
    await expectNothingNew(before);
    const second = idOf(redirect(['attach', ingress.name, '--to', egress.name, '--replace']).json());
    expect(second).not.toBe(first);
    expect(attached()?.id).toBe(second);
  });

  it('replaces its program without losing a frame', async () => {
    const { ingress, egress } = path;
    using _mine = detachedAtEnd();
    redirect(['attach', ingress.name, '--to', egress.name]);
    await using counter = await countFrames(path.sink, { count: 1000, seconds: 20 });
    const sent = startSending(path.source, { count: 1000, milliseconds: 1 });
    for (let round = 0; round < 3; round += 1) redirect(['attach', ingress.name, '--to', egress.name, '--replace']);
    await sent;
    expect(await counter.arrived()).toBe(1000);
  });

  it('refuses native mode where the driver has none, and says what to do', async () => {
    const before = kernelState();
    const refused = run(['attach', 'lo', '--to', path.egress.name]);
    expect(refused.status).toBe(5);
    expect(refused.jsonErrors().at(-1)).toMatchObject({
      error: { errnoName: 'EOPNOTSUPP', operation: 'xdp attach', hint: expect.stringContaining('--mode generic') },
    });
    await expectNothingNew(before);
  });

  it.each([
    ['an interface that does not exist', ['nothere', '--to', 'lo'], 3],
    ['a target that does not exist', ['lo', '--to', 'nothere'], 3],
    ['no target', ['lo'], 2],
    ['no interface', [], 2],
    ['a mode there is not', ['lo', '--to', 'lo', '--mode', 'fast'], 2],
    ['an action there is not', ['lo', '--to', 'lo', '--on-miss', 'cry'], 2],
    ['words left over', ['lo', 'lo', '--to', 'lo'], 2],
  ])('refuses %s', async (_, words, exit) => {
    const before = kernelState();
    expect(run(['attach', ...words]).status).toBe(exit);
    await expectNothingNew(before);
  });
});

describe('redirect detach', () => {
  it('removes a foreign program only when it is told its id', () => {
    const { ingress } = path;
    const id = attachForeign();
    onTestFinished(() => forceOff());
    const guarded = run(['detach', ingress.name]);
    expect(guarded.status).toBe(6);
    expect(guarded.jsonErrors()).toMatchObject([
      {
        error: {
          hint: expect.stringContaining(`xdpctl --netns ${path.router} redirect detach ${ingress.name} --force ${id}`),
        },
      },
    ]);
    expect(run(['detach', ingress.name, '--force', String(id + 1)]).status).toBe(3);
    expect(attached()?.id).toBe(id);
    expect(redirect(['detach', ingress.name, '--force', String(id)]).json()).toMatchObject({
      removed: { prog: { id } },
    });
    expect(attached()).toBeUndefined();
  });

  it('has nothing to do where nothing is attached', () => {
    expect(run(['detach', path.ingress.name]).status).toBe(3);
  });
});

describe('--dry-run', () => {
  it('changes nothing at all', async () => {
    const { ingress, egress } = path;
    const before = kernelState();
    const attach = redirect(['attach', ingress.name, '--to', egress.name, '--dry-run']);
    expect(attach.json()).toMatchObject({ dry_run: true });
    await expectNothingNew(before);

    using _mine = detachedAtEnd();
    redirect(['attach', ingress.name, '--to', egress.name]);
    const [there, between] = [attached(), kernelState()];
    expect(redirect(['detach', ingress.name, '--dry-run']).json()).toMatchObject({ dry_run: true });
    expect(attached()).toEqual(there);
    await expectNothingNew(between);
    const ours = `/xdpctl/${statSync(`/run/netns/${path.router}`).ino}_`;
    const pins = [...between].filter((thing) => thing.includes(ours));
    expect(pins).not.toEqual([]);
    expect([...kernelState()]).toEqual(expect.arrayContaining(pins));
  });

  it('says what would be in the way', () => {
    attachForeign();
    onTestFinished(() => forceOff());
    expect(run(['attach', path.ingress.name, '--to', path.egress.name, '--dry-run']).status).toBe(6);
    expect(run(['detach', path.ingress.name, '--dry-run']).status).toBe(6);
  });
});

/** Runs `xdpctl -j redirect …` in the router. */
function run(words: readonly string[]): CommandResult {
  return xdpctl(['-j', '--netns', path.router, 'redirect', ...words]);
}

/** The same, for commands that are to succeed. */
function redirect(words: readonly string[]): CommandResult {
  const result = run(words);
  expect({ words, status: result.status, stderr: result.stderr }).toEqual({ words, status: 0, stderr: '' });
  return result;
}

function idOf(made: unknown): number {
  return (made as { prog: { id: number } }).prog.id;
}

/** What bpftool says is attached to the ingress interface. */
function attached(): { mode: string; id: number } | undefined {
  const shown = JSON.parse(routerTool('bpftool', '-j', 'net', 'show', 'dev', path.ingress.name));
  const [{ xdp }] = shown as [{ xdp: { mode: string; id: number }[] }];
  return xdp.map(({ mode, id }) => ({ mode, id }))[0];
}

/** Runs a tool in the router; unlike `ip -n` it still sees the pins. */
function routerTool(...words: string[]): string {
  const [program = '', ...others] = inNamespace(path.router, words);
  return tool(program, others);
}

/** Attaches a program by ip, as another tool would, and returns its id. */
function attachForeign(): number {
  using folder = new PinFolder();
  const pin = folder.pin('foreign');
  tool('bpftool', ['prog', 'load', builtinPath('pass'), pin]);
  routerTool('ip', 'link', 'set', path.ingress.name, 'xdpdrv', 'pinned', pin);
  return attached()!.id;
}

function forceOff(): void {
  for (const mode of ['xdpdrv', 'xdpgeneric']) {
    routerTool('ip', 'link', 'set', path.ingress.name, mode, 'off');
  }
}

/** Takes away what the test has attached, whatever became of the test. */
function detachedAtEnd(): Disposable {
  return { [Symbol.dispose]: () => void run(['detach', path.ingress.name]) };
}

function arriving(count: number, seconds?: number): Promise<number> {
  return framesThrough(path.source, path.sink, { count, ...(seconds !== undefined && { seconds }) });
}
