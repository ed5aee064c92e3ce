import { describe, expect, it } from 'vitest';

import { encodeInteger } from '../../src/domain/integer.ts';
import { XskSocket } from '../../src/kernel/af-xdp/socket.ts';
import { BPF_ANY } from '../../src/kernel/map.ts';
import { inNetns } from '../../src/kernel/netns.ts';
import { PinFolder, startXdpctl, xdpctl } from '../support/command.ts';
import { countFrames, sendFrames } from '../support/frames.ts';
import { needKernel } from '../support/kernel-has.ts';
import { expectNothingNew, kernelState } from '../support/leaks.ts';
import { inNamespace, tool } from '../support/tool.ts';
import { createWorld, setLink } from '../support/world.ts';
import { bindWords, bound, holdStill, pairIn, PinnedXskmap, summaryOf, xdpProgramOf } from '../support/xsk.ts';

describe('xsk bind', () => {
  it('receives exactly what was sent, and leaves nothing', async () => {
    using world = createWorld();
    const { a, b } = pairIn(world);
    const before = kernelState();
    await using command = await bound(a, '--attach', '--count', '1000');
    sendFrames(b, { count: 1000 });
    const summary = summaryOf(await command.result());
    expect(summary).toMatchObject({
      ifname: a.name,
      ifindex: a.ifindex,
      queue: 0,
      mode: 'copy',
      frames: 1000,
      bytes: 60_000,
      unread: 0,
      losses: [],
      prog: { redirected: 1000, missed: 0 },
      statistics: {
        rx_dropped: 0,
        rx_invalid_descs: 0,
        tx_invalid_descs: 0,
        rx_ring_full: 0,
        rx_fill_ring_empty_descs: 0,
        tx_ring_empty_descs: expect.any(Number),
      },
    });
    await expectNothingNew(before);
  });

  it('takes no frame too many, and says how many it left', async () => {
    using world = createWorld();
    const { a, b } = pairIn(world);
    await using command = await bound(a, '--attach', '--count', '10');
    await holdStill(command);
    sendFrames(b, { count: 25 });
    command.child.kill('SIGCONT');
    expect(summaryOf(await command.result())).toMatchObject({ frames: 10, unread: 15, losses: [] });
  });

  it('sends back what comes, with the MAC addresses exchanged', async () => {
    using world = createWorld();
    const { a, b } = pairIn(world);
    await using counter = await countFrames(b, { count: 1000 });
    await using command = await bound(a, '--attach', '--action', 'echo', '--count', '1000');
    sendFrames(b, { count: 1000, dst: a.mac });
    expect(summaryOf(await command.result())).toMatchObject({ frames: 1000, sent: 1000, losses: [] });
    expect(await counter.arrived()).toBe(1000);
  });

  it('works in generic mode', async () => {
    using world = createWorld();
    const { a, b } = pairIn(world);
    await using command = await bound(a, '--attach', '--mode', 'generic', '--count', '50');
    expect(xdpProgramOf(a)).toMatchObject({ mode: 2 });
    sendFrames(b, { count: 50 });
    expect(summaryOf(await command.result())).toMatchObject({ frames: 50 });
    expect(xdpProgramOf(a)).toBeUndefined();
  });

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('ends in order at %s', async (signal) => {
    using world = createWorld();
    using sockets = new PinnedXskmap();
    const { a } = pairIn(world);
    await using command = await bound(a, '--map', sockets.path);
    expect(sockets.occupied).toEqual([0]);
    const result = await command.stop(signal);
    expect(summaryOf(result)).toMatchObject({ frames: 0, map: { id: sockets.map.info.id, key: 0 } });
    expect(sockets.occupied).toEqual([]);
  });

  it('says in a dry run what it would do, and does nothing', () => {
    using world = createWorld();
    using sockets = new PinnedXskmap();
    const { a } = pairIn(world);
    for (const [path, warnings] of [
      [['--map', sockets.path], [{ warning: { message: expect.stringContaining('no frames will come') as string } }]],
      [['--attach'], []],
    ] as const) {
      const result = xdpctl(['-j', '--dry-run', ...bindWords(a, ...path)]);
      expect(result.status).toBe(0);
      expect(result.json()).toMatchObject({ dry_run: true });
      expect(result.jsonErrors()).toMatchObject(warnings);
    }
    expect(sockets.occupied).toEqual([]);
    expect(xdpProgramOf(a)).toBeUndefined();
  });

  it('warns when no program brings frames', async () => {
    using world = createWorld();
    using sockets = new PinnedXskmap();
    const { a } = pairIn(world);
    await using command = await bound(a, '--map', sockets.path);
    const { stderr } = await command.stop();
    expect(stderr).toContain(`no XDP program that uses xskmap ${sockets.map.info.id} is attached to ${a.name}`);
  });
});

