import { spawn, spawnSync } from 'node:child_process';
import { closeSync, constants, openSync, readFileSync, writeFileSync } from 'node:fs';

import { describe, expect, it, onTestFinished } from 'vitest';

import { XskSocket } from '../../src/kernel/af-xdp/socket.ts';
import { inNetns } from '../../src/kernel/netns.ts';
import { type CommandResult, type RunningCommand, startXdpctl, xdpctl, xdpctlPath } from '../support/command.ts';
import { sendFrames } from '../support/frames.ts';
import { untilLine } from '../support/lines.ts';
import { needProgram } from '../support/need.ts';
import { type PcapngFile, readPcapng } from '../support/pcapng-reader.ts';
import { TemporaryFolder } from '../support/temporary-folder.ts';
import { tool } from '../support/tool.ts';
import { createWorld, type End } from '../support/world.ts';
import { bindWords as wordsOf, holdStill, pairIn, ready } from '../support/xsk.ts';

function bindWords(end: End, ...words: string[]): string[] {
  return wordsOf(end, '--attach', ...words);
}

function bound(end: End, ...words: string[]): Promise<RunningCommand> {
  return ready(['-j', ...bindWords(end, ...words)]);
}

/** The running numbers that send-frames writes behind the header. */
function numbersOf({ packets }: PcapngFile): number[] {
  return packets.map(({ frame }) => Buffer.from(frame).readUInt32BE(14));
}

function expectWritten(result: CommandResult, count: number): void {
  expect(result).toMatchObject({ status: 0 });
  expect(result.json()).toMatchObject({ frames: count, written: count });
}

