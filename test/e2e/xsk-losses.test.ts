import { describe, expect, it } from 'vitest';

import { startXdpctl, xdpctl } from '../support/command.ts';
import { sendFrames } from '../support/frames.ts';
import { startLiveFrames } from '../support/live-frames.ts';
import { counters, createWorld, type End } from '../support/world.ts';
import { accounted, bindWords, bound, holdStill, type Loss, pairIn, summaryOf } from '../support/xsk.ts';

/** A way to lose 24 of the frames that are sent to a consumer that is held still, and what is said then. */
interface Fault {
  readonly code: string;
  readonly words: readonly string[];
  readonly send: (from: End) => void;
  readonly received: number;
  readonly fix: string;
}

const faults: readonly Fault[] = [
  {
    code: 'xsk-rx-ring-full',
    words: ['--rx-size', '8', '--frames', '64'],
    send: (from) => sendFrames(from, { count: 32 }),
    received: 8,
    fix: '--rx-size 16',
  },
  {
    code: 'xsk-fill-ring-empty',
    words: ['--rx-size', '64', '--frames', '4'],
    send: (from) => sendFrames(from, { count: 28 }),
    received: 4,
    fix: '--frames 8 --fill-size 8',
  },
  {
    code: 'xsk-fill-ring-empty',
    words: ['--rx-size', '64', '--frames', '64', '--fill-size', '2'],
    send: (from) => sendFrames(from, { count: 26 }),
    received: 2,
    fix: '--frames 128 --fill-size 4',
  },
  {
    code: 'xsk-frame-too-large',
    words: [],
    send(from) {
      sendFrames(from, { count: 1, size: 1792 });
      sendFrames(from, { count: 24, size: 1793 });
    },
    received: 1,
    fix: '--frame-size 4096',
  },
  {
    code: 'xsk-frame-too-large',
    words: ['--frame-size', '4096'],
    send(from) {
      sendFrames(from, { count: 1, size: 3840 });
      sendFrames(from, { count: 20, size: 3841 });
      // A frame of several buffers.
      sendFrames(from, { count: 4, size: 8000 });
    },
    received: 1,
    fix: 'mtu 3826',
  },
  {
    code: 'xsk-frame-too-large',
    words: ['--mode', 'generic'],
    send(from) {
      sendFrames(from, { count: 1, size: 1792 });
      sendFrames(from, { count: 24, size: 1793 });
    },
    received: 1,
    fix: '--frame-size 4096',
  },
];

describe('xsk bind --interval', () => {
  it.each(faults)('names $code and its remedy: $words', async ({ code, words, send, received, fix }) => {
    using world = createWorld();
    const { a, b } = pairIn(world, 9000);
    await using command = startXdpctl(bindWords(a, '--attach', '--interval', '50ms', ...words));
    await command.ready();
    await holdStill(command);
    send(b);
    command.child.kill('SIGCONT');
    await command.untilStdout(new RegExp(`lost \\d+/s ${code}`));
    const remedy = await command.untilStdout(new RegExp(`^ +${code}: `));
    expect(remedy).toContain(fix);
    const { status, stdout } = await command.stop();
    expect(status).toBe(0);
    expect(stdout).toMatch(new RegExp(`^frames +${received} \\(`, 'm'));
    expect(stdout).toMatch(new RegExp(`^lost +24 ${code}$`, 'm'));
    // The remedy stands there once, and at the end.
    expect(stdout.split('\n').filter((line) => line.includes(fix))).toHaveLength(2);
  });

  it('tells in JSON how many were lost since the last line, so that the lines add up', async () => {
    using world = createWorld();
    const { a, b } = pairIn(world);
    await using command = await bound(a, '--attach', '--interval', '50ms', '--rx-size', '8', '--frames', '64');
    for (let round = 0; round < 3; round += 1) {
      await holdStill(command);
      sendFrames(b, { count: 18 });
      const lines = command.stdout.split('\n').length;
      command.child.kill('SIGCONT');
      await expect
        .poll(() =>
          command.stdout
            .split('\n')
            .slice(lines - 1)
            .join('\n'),
        )
        .toContain('xsk-rx-ring-full');
    }
    const result = await command.stop();
    expect(summaryOf(result)).toMatchObject({ frames: 24, losses: [{ code: 'xsk-rx-ring-full', count: 30 }] });
    const intervals = (result.jsonLines() as { readonly losses: readonly Loss[] }[]).slice(0, -1);
    const lost = intervals.flatMap(({ losses }) => losses);
    expect(lost.reduce((sum, { count }) => sum + count, 0)).toBe(30);
    expect(lost.every(({ fix }) => fix.includes('--rx-size 16'))).toBe(true);
  });
});

describe('received and lost frames', () => {
  it('are together what came, of frames that are too large as of others', async () => {
    using world = createWorld();
    const { a, b } = pairIn(world, 3500);
    await using command = await bound(a, '--attach', '--rx-size', '16', '--frames', '32');
    const came = async (count: number, size: number): Promise<number> => {
      const before = counters(b).sendDropped;
      await using generator = await startLiveFrames(b, { count, size });
      return (await generator.sent()) - (counters(b).sendDropped - before);
    };
    const large = await came(50_000, 1793);
    const fitting = await came(100_000, 1792);
    const summary = summaryOf(await command.stop());
    expect(summary.losses).toContainEqual(expect.objectContaining({ code: 'xsk-frame-too-large', count: large }));
    expect(accounted(summary)).toBe(large + fitting);
  });

  it.each([[[]], [['--busy']], [['--action', 'echo']]])(
    'are together what a program of redirect attach counted, also when it is interrupted under load %j',
    async (words) => {
      using world = createWorld();
      const { a, b } = pairIn(world);
      const redirect = (...more: string[]): unknown => {
        const result = xdpctl(['-j', '--netns', a.namespace ?? '', 'redirect', ...more]);
        expect(result).toMatchObject({ status: 0 });
        return result.stdout === '' ? undefined : result.json();
      };
      const { maps } = redirect('attach', a.name, '--xsk') as { readonly maps: readonly { readonly pinned: string }[] };
      try {
        await using command = await bound(a, '--map', maps[0]?.pinned ?? '', '--interval', '20ms', ...words);
        await using generator = await startLiveFrames(b, { count: 3_000_000 });
        await command.untilStdout(/"frames":[1-9]/);
        const summary = summaryOf(await command.stop());
        await generator.sent();
        const [path] = redirect('stats', a.name) as { readonly keys: readonly { readonly redirected: number }[] }[];
        expect(path?.keys).toMatchObject([{ key: 0, redirected: accounted(summary), missed: expect.any(Number) }]);
        expect(summary.frames).toBeGreaterThan(0);
      } finally {
        redirect('detach', a.name);
      }
    },
  );
});
