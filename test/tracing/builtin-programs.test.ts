import { describe, expect, it } from 'vitest';

import type { KernelTypes } from '../../src/domain/btf/kernel-types.ts';
import { parseKernelVersion } from '../../src/domain/kernel-version.ts';
import { classicFields } from '../../src/tracing/builtin-classic.ts';
import { planFromTypes } from '../../src/tracing/builtin-programs.ts';
import { planCounting } from '../../src/tracing/counting-row.ts';
import { recordedEvents } from './recorded.ts';

/** What a kernel says of its tracepoints: `p` for a pointer, `n` for a number, without the probe's own data. */
function kernel(
  events: Readonly<Record<string, string>>,
  { reasons, functions = [] }: { reasons?: Readonly<Record<string, number>>; functions?: readonly string[] } = {},
): KernelTypes {
  const types: Pick<KernelTypes, 'tracepointArguments' | 'enumerators' | 'hasFunction'> = {
    tracepointArguments: (name) =>
      events[name] === undefined
        ? undefined
        : events[name].split('').map((letter) => (letter === 'p' ? 'pointer' : 'number')),
    enumerators: () => reasons && new Map(Object.entries(reasons)),
    hasFunction: (name) => functions.includes(name),
  };
  return types as KernelTypes;
}

const always = { xdp_exception: 'ppn', xdp_devmap_xmit: 'ppnnn', xdp_cpumap_enqueue: 'nnnn', xdp_bulk_tx: 'pnnn' };
const reasons = { SKB_DROP_REASON_NOT_SPECIFIED: 2, SKB_DROP_REASON_UDP_CSUM: 11, SKB_DROP_REASON_OTHERHOST: 13 };

describe('the programs for a kernel', () => {
  it.each([
    ['6.18', kernel({ xdp_redirect_err: 'pppnnnn' }, { functions: ['bpf_rdonly_cast'] }), 'redirect_err'],
    ['6.12', kernel({ xdp_redirect_err: 'pppnnnn' }, { functions: ['bpf_rdonly_cast'] }), 'redirect_err_casting'],
    ['6.1', kernel({ xdp_redirect_err: 'pppnnnn' }), 'redirect_err_probing'],
    ['5.10', kernel({ xdp_redirect_err: 'pppnpn' }), 'redirect_err_by_map'],
  ])('are those that know its prototype: %s', (version, types, name) => {
    expect(planFromTypes(types, false, parseKernelVersion(version)).programs).toEqual([name]);
  });

  it('are none where it is another', () => {
    // Before 5.6 the third argument was a number.
    expect(planFromTypes(kernel({ xdp_redirect_err: 'ppnnpn', xdp_exception: 'ppnn' }), false).programs).toEqual([]);
  });

  it('do without what a cpumap tells since 5.9', () => {
    expect([...planFromTypes(kernel({ ...always, xdp_cpumap_kthread: 'nnnn' }), false).rows]).toEqual([
      'exception',
      'devmap_xmit',
      'cpumap_enqueue',
      'cpumap_kthread_drops',
      'bulk_tx',
    ]);
    expect([...planFromTypes(kernel({ xdp_cpumap_kthread: 'nnnnp' }), false).rows]).toEqual([
      'cpumap_kthread_drops',
      'cpumap_kthread_xdp_drop',
    ]);
  });

  it('count thrown away skbs where the kernel has reasons', () => {
    const without = planFromTypes(kernel({ kfree_skb: 'ppn' }), false);
    expect(without).toMatchObject({ programs: [], events: [] });
    const plan = planFromTypes(kernel({ kfree_skb: 'ppn' }, { reasons }), false);
    expect(plan).toMatchObject({ programs: ['skb_freed'], events: ['skb:kfree_skb'] });
    expect(plan.reasons).toEqual({
      names: new Map([
        [2, 'NOT_SPECIFIED'],
        [11, 'UDP_CSUM'],
        [13, 'OTHERHOST'],
      ]),
      unspecified: 2,
      socket: 11,
    });
    expect(planFromTypes(kernel({ kfree_skb: 'ppnp' }, { reasons }), false).programs).toEqual(['skb_freed_at']);
  });

  it('compare flows only when they are to', () => {
    const types = kernel({ ...always, xdp_redirect: 'pppnnnn' });
    expect(planFromTypes(types, false).programs).not.toContain('redirected');
    expect(planFromTypes(types, true)).toMatchObject({
      programs: expect.arrayContaining(['redirected', 'transmitted']) as string[],
      events: [
        'xdp:xdp_exception',
        'xdp:xdp_devmap_xmit',
        'xdp:xdp_cpumap_enqueue',
        'xdp:xdp_bulk_tx',
        'xdp:xdp_redirect',
      ],
    });
  });
});

describe('the fields of classic tracepoints', () => {
  it('are where the format files say', () => {
    const words = new Uint32Array(classicFields(planCounting(recordedEvents())).buffer);
    const row = (number: number): number[] => [...words.subarray(9 * number, 9 * number + 9)];
    // from, to, program, map, key, errno, action, CPU, amount
    expect(row(1)).toEqual([16, 24, 8, 28, 32, 20, 0, 0, 0]);
    expect(row(2)).toEqual([16, 0, 8, 0, 0, 0, 12, 0, 0]);
    expect(row(3)).toEqual([8, 16, 0, 0, 0, 28, 0, 0, 20]);
    expect(row(6)).toEqual([0, 0, 0, 8, 0, 0, 0, 16, 36]);
    expect(row(11)).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0]);
    expect(words).toHaveLength(108);
  });
});
