import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { Finding } from '../../src/domain/finding.ts';
import { plain } from '../../src/output/color.ts';
import { type LossRow, type LossState, lossPicture } from '../../src/output/loss-view.ts';
import { sparkline } from '../../src/output/sparkline.ts';

const finding: Finding = {
  code: 'target-no-xmit',
  certainty: 'certain',
  count: 1234,
  event: 'xdp_redirect_err',
  from: { ifindex: 1, ifname: 'r0' },
  to: { ifindex: 2, ifname: 'r1', netns: 'D' },
  map: { id: 33, name: 'dev' },
  key: 0,
  explanation: 'r1 could not transmit redirected frames: its peer has no GRO',
  fix: 'ip netns exec D ethtool -K d0 gro on',
};
const row: LossRow = { finding, rate: 100, history: [0, 50, 100] };

function state(rows: readonly LossRow[]): LossState {
  const dropped = rows.reduce((sum, { finding: { count } }) => sum + count, 0);
  return { backend: 'builtin', seconds: 75, dropped, rate: 100, history: [100], rows };
}

describe('sparkline', () => {
  it('draws the last numbers, the largest full', () => {
    expect(sparkline([9, 0, 1, 4, 8], 4)).toBe(' ▁▄█');
    expect(sparkline([5], 3)).toBe('  █');
    expect(sparkline([], 2)).toBe('  ');
    expect(sparkline([0, 0], 2)).toBe('  ');
  });

  it('is always as wide as it is to be', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, noNaN: true })), fc.nat(40), (numbers, width) => {
        expect(Array.from(sparkline(numbers, width))).toHaveLength(width);
      }),
    );
  });
});

describe('the picture of losses', () => {
  it('shows each loss, and explains the largest', () => {
    const other = { ...row, finding: { ...finding, code: 'map-miss' as const, count: 5 }, rate: 0, history: [1, 0] };
    expect(lossPicture(state([row, other]), { columns: 80, rows: 24 }, plain)).toEqual([
      '1,239 frames lost, 100/s                 █  1:15  builtin  Ctrl-C ends',
      '',
      '    RATE/S          LOST  TREND             CAUSE           WHERE',
      '       100         1,234                ▄█  target-no-xmit  r0 -> r1 (netns D),…',
      '         0             5                █   map-miss        r0 -> r1 (netns D),…',
      '',
      'target-no-xmit (certain): r1 could not transmit redirected frames: its peer has',
      'no GRO',
      'fix: ip netns exec D ethtool -K d0 gro on',
    ]);
  });

  it('says when nothing is lost', () => {
    expect(lossPicture({ ...state([]), rate: 0, history: [] }, { columns: 60, rows: 24 }, plain)[2]).toBe(
      'no lost frames seen',
    );
  });

  it('fits every terminal, whatever the names are', () => {
    const rows = fc.array(
      fc.record({ ifname: fc.string(), explanation: fc.string(), fix: fc.string(), count: fc.nat() }),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 60 }), (list, columns, height) => {
        const losses = list.map(({ ifname, ...more }) => ({
          ...row,
          finding: { ...finding, ...more, from: { ifindex: 1, ifname } },
        }));
        const lines = lossPicture(state(losses), { columns, rows: height }, plain);
        expect(lines.length).toBeLessThanOrEqual(height);
        for (const line of lines) {
          expect(Array.from(line).length).toBeLessThanOrEqual(columns);
          expect(line).not.toMatch(/[\u0000-\u001f]/);
        }
      }),
    );
  });

  it('says how many losses there was no room for', () => {
    const rows = Array.from({ length: 9 }, (_, key) => ({ ...row, finding: { ...finding, key } }));
    const lines = lossPicture(state(rows), { columns: 80, rows: 12 }, plain);
    expect(lines).toHaveLength(12);
    expect(lines[7]).toBe('5 more');
  });
});
