import { describe, expect, it } from 'vitest';

import { parsePerfStat } from '../../src/tracing/event-perf.ts';
import { completed } from '../../src/tracing/event-session.ts';

describe('the output of perf stat -x,', () => {
  it('is read by event', () => {
    const output = '12,,xdp:xdp_exception,1581465118,100.00,,\n0,,xdp:xdp_redirect,1581455634,100.00,,\n';
    expect(parsePerfStat(output)).toEqual(
      new Map([
        ['xdp_exception', 12],
        ['xdp_redirect', 0],
      ]),
    );
  });

  it('is no answer when it is something else, or says that an event could not be counted', () => {
    for (const output of ['', 'perf: error', '<not counted>,,xdp:xdp_redirect,0,100.00,,\n']) {
      expect(parsePerfStat(output)).toBeUndefined();
    }
  });
});

describe('counts of events', () => {
  it('are complete, most hits first', () => {
    expect(completed(['b', 'a', 'c'], new Map([['c', 2]]))).toEqual([
      { event: 'xdp:c', count: 2 },
      { event: 'xdp:a', count: 0 },
      { event: 'xdp:b', count: 0 },
    ]);
  });
});
