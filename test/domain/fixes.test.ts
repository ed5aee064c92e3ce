import { expect, it } from 'vitest';

import { attachPass } from '../../src/domain/ledger/fixes.ts';

it.each([
  [{ name: 'left' }, 'left'],
  [{ name: '7777', pid: 12 }, '/run/netns/7777'],
  [{ pid: 12 }, '/proc/12/ns/net'],
  [{ path: '/run/docker/netns/a b' }, "'/run/docker/netns/a b'"],
])('the command for a device of the namespace %o names it by %s', (ways, word) => {
  const netns = { inode: 4_026_532_745, current: false, ...ways };
  expect(attachPass({ ifindex: 3, ifname: 'd0', netns })).toBe(
    `xdpctl --netns ${word} net attach xdpdrv builtin pass dev d0`,
  );
});