describe('xsk bind refuses', () => {
  it.each([
    ['no queue', ['xsk', 'bind', 'lo', '--attach'], /queue is missing/],
    ['no map', ['xsk', 'bind', 'lo', '--queue', '0'], /map is missing/],
    ['both', ['xsk', 'bind', 'lo', '--queue', '0', '--attach', '--map', 'x'], /exclude each other/],
    ['both modes', ['xsk', 'bind', 'lo', '--queue', '0', '--attach', '--copy', '--zero-copy'], /exclude each other/],
    ['an odd ring', ['xsk', 'bind', 'lo', '--queue', '0', '--attach', '--rx-size', '100'], /no power of two/],
    ['an odd frame', ['xsk', 'bind', 'lo', '--queue', '0', '--attach', '--frame-size', '3000'], /2048 or 4096/],
    ['a large frame', ['xsk', 'bind', 'lo', '--queue', '0', '--attach', '--frame-size', '9000'], /2048 or 4096/],
    ['a queue that is none', ['xsk', 'bind', 'lo', '--queue', '-1', '--attach'], /negative/],
    [
      'a queue beyond',
      ['xsk', 'bind', 'lo', '--queue', '9', '--attach'],
      /lo has no queue 9: .*\nhint: it was made with 1, and cannot have more\n/,
    ],
    ['no action', ['xsk', 'bind', 'lo', '--queue', '0', '--attach', '--action', 'burn'], /drop or echo/],
    [
      'JSON and frames on stdout',
      ['-j', 'xsk', 'bind', 'lo', '--queue', '0', '--attach', '--write', '-'],
      /standard output/,
    ],
    ['words left over', ['xsk', 'bind', 'lo', 'up', '--queue', '0', '--attach'], /unexpected word 'up'/],
  ])('%s', (_, words, message) => {
    const { status, stdout, stderr } = xdpctl(words);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(message);
  });

  it('a queue that the device could have and does not use', () => {
    using world = createWorld();
    const { a } = pairIn(world);
    const { status, stderr } = xdpctl([
      '--netns',
      a.namespace ?? '',
      'xsk',
      'bind',
      a.name,
      '--queue',
      '1',
      '--attach',
    ]);
    expect(status).toBe(2);
    expect(stderr).toContain(`${a.name} has no queue 1: it has 1 receive queue`);
    expect(stderr).toContain(`ethtool -L ${a.name} rx 2`);
  });

  it('an interface that is not there', () => {
    expect(xdpctl(['xsk', 'bind', 'nosuch0', '--queue', '0', '--attach']).status).toBe(3);
  });

  it('zero-copy where the driver has none', () => {
    using world = createWorld();
    const { a } = pairIn(world);
    const { status, stderr } = xdpctl(bindWords(a, '--attach', '--zero-copy'));
    expect(status).toBe(5);
    expect(stderr).toContain('zero-copy');
  });

  it('a map of another type, and none', () => {
    using world = createWorld();
    using folder = new PinFolder();
    const { a } = pairIn(world);
    xdpctl(['map', 'create', folder.pin('dm'), 'type', 'devmap', 'entries', '4', 'name', 'dm']);
    expect(xdpctl(bindWords(a, '--map', folder.pin('dm')))).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('is no xskmap'),
    });
    expect(xdpctl(bindWords(a, '--map', folder.pin('none'))).status).toBe(3);
  });

  it('a key outside a map', (context) => {
    needKernel(context, '5.15'); // of a veth with several queues
    using world = createWorld();
    using folder = new PinFolder();
    const { a } = pairIn(world);
    const [program = '', ...args] = inNamespace(a.namespace, ['ethtool', '-L', a.name, 'rx', '2']);
    tool(program, args);
    xdpctl(['map', 'create', folder.pin('small'), 'type', 'xskmap', 'entries', '1', 'name', 'small']);
    const words = ['--netns', a.namespace ?? '', 'xsk', 'bind', a.name, '--queue', '1', '--map', folder.pin('small')];
    expect(xdpctl(words)).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('has no key for queue 1: its keys go from 0 to 0'),
    });
  });

  it('a name that two maps have, in words that an option takes', () => {
    using world = createWorld();
    using folder = new PinFolder();
    const { a } = pairIn(world);
    for (const pin of ['one', 'two']) {
      xdpctl(['map', 'create', folder.pin(pin), 'type', 'xskmap', 'entries', '4', 'name', 'both_xsk']);
    }
    const { status, stderr } = xdpctl(bindWords(a, '--map', 'both_xsk'));
    expect(status).toBe(2);
    const [, handle = ''] = /as an option's value (id:\d+)$/m.exec(stderr) ?? [];
    expect(xdpctl(['--dry-run', ...bindWords(a, '--map', handle)]).status).toBe(0);
  });

  it('an occupied key, naming the owner', () => {
    using world = createWorld();
    using sockets = new PinnedXskmap();
    const { a } = pairIn(world);
    using other = XskSocket.open({ frames: 4, frameSize: 2048, rxSize: 4, fillSize: 4, completionSize: 4 });
    sockets.map.update(encodeInteger(0, 4), encodeInteger(other.fd, 4), BPF_ANY);
    const result = xdpctl(['-j', ...bindWords(a, '--map', sockets.path)]);
    expect(result).toMatchObject({ status: 6, stdout: '' });
    expect(result.jsonErrors()).toMatchObject([
      { error: { message: expect.stringContaining(`(${process.pid})`), errnoName: 'EEXIST' } },
    ]);
    expect(sockets.occupied).toEqual([0]);
  });

  it('a queue that another socket has, and leaves nothing', async () => {
    using world = createWorld();
    using sockets = new PinnedXskmap();
    const { a } = pairIn(world);
    using other = inNetns(a.namespace ?? '', () =>
      XskSocket.open({ frames: 4, frameSize: 2048, rxSize: 4, fillSize: 4, completionSize: 4 }),
    );
    expect(other.bind(a.ifindex, 0, 'copy')).toBe(true);
    const before = kernelState();
    for (const dryRun of [[], ['--dry-run']]) {
      const { status, stdout, stderr } = xdpctl([...dryRun, ...bindWords(a, '--map', sockets.path)]);
      expect({ status, stdout }).toEqual({ status: 6, stdout: '' });
      expect(stderr).toMatch(
        new RegExp(
          `^error: queue 0 of ${a.name} has an AF_XDP socket already, of \\S.*\\(${process.pid}\\) \\(EBUSY\\)$`,
          'm',
        ),
      );
      expect(stderr).toContain(`xdpctl --netns ${a.namespace} xsk show ${a.name}`);
    }
    expect(sockets.occupied).toEqual([]);
    await expectNothingNew(before);
  });

  it('the device of the default route, unless it is told to, or ends by itself', () => {
    using world = createWorld();
    using sockets = new PinnedXskmap();
    const { a } = pairIn(world);
    const ip = (...words: string[]): string => tool('ip', ['-n', a.namespace ?? '', ...words]);
    ip('address', 'add', '10.11.12.13/24', 'dev', a.name);
    ip('route', 'add', 'default', 'via', '10.11.12.1', 'dev', a.name);
    for (const dryRun of [[], ['--dry-run']]) {
      const refused = xdpctl([...dryRun, ...bindWords(a, '--attach')]);
      expect(refused).toMatchObject({ status: 1, stdout: '' });
      expect(refused.stderr).toContain(`${a.name} carries the default route: taking what arrives at queue 0`);
      expect(refused.stderr).toMatch(/^hint: add --duration 60s, .*, or --yes$/m);
    }
    for (const words of [
      ['--attach', '--duration', '10ms'],
      ['--attach', '--yes', '--dry-run'],
    ]) {
      const result = xdpctl(bindWords(a, ...words));
      expect(result.status).toBe(0);
      expect(result.stderr).toContain(`warning: ${a.name} carries the default route: what arrives at queue 0`);
      expect(result.stderr).toContain(`warning: ${a.name} has the address 10.11.12.13/24`);
    }
    // No program brings frames there: nothing is taken away.
    const idle = xdpctl(bindWords(a, '--map', sockets.path, '--dry-run'));
    expect(idle.stderr).not.toContain('default route');
  });

  it('to replace a program that is attached', async () => {
    using world = createWorld();
    const { a } = pairIn(world);
    await using command = await bound(a, '--attach');
    const id = /xskmap (\d+)/.exec(command.stderr)?.[1];
    const { status, stderr } = xdpctl(bindWords(a, '--attach'));
    expect(status).toBe(6);
    expect(stderr).toContain(`--map id:${id}`);
    expect((await command.stop()).status).toBe(0);
  });
});

