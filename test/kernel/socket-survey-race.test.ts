import { expect, it, vi } from 'vitest';

import { surveySockets } from '../../src/kernel/af-xdp/socket-survey.ts';
import { XskSocket } from '../../src/kernel/af-xdp/socket.ts';
import type { Fd } from '../../src/kernel/fd.ts';

const shift = vi.hoisted(() => ({ from: -1, to: -1 }));

// Between looking at /proc and duplicating, the owner has closed one socket, and another has got its number.
vi.mock('../../src/kernel/pidfd.ts', async (original) => {
  const { duplicateOf } = await original<{ duplicateOf: (pid: number, fd: number) => Fd | undefined }>();
  return { duplicateOf: (pid: number, fd: number) => duplicateOf(pid, fd === shift.from ? shift.to : fd) };
});

const spec = { frames: 4, frameSize: 2048, rxSize: 4, fillSize: 4, completionSize: 4 };

/** What the survey says of a socket of this process. */
function find(fd: number): unknown {
  return surveySockets().sockets.find(({ owners }) =>
    owners.some((owner) => owner.pid === process.pid && owner.fd === fd),
  );
}

it('a descriptor that has become that of another socket tells nothing about the first', () => {
  using first = XskSocket.open(spec);
  using other = XskSocket.open(spec);
  expect(find(first.fd)).toHaveProperty('statistics');
  Object.assign(shift, { from: first.fd, to: other.fd });
  expect(find(first.fd)).not.toHaveProperty('statistics');
  expect(find(other.fd)).toHaveProperty('statistics');
});
