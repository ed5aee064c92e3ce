import { expect, it } from 'vitest';

import { untilEnd } from '../../../src/cli/debug/drops-session.ts';
import { nextMoment } from '../../../src/cli/debug/drops-watch.ts';
import type { TraceEnd } from '../../../src/tracing/backend.ts';

const session = { ended: new Promise<TraceEnd>(() => {}) };

it('a wait of no time at all lets signals and timers come through', async () => {
  const asked = new AbortController();
  // What a signal does: it comes as an event of its own, never between two promises.
  setTimeout(() => asked.abort(), 1);
  let rounds = 0;
  for (const end = Date.now() + 5000; !asked.signal.aborted && Date.now() < end; rounds += 1) {
    await untilEnd(session, 0, asked.signal);
  }
  expect(asked.signal.aborted).toBe(true);
  expect(rounds).toBeGreaterThan(0);
});

it('intervals that were missed are not made up for', () => {
  expect(nextMoment(1000, 300, 1000)).toBe(1300);
  expect(nextMoment(1000, 300, 1299)).toBe(1300);
  expect(nextMoment(1000, 300, 1300)).toBe(1600);
  // Looking took longer than an interval.
  expect(nextMoment(1000, 300, 2750)).toBe(2800);
});
