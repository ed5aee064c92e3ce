import { describe, expect, it } from 'vitest';

import { blindSpotsOf } from '../../src/tracing/blind.ts';
import { planCounting } from '../../src/tracing/counting-row.ts';
import { RateGuard } from '../../src/tracing/rate-guard.ts';
import { missesIn, runMissesOf } from '../../src/tracing/run-misses.ts';
import { recordedEvents, withoutFields } from './recorded.ts';

describe('RateGuard', () => {
  it('gives the rate when it is above the limit', () => {
    const guard = new RateGuard(1000, 0);
    expect(guard.observe(900, 1000)).toBeUndefined();
    expect(guard.observe(1900, 2000)).toBeUndefined();
    expect(guard.observe(4900, 4000)).toBe(1500);
  });

  it('does not judge by a moment', () => {
    const guard = new RateGuard(1000, 0);
    expect(guard.observe(900, 100)).toBeUndefined();
    expect(guard.observe(900, 1000)).toBeUndefined();
  });

  it('never complains without a limit', () => {
    expect(new RateGuard(undefined, 0).observe(1e12, 1000)).toBeUndefined();
  });
});

/** What /proc/PID/fdinfo says about a BPF program. */
function fdinfo(type: number): string {
  return `pos:\t0\nflags:\t02000000\nprog_type:\t${type}\nprog_jited:\t1\nprog_id:\t137\nrecursion_misses:\t42\n`;
}

describe('run misses', () => {
  it('are read from the descriptors of tracepoint programs', () => {
    expect(missesIn(fdinfo(5))).toBe(42);
    expect(missesIn(fdinfo(7))).toBe(0);
    expect(missesIn('pos:\t0\n')).toBe(0);
    expect(missesIn('prog_type:\t5\n')).toBe(0);
  });

  it('of a process without such programs, or one that is gone, are none', () => {
    expect(runMissesOf(process.pid)).toBe(0);
    expect(runMissesOf(2 ** 30)).toBe(0);
  });
});

describe('blindSpotsOf', () => {
  const plan = planCounting(recordedEvents());

  it('names what no kernel shows', () => {
    const spots = blindSpotsOf(plan, { major: 6, minor: 18 });
    expect(spots.join('\n')).toMatch(/broadcast/);
    // Not even where frames are compared: these had a target.
    for (const conserve of [false, true]) {
      const counted = planCounting(recordedEvents(), {}, conserve);
      expect(blindSpotsOf(counted, { major: 6, minor: 18 }).join('\n')).toMatch(/broadcast leaves out is not reported/);
    }
    expect(spots.join('\n')).not.toMatch(/before Linux/);
  });

  it('names what this kernel does not show', () => {
    const events = withoutFields(recordedEvents(), { xdp_cpumap_kthread: ['xdp_drop'] });
    expect(blindSpotsOf(planCounting(events), { major: 5, minor: 4 }).join('\n')).toMatch(/programs in cpumap entries/);
    expect(blindSpotsOf(plan, { major: 6, minor: 1 }).join('\n')).toMatch(/multi-buffer/);
    expect(blindSpotsOf(plan, { major: 6, minor: 5 }).join('\n')).toMatch(/AF_XDP: multi-buffer/);
    expect(blindSpotsOf(plan, { major: 6, minor: 6 }).join('\n')).not.toMatch(/multi-buffer/);
    expect(blindSpotsOf(plan, { major: 5, minor: 15 }).join('\n')).toMatch(/look alike/);
    const old = blindSpotsOf(plan, { major: 5, minor: 10 }).join('\n');
    expect(old).toMatch(/program in a devmap entry/);
    expect(old).not.toMatch(/broadcast/);
    const conserving = planCounting(recordedEvents(), {}, true);
    expect(blindSpotsOf(conserving, { major: 5, minor: 10 }).join('\n')).not.toMatch(/program in a devmap entry/);
  });

  it('names what a filter cannot be applied to', () => {
    expect(blindSpotsOf(planCounting(recordedEvents(), { progIds: [5] }), { major: 6, minor: 18 }).join('\n')).toMatch(
      /no program and no map/,
    );
  });

  it('says when a whole event is missing', () => {
    expect(blindSpotsOf(planCounting(new Map()), { major: 6, minor: 18 }).length).toBe(
      blindSpotsOf(plan, { major: 6, minor: 18 }).length + 6,
    );
  });
});
