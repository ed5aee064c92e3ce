import { describe, expect, it } from 'vitest';

import { findingsOf } from '../../src/domain/ledger.ts';
import { devmap, r0, router } from './support/router.ts';

describe('a loss behind a dispatcher of libxdp', () => {
  it('is followed to the map of its component', () => {
    const system = router({
      programs: [
        { id: 116, name: 'xdp_dispatcher', mapIds: [9], components: [120] },
        { id: 120, name: 'forward', mapIds: [33] },
      ],
      maps: [{ ...devmap, entries: [] }],
    });
    const miss = { event: 'xdp_exception', action: 0, count: 5, fromIfindex: r0.ifindex, progId: 116 } as const;
    expect(findingsOf([miss], system)).toMatchObject([
      { code: 'map-miss', count: 5, prog: { name: 'xdp_dispatcher' }, map: { id: 33, name: 'dev' } },
    ]);
  });
});