describe('a killed xsk bind', () => {
  it('leaves no entry, no program, and the queue to the next', async () => {
    using world = createWorld();
    const { a, b } = pairIn(world);
    const before = kernelState();
    await using killed = await bound(a, '--attach');
    await killed.stop('SIGKILL');
    // At once: the kernel is still taking the old socket away.
    await using next = await bound(a, '--attach', '--count', '5');
    sendFrames(b, { count: 5 });
    expect(summaryOf(await next.result())).toMatchObject({ frames: 5 });
    expect(xdpProgramOf(a)).toBeUndefined();
    await expectNothingNew(before);
  });
});

describe('losses of xsk bind', () => {
  it.for([
    [2048, 1792, 2000],
    [4096, 3840, 4000],
  ] as const)('a buffer of %i bytes takes %i, and not one more', async ([frameSize, largest, mtu], context) => {
    // A veth makes several buffers of them, and before no socket gets such.
    if (frameSize > 2048) needKernel(context, '6.6');
    using world = createWorld();
    const { a, b } = pairIn(world, mtu);
    await using command = await bound(a, '--attach', '--frame-size', String(frameSize));
    sendFrames(b, { count: 3, size: largest });
    sendFrames(b, { count: 5, size: largest + 1 });
    const summary = summaryOf(await command.stop());
    expect(summary).toMatchObject({
      frames: 3,
      bytes: 3 * largest,
      losses: [{ code: 'xsk-frame-too-large', count: 5 }],
      statistics: { rx_dropped: 5, rx_fill_ring_empty_descs: 0 },
    });
    expect(summary.losses[0]?.fix).toContain(frameSize === 2048 ? '--frame-size 4096' : `mtu ${largest - 14}`);
  });

  it('a consumer that is held still fills its RX ring', async () => {
    using world = createWorld();
    const { a, b } = pairIn(world);
    await using command = await bound(a, '--attach', '--rx-size', '8', '--frames', '64');
    await holdStill(command);
    sendFrames(b, { count: 32 });
    command.child.kill('SIGCONT');
    const summary = summaryOf(await command.stop());
    expect(summary).toMatchObject({ frames: 8, losses: [{ code: 'xsk-rx-ring-full', count: 24 }] });
    expect(summary.losses[0]?.fix).toContain('--rx-size 16');
  });

  it('a consumer that is held still empties its fill ring', async () => {
    using world = createWorld();
    const { a, b } = pairIn(world);
    await using command = await bound(a, '--attach', '--rx-size', '64', '--frames', '4');
    await holdStill(command);
    sendFrames(b, { count: 10 });
    command.child.kill('SIGCONT');
    const summary = summaryOf(await command.stop());
    expect(summary).toMatchObject({ frames: 4, losses: [{ code: 'xsk-fill-ring-empty', count: 6 }] });
    expect(summary.losses[0]?.fix).toContain('--frames 8');
  });
});

