import { spawnSync } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';

import { describe, expect, it, onTestFinished } from 'vitest';

import { XskSocket } from '../../src/kernel/af-xdp/socket.ts';
import { interfaceIndex } from '../../src/kernel/interface-names.ts';
import { inNetns } from '../../src/kernel/netns.ts';
import { attachedPrograms } from '../../src/kernel/xdp-attachment.ts';
import { startXdpctl, xdpctl } from '../support/command.ts';
import { sendFrames } from '../support/frames.ts';
import { TemporaryFolder } from '../support/temporary-folder.ts';
import { toolJson } from '../support/tool.ts';
import { createWorld, type End, setLink } from '../support/world.ts';
import {
  accounted,
  type BindSummary,
  bindWords,
  bound,
  holdStill,
  pairIn,
  PinnedXskmap,
  ready,
  summaryOf,
} from '../support/xsk.ts';

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** A FIFO that a reader has open who never reads. */
function deafFifo(folder: TemporaryFolder): string {
  const fifo = folder.file('fifo');
  expect(spawnSync('mkfifo', [fifo]).status).toBe(0);
  const reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
  onTestFinished(() => closeSync(reader));
  return fifo;
}

/** Whether the programs and maps with these ids are in the kernel. */
function exists(kind: 'map' | 'prog', id: number): boolean {
  return (toolJson('bpftool', ['-j', kind, 'show']) as { readonly id: number }[]).some((each) => each.id === id);
}

/** Quicker than asking another program. */
function programsOn({ namespace = '', ifindex }: End): number {
  return inNetns(namespace, () => attachedPrograms(ifindex)).length;
}

/** Fails unless the interface has no program, no map of it is left, and its queue is free at once. */
async function expectNothingLeft(end: End, mapId: number): Promise<void> {
  expect(programsOn(end)).toBe(0);
  await expect.poll(() => exists('map', mapId)).toBe(false);
  using socket = inNetns(end.namespace ?? '', () =>
    XskSocket.open({ frames: 4, frameSize: 2048, rxSize: 4, fillSize: 4, completionSize: 4 }),
  );
  await expect.poll(() => socket.bind(end.ifindex, 0, 'copy')).toBe(true);
}

describe('xsk bind --attach', () => {
  it.each(signals)('takes program, map and socket away at %s', async (signal) => {
    using world = createWorld();
    const { a, b } = pairIn(world);
    await using command = await bound(a, '--attach');
    expect(programsOn(a)).toBe(1);
    sendFrames(b, { count: 20 });
    const summary = summaryOf(await command.stop(signal));
    expect(summary).toMatchObject({ frames: 20, prog: { redirected: 20 } });
    await expectNothingLeft(a, summary.map.id);
  });

  it.each(signals)('ends at once at a second %s, and leaves nothing all the same', async (signal) => {
    using world = createWorld();
    using folder = new TemporaryFolder();
    const { a, b } = pairIn(world);
    // At its end it gives this reader a second.
    await using command = await bound(a, '--attach', '--write', deafFifo(folder));
    const id = Number(/xskmap (\d+)/.exec(command.stderr)?.[1]);
    sendFrames(b, { count: 1000, size: 1400 });
    await holdStill(command);
    command.child.kill(signal);
    command.child.kill('SIGCONT');
    await expect.poll(() => programsOn(a), { interval: 5 }).toBe(0);
    expect(await command.stop(signal)).toMatchObject({ status: null, signal, stdout: '' });
    await expectNothingLeft(a, id);
  });

  it.each([
    ['the file cannot be made', ['--write', '/proc/nothing/a.pcapng'], 3],
    ['nobody reads the FIFO', ['--write', 'fifo'], 1],
    ['there is no room for the file', ['--write', 'full'], 1],
  ])('leaves nothing when %s', async (_, words, status) => {
    using world = createWorld();
    using folder = new TemporaryFolder('64k');
    const { a } = pairIn(world);
    expect(spawnSync('mkfifo', [folder.file('fifo')]).status).toBe(0);
    spawnSync('dd', ['if=/dev/zero', `of=${folder.file('filling')}`, 'bs=4k']);
    const paths = words.map((word) => (/^[a-z]+$/.test(word) ? folder.file(word) : word));
    const result = xdpctl(bindWords(a, '--attach', ...paths));
    expect(result).toMatchObject({ status, stdout: '' });
    expect(result.stderr).toMatch(/^error: .*\n(?:hint: .*\n)?$/);
    await expectNothingLeft(a, 0);
  });

  it('leaves nothing when the driver cannot run programs', async () => {
    using world = createWorld();
    const namespace = world.namespace();
    const result = xdpctl(['--netns', namespace, 'xsk', 'bind', 'lo', '--queue', '0', '--attach']);
    expect(result).toMatchObject({
      status: 5,
      stdout: '',
      stderr: expect.stringContaining('--mode generic') as string,
    });
    const lo = { name: 'lo', namespace, ifindex: inNetns(namespace, () => interfaceIndex('lo')) ?? 0, mac: '' };
    await expectNothingLeft(lo, 0);
  });
});

