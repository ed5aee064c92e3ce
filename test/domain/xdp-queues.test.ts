import { expect, it } from 'vitest';

import { lacksXdpQueues, tooManyRxQueues } from '../../src/domain/xdp-queues.ts';

it('a veth with fewer queues than its peer has no native mode', () => {
  const peer = { ifindex: 7, txQueues: 2 };
  expect(lacksXdpQueues({ kind: 'veth', rxQueues: 1, peer })).toBe(true);
  expect(lacksXdpQueues({ kind: 'veth', rxQueues: 2, peer })).toBe(false);
  expect(lacksXdpQueues({ kind: 'veth', peer })).toBe(false);
  expect(lacksXdpQueues({ kind: 'veth', rxQueues: 1, peer: { ifindex: 7 } })).toBe(false);
  expect(lacksXdpQueues({ kind: 'bridge', rxQueues: 1, peer })).toBe(false);
});

it('a device cannot have more receive queues than it was made with', () => {
  expect(tooManyRxQueues({ mostRxQueues: 2 }, 3)).toBe('it was made with 2, and cannot have more');
  expect(tooManyRxQueues({ mostRxQueues: 2 }, 2)).toBeUndefined();
  expect(tooManyRxQueues({}, 3)).toBeUndefined();
});
