import { describe, expect, it } from 'vitest';

import { addUpCounters, countersSince, type DropCounter } from '../../src/domain/drop-counter.ts';

const a: DropCounter = { event: 'xdp_exception', count: 3, fromIfindex: 4, progId: 5, action: 0 };
const b: DropCounter = { ...a, action: 3 };

describe('counters', () => {
  it('are added up when all but the count is equal', () => {
    expect(addUpCounters([a, b, { ...a, count: 4 }])).toEqual([{ ...a, count: 7 }, b]);
  });

  it('are not mixed when one lacks what the other has', () => {
    const { action: _action, ...less } = a;
    expect(addUpCounters([a, less])).toHaveLength(2);
  });

  it('show what has come since', () => {
    expect(countersSince([a], [{ ...a, count: 10 }, b])).toEqual([{ ...a, count: 7 }, b]);
    expect(countersSince([a, b], [a, b])).toEqual([]);
    expect(countersSince([], [])).toEqual([]);
  });
});