describe('a device that goes while it is bound', () => {
  it('is named when it is deleted', async () => {
    using world = createWorld();
    const { a, b } = pairIn(world);
    await using command = await bound(a, '--attach');
    sendFrames(b, { count: 7 });
    setLink(a.namespace, 'del', a.name);
    const result = await command.result();
    expect(result).toMatchObject({ status: 1, stdout: '' });
    expect(result.jsonErrors()).toMatchObject([
      { error: { exit: 1, message: expect.stringMatching(/was deleted, .*7 frames received/), errnoName: 'ENETDOWN' } },
    ]);
  });

  it('is named when it is moved', async () => {
    using world = createWorld();
    using sockets = new PinnedXskmap();
    const { a } = pairIn(world);
    const elsewhere = world.namespace();
    await using command = startXdpctl(bindWords(a, '--map', sockets.path));
    await command.ready();
    setLink(a.namespace, 'set', a.name, 'netns', elsewhere);
    const { status, stderr } = await command.result();
    expect(status).toBe(1);
    expect(stderr).toContain('moved to another network namespace');
    expect(stderr).toContain(`\nqueue   0 of ${a.name} (copy mode)\nmap     id `);
    expect(sockets.occupied).toEqual([]);
  });
});

describe('xsk bind --interval', () => {
  it('prints one object a line, the last of them the summary', async () => {
    using world = createWorld();
    const { a, b } = pairIn(world);
    await using command = await bound(a, '--attach', '--interval', '50ms', '--count', '300');
    for (let part = 0; part < 3; part += 1) sendFrames(b, { count: 100 });
    const result = await command.result();
    expect(result.status).toBe(0);
    const lines = result.jsonLines() as { readonly frames: number; readonly duration_s?: number }[];
    const summary = lines.at(-1);
    expect(summary).toMatchObject({ frames: 300, duration_s: expect.any(Number) });
    const intervals = lines.slice(0, -1);
    expect(intervals.every((line) => line.duration_s === undefined)).toBe(true);
    expect(intervals.reduce((sum, { frames }) => sum + frames, 0)).toBeLessThanOrEqual(300);
  });

  it('leaves out the times at which it was not let run', async () => {
    using world = createWorld();
    const { a } = pairIn(world);
    await using command = await bound(a, '--attach', '--interval', '20ms');
    await command.untilStdout(/./);
    await holdStill(command);
    const before = command.stdout.split('\n').length;
    await new Promise((resolve) => setTimeout(resolve, 500));
    command.child.kill('SIGCONT');
    await expect.poll(() => command.stdout.split('\n').length).toBeGreaterThan(before + 1);
    const result = await command.stop();
    const lines = result.jsonLines() as { readonly interval_s: number; readonly frames_per_s: number }[];
    const intervals = lines.slice(0, -1).map(({ interval_s: seconds }) => seconds);
    expect(Math.max(...intervals)).toBeGreaterThanOrEqual(0.5);
    // 25 times fit into the pause; lines for them would all have been printed at once.
    expect(intervals.filter((seconds) => seconds < 0.002).length).toBeLessThan(5);
  });

  it('names what is lost and the remedy', async () => {
    using world = createWorld();
    const { a, b } = pairIn(world);
    await using command = startXdpctl(
      bindWords(a, '--attach', '--interval', '100ms', '--rx-size', '8', '--frames', '64'),
    );
    await command.ready();
    await holdStill(command);
    sendFrames(b, { count: 32 });
    command.child.kill('SIGCONT');
    await command.untilStdout(/lost \d+\/s xsk-rx-ring-full/);
    await command.untilStdout(/xsk-rx-ring-full: a larger RX ring: --rx-size 16/);
    const { status, stdout } = await command.stop();
    expect(status).toBe(0);
    expect(stdout).toMatch(/^lost +24 xsk-rx-ring-full$/m);
  });

  it('ends when nobody reads any more, and leaves nothing', async () => {
    using world = createWorld();
    const { a } = pairIn(world);
    await using command = await bound(a, '--attach', '--interval', '20ms');
    await command.untilStdout(/./);
    command.child.stdout?.destroy();
    expect((await command.result()).status).toBe(0);
    expect(xdpProgramOf(a)).toBeUndefined();
  });
});
