import { describe, expect, it } from 'vitest';

import { LossHistory } from '../../../src/cli/debug/loss-history.ts';
import type { Finding } from '../../../src/domain/finding.ts';

const miss: Finding = {
  code: 'map-miss',
  certainty: 'certain',
  count: 10,
  event: 'xdp_exception',
  from: { ifindex: 1, ifname: 'r0' },
  explanation: 'it has no entry',
};
const down: Finding = { ...miss, code: 'target-down', count: 30 };

describe('the history of losses', () => {
  it('adds up, gives rates, and sorts by loss', () => {
    const history = new LossHistory();
    history.add([miss], 0.5);
    history.add([down, miss], 2);
    history.add([], 1);
    expect(
      history.rows().map(({ finding, rate, history: rates }) => [finding.code, finding.count, rate, rates]),
    ).toEqual([
      ['target-down', 30, 0, [15, 0]],
      ['map-miss', 20, 0, [20, 5, 0]],
    ]);
    expect(history).toMatchObject({ dropped: 50, rate: 0, history: [20, 20, 0] });
  });

  it('knows a loss again, however it is worded', () => {
    const history = new LossHistory();
    history.add([miss], 1);
    const again = { ...miss, count: 1, certainty: 'likely' as const, explanation: 'it has one now' };
    expect(history.knows(again)).toBe(true);
    expect(history.knows({ ...miss, key: 3 })).toBe(false);
    expect(history.knows({ ...miss, from: { ifindex: 1, ifname: 'r0', netns: 'D' } })).toBe(false);
    history.add([again], 1);
    expect(history.rows()).toMatchObject([{ finding: { count: 11, explanation: 'it has one now' } }]);
  });

  it('keeps the last minute of intervals', () => {
    const history = new LossHistory();
    for (let count = 1; count <= 100; count += 1) history.add([{ ...miss, count }], 1);
    expect(history.history).toHaveLength(60);
    expect(history.rows()[0]?.history[0]).toBe(41);
  });
});