describe('xsk bind --write', () => {
  it('writes each frame once, in order, with interface, queue and counts', async () => {
    using world = createWorld();
    using folder = new TemporaryFolder();
    const { a, b } = pairIn(world);
    const before = Date.now() * 1000;
    await using command = await bound(a, '--write', folder.file('a.pcapng'), '--count', '1001');
    // Lengths that need each amount of padding.
    sendFrames(b, { count: 1000, size: 61 });
    sendFrames(b, { count: 1, size: 1514 });
    expectWritten(await command.result(), 1001);
    const file = readPcapng(readFileSync(folder.file('a.pcapng')));
    expect(numbersOf(file)).toEqual([...Array.from({ length: 1000 }, (_, number) => number), 0]);
    expect(new Set(file.packets.map(({ frame }) => frame.length))).toEqual(new Set([61, 1514]));
    expect(Buffer.from(file.interface[2] ?? []).toString()).toBe(a.name);
    expect(Buffer.from(file.interface[3] ?? []).toString()).toContain('queue 0');
    const times = file.packets.map(({ time }) => time);
    expect(times).toEqual([...times].sort((x, y) => x - y));
    expect(times[0]).toBeGreaterThan(before);
    expect(times.at(-1)).toBeLessThanOrEqual(Date.now() * 1000);
    expect(Buffer.from(file.statistics?.[8] ?? []).readBigUInt64LE()).toBe(1001n);
  });

  it('is read by tcpdump', async (context) => {
    needProgram(context, 'tcpdump');
    using world = createWorld();
    using folder = new TemporaryFolder();
    const { a, b } = pairIn(world);
    await using command = await bound(a, '--write', folder.file('a.pcapng'), '--count', '1000');
    sendFrames(b, { count: 1000, size: 63 });
    expectWritten(await command.result(), 1000);
    const lines = tool('tcpdump', ['-nn', '-e', '-r', folder.file('a.pcapng')]).split('\n');
    const frames = lines.filter((line) => line.includes('0x88b5'));
    expect(frames).toHaveLength(1000);
    expect(frames.every((line) => line.includes('length 63'))).toBe(true);
  });

  it('counts in the file what was lost', async () => {
    using world = createWorld();
    using folder = new TemporaryFolder();
    const { a, b } = pairIn(world);
    await using command = await bound(a, '--write', folder.file('a.pcapng'), '--rx-size', '8', '--frames', '64');
    await holdStill(command);
    sendFrames(b, { count: 30 });
    command.child.kill('SIGCONT');
    expectWritten(await command.stop(), 8);
    const { packets, statistics = {} } = readPcapng(readFileSync(folder.file('a.pcapng')));
    expect(packets).toHaveLength(8);
    expect([4, 7, 8].map((code) => Buffer.from(statistics[code] ?? []).readBigUInt64LE())).toEqual([30n, 22n, 8n]);
  });

  it('writes what it sends back as it came', async () => {
    using world = createWorld();
    using folder = new TemporaryFolder();
    const { a, b } = pairIn(world);
    await using command = await bound(a, '--action', 'echo', '--write', folder.file('a.pcapng'), '--count', '20');
    sendFrames(b, { count: 20, dst: a.mac });
    const result = await command.result();
    expect(result.json()).toMatchObject({ frames: 20, written: 20, sent: 20 });
    const { packets } = readPcapng(readFileSync(folder.file('a.pcapng')));
    const destinations = packets.map(({ frame }) => Buffer.from(frame.subarray(0, 6)).toString('hex'));
    expect(new Set(destinations)).toEqual(new Set([a.mac.replaceAll(':', '')]));
  });

  it('overwrites no file unless it is told to', async () => {
    using world = createWorld();
    using folder = new TemporaryFolder();
    const { a, b } = pairIn(world);
    const path = folder.file('mine');
    writeFileSync(path, 'mine');
    expect(xdpctl(bindWords(a, '--write', path))).toMatchObject({ status: 6, stdout: '' });
    expect(readFileSync(path, 'utf8')).toBe('mine');
    // Before anything is bound: it would take a second to find out that the queue is taken.
    using socket = inNetns(a.namespace ?? '', () =>
      XskSocket.open({ frames: 4, frameSize: 2048, rxSize: 4, fillSize: 4, completionSize: 4 }),
    );
    expect(socket.bind(a.ifindex, 0, 'copy')).toBe(true);
    for (const [file, status, message] of [
      ['none/a.pcapng', 3, 'the directory of .* does not exist'],
      ['mine/a.pcapng', 3, 'the directory of .* does not exist'],
      ['.', 2, 'is a directory'],
      ['mine', 6, 'exists already'],
    ] as const) {
      const result = xdpctl(bindWords(a, '--write', folder.file(file)));
      expect(result).toMatchObject({ status, stdout: '', stderr: expect.stringMatching(message) as string });
      expect(xdpctl(bindWords(a, '--dry-run', '--write', folder.file(file))).status).toBe(status);
    }
    // Nor is a file lost to a command that cannot begin.
    expect(xdpctl(bindWords(a, '--write', path, '--overwrite'))).toMatchObject({ status: 6 });
    expect(readFileSync(path, 'utf8')).toBe('mine');
    socket[Symbol.dispose]();
    await using command = await bound(a, '--write', path, '--overwrite', '--count', '1');
    sendFrames(b, { count: 1 });
    expectWritten(await command.result(), 1);
    expect(readPcapng(readFileSync(path)).packets).toHaveLength(1);
  });

  it('ends when the disk is full, with a file that can be read', async () => {
    using world = createWorld();
    using folder = new TemporaryFolder('64k');
    const { a, b } = pairIn(world);
    await using command = await bound(a, '--write', folder.file('a.pcapng'));
    sendFrames(b, { count: 100, size: 1400 });
    const result = await command.result();
    expect(result).toMatchObject({ status: 1, stdout: '' });
    const [{ error }] = result.jsonErrors() as [{ error: { message: string; errnoName: string } }];
    expect(error).toMatchObject({ errnoName: 'ENOSPC' });
    const { packets } = readPcapng(readFileSync(folder.file('a.pcapng')));
    expect(error.message).toContain(`${packets.length} written`);
    expect(numbersOf({ interface: {}, packets, statistics: undefined })).toEqual(
      Array.from({ length: packets.length }, (_, number) => number),
    );
    expect(packets.length).toBeGreaterThan(0);
  });

  it('ends when nobody reads the pipe any more', async () => {
    using world = createWorld();
    const { a, b } = pairIn(world);
    await using command = startXdpctl(bindWords(a, '--write', '-'));
    await command.ready();
    sendFrames(b, { count: 10 });
    await new Promise((resolve) => command.child.stdout?.once('data', resolve));
    command.child.stdout?.destroy();
    sendFrames(b, { count: 10 });
    expect(await command.result()).toMatchObject({ status: 0 });
  });

  it('hears signals although nobody reads the FIFO, and says what was not written', async () => {
    using world = createWorld();
    using folder = new TemporaryFolder();
    const { a, b } = pairIn(world);
    const fifo = folder.file('fifo');
    expect(spawnSync('mkfifo', [fifo]).status).toBe(0);
    expect(xdpctl(bindWords(a, '--write', fifo))).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('nobody reads'),
    });
    const reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
    onTestFinished(() => closeSync(reader));
    await using command = await bound(a, '--write', fifo);
    sendFrames(b, { count: 1000, size: 1400 });
    const result = await command.stop();
    expect(result.status).toBe(0);
    const { frames, written } = result.json() as { readonly frames: number; readonly written: number };
    expect(frames).toBeGreaterThanOrEqual(written);
    // How many fit before the signal is the scheduler's affair; all cannot.
    expect(written).toBeLessThan(1000);
  });

  it('hears signals although nobody reads the socket on stdout', async () => {
    using world = createWorld();
    const { a, b } = pairIn(world);
    // Node connects the stdout of its children by sockets.
    const child = spawn(xdpctlPath, bindWords(a, '--write', '-'), { stdio: ['ignore', 'pipe', 'pipe'] });
    let stderr = '';
    child.stderr.on('data', (text: string) => (stderr += text));
    await untilLine(child, 'stderr', /^ready:/);
    sendFrames(b, { count: 1000, size: 1400 });
    const ended = new Promise<number | null>((resolve) => child.on('exit', resolve));
    child.kill('SIGINT');
    expect(await ended).toBe(0);
    await expect.poll(() => stderr).toMatch(/^written +\d+$/m);
    const written = Number(/^written +(\d+)$/m.exec(stderr)?.[1]);
    // How many fit before the signal is the scheduler's affair; all cannot.
    expect(written).toBeLessThan(1000);
  });

  it.each([
    ['pipe', '| (sleep 0.3; cat)'],
    ['socket', ''],
  ])('loses nothing to a %s whose reader is slow', async (_, reader) => {
    using world = createWorld();
    const { a, b } = pairIn(world);
    const words = [xdpctlPath, ...bindWords(a, '--write', '-', '--count', '1000')].map((word) => `'${word}'`).join(' ');
    const child = spawn('sh', ['-c', `${words} ${reader}`], { stdio: ['ignore', 'pipe', 'pipe'] });
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
    await untilLine(child, 'stderr', /^ready:/);
    // 1.4 MB, which fit neither into a pipe nor into a socket.
    sendFrames(b, { count: 1000, size: 1400 });
    const pieces: Buffer[] = [];
    child.stdout.on('data', (piece: Buffer) => pieces.push(piece));
    expect(await ended).toBe(0);
    const file = readPcapng(Buffer.concat(pieces));
    expect(numbersOf(file)).toEqual(Array.from({ length: 1000 }, (__, number) => number));
    expect(file.packets.every(({ frame }) => frame.length === 1400)).toBe(true);
    expect(file.statistics).toBeDefined();
  });

  it('streams into tcpdump', async (context) => {
    needProgram(context, 'tcpdump');
    using world = createWorld();
    const { a, b } = pairIn(world);
    const words = [xdpctlPath, ...bindWords(a, '--write', '-', '--count', '200')].map((word) => `'${word}'`).join(' ');
    const child = spawn('sh', ['-c', `${words} | tcpdump -nn -e -r - 2>/dev/null`], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
    await untilLine(child, 'stderr', /^ready:/);
    sendFrames(b, { count: 200 });
    expect(await ended).toBe(0);
    expect(stdout.split('\n').filter((line) => line.includes('0x88b5'))).toHaveLength(200);
  });
});
