import { statSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { startXdpctl } from '../support/command.ts';
import { expectNothingNew, kernelState } from '../support/leaks.ts';
import { startLiveFrames } from '../support/live-frames.ts';
import { TemporaryFolder } from '../support/temporary-folder.ts';
import { counters, createWorld, type End } from '../support/world.ts';
import { accounted, type BindSummary, bindWords, pairIn } from '../support/xsk.ts';

function words(end: End, ...more: string[]): string[] {
  return ['-j', ...bindWords(end, '--attach', ...more)];
}

describe('xsk bind under load', () => {
  it.each([
    ['drop', []],
    ['drop, busy', ['--busy']],
    ['echo', ['--action', 'echo']],
    ['tiny rings', ['--rx-size', '4', '--frames', '6', '--fill-size', '4']],
    ['few frames', ['--frames', '300', '--rx-size', '1024']],
  ])('received and counted losses are what was sent: %s', async (_, options) => {
    using world = createWorld();
    const pair = pairIn(world);
    await using command = startXdpctl(words(pair.a, ...options));
    await command.ready();
    const before = counters(pair.b).sendDropped;
    await using generator = await startLiveFrames(pair.b, { count: 300_000 });
    const sent = await generator.sent();
    const result = await command.stop();
    expect(result.status).toBe(0);
    const summary = result.json() as BindSummary;
    expect(accounted(summary)).toBe(summary.prog?.redirected);
    // What the veth pair itself dropped never came.
    expect((summary.prog?.redirected ?? 0) + counters(pair.b).sendDropped - before).toBe(sent);
    expect(summary.prog?.missed).toBe(0);
    expect(summary.sent ?? 0).toBe(options.includes('echo') ? summary.frames : 0);
  });

  it('writes every frame it received, and counts the others', async () => {
    using world = createWorld();
    using folder = new TemporaryFolder();
    const pair = pairIn(world);
    await using command = startXdpctl(words(pair.a, '--write', folder.file('a.pcapng')));
    await command.ready();
    await using generator = await startLiveFrames(pair.b, { count: 100_000, size: 1400 });
    await generator.sent();
    const summary = (await command.stop()).json() as BindSummary;
    expect(accounted(summary)).toBe(summary.prog?.redirected);
    expect(summary.written).toBe(summary.frames);
    // Each block is 32 bytes longer than its frame.
    expect(statSync(folder.file('a.pcapng')).size).toBeGreaterThan(summary.frames * 1432);
    expect(statSync(folder.file('a.pcapng')).size).toBeLessThan(summary.frames * 1432 + 1000);
  });

  it('SIGINT in the middle leaves no entry, no program and no busy queue', async () => {
    using world = createWorld();
    using folder = new TemporaryFolder();
    const pair = pairIn(world);
    const before = kernelState();
    {
      await using _generator = await startLiveFrames(pair.b);
      for (const options of [[], ['--busy'], ['--action', 'echo'], ['--write', folder.file('a.pcapng')]]) {
        await using command = startXdpctl(words(pair.a, '--interval', '20ms', ...options));
        await command.untilStdout(/"frames":[1-9]/);
        const result = await command.stop();
        expect(result).toMatchObject({ status: 0, signal: null });
        const summary = result.jsonLines().at(-1) as BindSummary;
        expect(accounted(summary)).toBe(summary.prog?.redirected);
        expect(summary.written ?? summary.frames).toBe(summary.frames);
      }
    }
    await expectNothingNew(before);
  });
});