describe('xsk bind of a queue that is taken', () => {
  it.each(signals)('can be interrupted while it waits, and leaves nothing: %s', async (signal) => {
    using world = createWorld();
    using sockets = new PinnedXskmap();
    const { a } = pairIn(world);
    await using _owner = await bound(a, '--attach');
    await using command = startXdpctl(bindWords(a, '--map', sockets.path));
    // The last thing it says before it begins.
    await command.untilStderr(/^hint: attach one/);
    expect(await command.stop(signal)).toMatchObject({
      status: null,
      signal,
      stdout: '',
      stderr: expect.stringMatching(/^interrupted before the socket was bound$/m) as string,
    });
    expect(sockets.occupied).toEqual([]);
  });
});

describe('a map that was frozen while the socket was in it', () => {
  it('is left by closing the socket', async () => {
    using world = createWorld();
    using sockets = new PinnedXskmap();
    const { a } = pairIn(world);
    await using command = await bound(a, '--map', sockets.path);
    expect(xdpctl(['map', 'freeze', sockets.path]).status).toBe(0);
    expect(summaryOf(await command.stop())).toMatchObject({ frames: 0, map: { id: sockets.map.info.id } });
    await expect.poll(() => sockets.occupied).toEqual([]);
  });
});

describe('a device that is deleted while it is bound', () => {
  it.each([
    ['sleeping', []],
    ['busy', ['--busy']],
    ['echoing', ['--action', 'echo']],
    ['echoing, busy', ['--action', 'echo', '--busy']],
    ['in generic mode', ['--mode', 'generic']],
    ['writing to a pipe that nobody reads', ['--write', 'fifo']],
  ])('ends it with the reason and all counts: %s', async (_, words) => {
    using world = createWorld();
    using folder = new TemporaryFolder();
    const { a, b } = pairIn(world);
    const paths = words.map((word) => (word === 'fifo' ? deafFifo(folder) : word));
    await using command = await ready(bindWords(a, '--attach', '--rx-size', '16', '--frames', '64', ...paths));
    await holdStill(command);
    sendFrames(b, { count: 40, size: 1400 });
    setLink(a.namespace, 'del', a.name);
    command.child.kill('SIGCONT');
    const { status, stdout, stderr } = await command.result();
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(
      new RegExp(`^error: ${a.name} was deleted, .*\\(.*16 frames received.*, 24 lost\\) \\(ENETDOWN\\)$`, 'm'),
    );
    expect(stderr).toMatch(/^lost +24 xsk-rx-ring-full$/m);
    expect(stderr).toMatch(/40 redirected, 0 left to the stack$/m);
  });

  it('prints the summary as the last line of --interval', async () => {
    using world = createWorld();
    const { a, b } = pairIn(world);
    await using command = await bound(a, '--attach', '--interval', '50ms', '--rx-size', '16', '--frames', '64');
    await holdStill(command);
    sendFrames(b, { count: 40 });
    setLink(a.namespace, 'del', a.name);
    command.child.kill('SIGCONT');
    const result = await command.result();
    expect(result.status).toBe(1);
    const summary = result.jsonLines().at(-1) as BindSummary;
    expect(summary).toMatchObject({ frames: 16, prog: { redirected: 40 }, duration_s: expect.any(Number) as number });
    expect(accounted(summary)).toBe(40);
    expect(result.jsonErrors()).toMatchObject([{ error: { errnoName: 'ENETDOWN' } }]);
  });
});
