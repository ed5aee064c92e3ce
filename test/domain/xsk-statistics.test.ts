import { describe, expect, it } from 'vitest';

import { dropCatalogue } from '../../src/domain/drop-catalogue.ts';
import {
  decodeXskStatistics,
  noXskStatistics as none,
  XSK_STATISTICS_SIZE,
  xskLosses,
  xskLost,
  xskStatisticsSince,
} from '../../src/domain/xsk-statistics.ts';

describe('the statistics of an AF_XDP socket', () => {
  it('are read from six 64-bit numbers', () => {
    const bytes = new Uint8Array(BigUint64Array.of(1n, 2n, 3n, 4n, 2n ** 40n, 6n).buffer);
    expect(bytes).toHaveLength(XSK_STATISTICS_SIZE);
    expect(decodeXskStatistics(bytes)).toEqual({
      rx_dropped: 1,
      rx_invalid_descs: 2,
      tx_invalid_descs: 3,
      rx_ring_full: 4,
      rx_fill_ring_empty_descs: 2 ** 40,
      tx_ring_empty_descs: 6,
    });
  });

  it('are read from the three numbers of kernels before 5.9', () => {
    const bytes = new Uint8Array(BigUint64Array.of(1n, 2n, 3n).buffer);
    expect(decodeXskStatistics(bytes)).toEqual({ ...none, rx_dropped: 1, rx_invalid_descs: 2, tx_invalid_descs: 3 });
  });

  it('are subtracted field by field', () => {
    const earlier = { ...none, rx_dropped: 5, rx_ring_full: 1 };
    const later = { ...none, rx_dropped: 7, rx_ring_full: 1, tx_ring_empty_descs: 3 };
    expect(xskStatisticsSince(earlier, later)).toEqual({ ...none, rx_dropped: 2, tx_ring_empty_descs: 3 });
  });
});

describe('losses at an AF_XDP socket', () => {
  it('add up to what was lost, the most frequent first', () => {
    const statistics = { ...none, rx_dropped: 9, rx_fill_ring_empty_descs: 7, rx_ring_full: 8 };
    expect(xskLosses(statistics, false)).toEqual([
      { code: 'xsk-rx-ring-full', count: 8 },
      { code: 'xsk-fill-ring-empty', count: 7 },
      { code: 'xsk-frame-too-large', count: 2 },
    ]);
    expect(xskLost(statistics)).toBe(17);
  });

  it('are none where nothing was lost', () => {
    expect(xskLosses(none, false)).toEqual([]);
  });

  it('are not read from the empty fill ring of a zero-copy socket, which loses nothing by itself', () => {
    expect(xskLosses({ ...none, rx_fill_ring_empty_descs: 7, rx_dropped: 1 }, true)).toEqual([
      { code: 'xsk-frame-too-large', count: 1 },
    ]);
  });

  it('have codes of the catalogue', () => {
    const statistics = { ...none, rx_dropped: 2, rx_fill_ring_empty_descs: 1, rx_ring_full: 1 };
    const codes = dropCatalogue.map(({ code }) => code);
    for (const { code } of xskLosses(statistics, false)) expect(codes).toContain(code);
  });
});
