import { readdirSync, readlinkSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { surveySockets } from '../../src/kernel/af-xdp/socket-survey.ts';
import { XskSocket } from '../../src/kernel/af-xdp/socket.ts';
import { inNetns } from '../../src/kernel/netns.ts';
import { startXdpctl, xdpctl } from '../support/command.ts';
import { createWorld, type End } from '../support/world.ts';
import { bound, pairIn } from '../support/xsk.ts';

const spec = { frames: 4, frameSize: 2048, rxSize: 4, fillSize: 4, completionSize: 4 };

interface Row {
  readonly queue?: number;
  readonly state: string;
  readonly pid?: number;
  readonly statistics?: unknown;
}

function show({ namespace = '', name }: End): Row[] {
  const result = xdpctl(['-j', '--netns', namespace, 'xsk', 'show', name]);
  expect(result).toMatchObject({ status: 0 });
  return result.json() as Row[];
}

/** Binds a socket of this process to the queue, as soon as it is free. */
async function expectFree({ namespace = '', ifindex }: End): Promise<void> {
  using socket = inNetns(namespace, () => XskSocket.open(spec));
  await expect.poll(() => socket.bind(ifindex, 0, 'copy'), { timeout: 5000 }).toBe(true);
}

/** The sockets that this process has open. */
function openSockets(): string[] {
  return readdirSync('/proc/self/fd')
    .map((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`);
      } catch {
        return '';
      }
    })
    .filter((target) => target.startsWith('socket:'));
}

describe('the owner of a socket that was shown', () => {
  it('gives its queue free when it is killed', async () => {
    using world = createWorld();
    const { a } = pairIn(world);
    await using owner = await bound(a, '--attach');
    expect(show(a)).toMatchObject([{ queue: 0, state: 'bound', statistics: { rx_dropped: 0 } }]);
    await owner.stop('SIGKILL');
    await expectFree(a);
  });

  it('is not kept by a survey, not even one that goes on in the same process', async () => {
    using world = createWorld();
    const { a } = pairIn(world);
    await using owner = await bound(a, '--attach');
    const before = openSockets();
    const found = inNetns(a.namespace ?? '', surveySockets).sockets.find(
      ({ details }) => details?.ifindex === a.ifindex,
    );
    expect(found?.statistics).toBeDefined();
    expect(openSockets()).toEqual(before);
    await owner.stop('SIGKILL');
    await expectFree(a);
  });

  it('may go at any moment while it is looked at: each answer is right or empty, and the queue is free', async () => {
    using world = createWorld();
    const { a } = pairIn(world);
    for (let round = 0; round < 5; round += 1) {
      await using owner = await bound(a, '--attach');
      const lookers = Array.from({ length: 4 }, () =>
        startXdpctl(['-j', '--netns', a.namespace ?? '', 'xsk', 'show', a.name]),
      );
      await new Promise((resolve) => setTimeout(resolve, 60 + 40 * round));
      await owner.stop('SIGKILL');
      for (const looker of lookers) {
        const result = await looker.result();
        expect(result).toMatchObject({ status: 0, signal: null });
        const [row, ...others] = result.json() as Row[];
        expect(others).toEqual([]);
        expect(row).toMatchObject({ queue: 0, state: expect.stringMatching(/^(?:bound|free)$/) as string });
      }
      await expectFree(a);
    }
  });
});
