import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { dropCause, type DropSignal } from '../../src/domain/drop-catalogue.ts';
import type { DropCounter } from '../../src/domain/drop-counter.ts';
import { errnoNumber } from '../../src/domain/errno.ts';
import type { Finding } from '../../src/domain/finding.ts';
import { kernelAtLeast, type KernelVersion } from '../../src/domain/kernel-version.ts';
import { findingsOf, totalOf } from '../../src/domain/ledger.ts';
import type { LiveDevice, LiveMap, LiveSystem } from '../../src/domain/live-system.ts';
import { xdpActionName } from '../../src/domain/xdp-action.ts';
import { netns, r0, r1, router } from './support/router.ts';

const ifindex = fc.constantFrom(0, 4, 5, 20_101, 20_102);
const progId = fc.constantFrom(0, 116, 200, 300, 400);
const mapId = fc.constantFrom(0, 33, 35, 36, 99, 2_147_483_647);
const key = fc.nat({ max: 3 });
const count = fc.integer({ min: 1, max: 1000 });
const errno = fc.constantFrom(2, 6, 11, 12, 22, 28, 56, 75, 90, 95, 100, 105);

const counter: fc.Arbitrary<DropCounter> = fc.oneof(
  fc.record({
    event: fc.constant('xdp_redirect_err' as const),
    count,
    fromIfindex: ifindex,
    progId,
    mapId,
    mapIndex: key,
    toIfindex: ifindex,
    errno,
  }),
  fc.record({ event: fc.constant('xdp_exception' as const), count, fromIfindex: ifindex, progId, action: fc.nat(5) }),
  fc.record({
    event: fc.constant('xdp_devmap_xmit' as const),
    field: fc.constant('drops' as const),
    count,
    fromIfindex: ifindex,
    toIfindex: ifindex,
    errno: fc.oneof(errno, fc.constant(0)),
  }),
  fc.record({
    event: fc.constant('xdp_cpumap_enqueue' as const),
    field: fc.constant('drops' as const),
    count,
    mapId,
    cpu: key,
    toCpu: key,
  }),
  fc.record({
    event: fc.constant('xdp_cpumap_kthread' as const),
    field: fc.constantFrom('drops' as const, 'xdp_drop' as const),
    count,
    mapId,
    toCpu: key,
  }),
  fc.record({
    event: fc.constant('xdp_bulk_tx' as const),
    field: fc.constant('drops' as const),
    count,
    fromIfindex: ifindex,
    errno: fc.oneof(errno, fc.constant(0)),
  }),
);

const device: fc.Arbitrary<LiveDevice> = fc
  .record({
    ifindex: fc.constantFrom(4, 5, 20_101, 20_102),
    kind: fc.constantFrom('veth', 'tun', 'bridge', undefined),
    up: fc.boolean(),
    ndoXmit: fc.constantFrom('yes', 'no', 'unknown' as const),
    mtu: fc.constantFrom(1000, 1500, 9000),
    netns: fc.constantFrom(netns.router, netns.s, { inode: 8, current: false }),
    peer: fc.constantFrom(r0.peer, r1.peer, undefined),
    progIds: fc.subarray([116, 200, 300]),
  })
  .map(({ kind, peer, ...more }) => ({
    ifname: `dev${more.ifindex}`,
    ndoXmitSg: 'no' as const,
    ...(kind === undefined ? {} : { kind }),
    ...(peer === undefined ? {} : { peer }),
    ...more,
  }));

const entry = fc.record({ key, ifindex, progId: fc.constantFrom(0, 200) });
const map: fc.Arbitrary<LiveMap> = fc.oneof(
  fc.record({
    id: fc.constant(33),
    type: fc.constantFrom('devmap', 'devmap_hash'),
    maxEntries: fc.constantFrom(1, 4),
    pinned: fc.constant([]),
    entries: fc.uniqueArray(entry, { selector: (one) => one.key, maxLength: 1 }),
  }),
  fc.constant({ id: 35, type: 'cpumap', maxEntries: 4, pinned: [], entries: [{ key: 1, qsize: 8, progId: 300 }] }),
  fc.constant({ id: 36, type: 'xskmap', maxEntries: 4, pinned: ['/sys/fs/bpf/xsk'] }),
);

const system: fc.Arbitrary<LiveSystem> = fc
  .record({
    kernel: fc.constantFrom<KernelVersion[]>(
      { major: 5, minor: 4 },
      { major: 5, minor: 15 },
      { major: 6, minor: 1 },
      { major: 6, minor: 18 },
    ),
    devices: fc.array(device, { maxLength: 4 }),
    maps: fc.array(map, { maxLength: 4 }),
  })
  .map(({ kernel, devices, maps }) =>
    router({
      kernel,
      maps,
      devices: kernelAtLeast(kernel, '6.3')
        ? devices
        : devices.map((one) => ({ ...one, ndoXmit: 'unknown', ndoXmitSg: 'unknown' })),
      programs: [
        { id: 116, name: 'r_dev', mapIds: [33, 35, 36] },
        { id: 200, mapIds: [] },
        { id: 300, mapIds: [33] },
      ],
    }),
  );

/** Whether upstream kernels of that version can report this at all; a distribution's may, and the ledger believes it. */
function canHappen(
  { event, field, mapId: through, errno: error = 0 }: DropCounter,
  { kernel, maps }: LiveSystem,
): boolean {
  if (field === 'xdp_drop') return kernelAtLeast(kernel, '5.9');
  if (event === 'xdp_redirect_err' && through === 35 && error === 28) return kernelAtLeast(kernel, '5.15');
  const newSocketError = event === 'xdp_redirect_err' && [6, 12, 105].includes(error);
  const throughSocket = through === 36 || (through !== undefined && !maps.has(through));
  return !newSocketError || !throughSocket || kernelAtLeast(kernel, '5.19');
}

/** Whether the catalogue says that the cause shows itself like this on this kernel. */
function matches(
  signal: DropSignal,
  finding: Finding,
  source: DropCounter | undefined,
  kernel: KernelVersion,
): boolean {
  const action = source?.action;
  return (
    (signal.event === finding.event ||
      (signal.event === 'xdp_redirect_err' && finding.event === 'xdp_redirect_map_err')) &&
    (signal.errno === undefined || (errnoNumber(signal.errno) ?? 0) === (finding.errno ?? 0)) &&
    (signal.field === undefined || signal.field === source?.field) &&
    (signal.action === undefined || (action !== undefined && signal.action === (xdpActionName(action) ?? 'other'))) &&
    (signal.since === undefined || kernelAtLeast(kernel, signal.since)) &&
    (signal.before === undefined || !kernelAtLeast(kernel, signal.before))
  );
}

describe('the ledger and the catalogue', () => {
  it('agree: every verdict on one counter is one that the catalogue knows from its signals', () => {
    fc.assert(
      fc.property(counter, system, (source, live) => {
        fc.pre(canHappen(source, live));
        const [finding, ...others] = findingsOf([source], live);
        expect(others).toEqual([]);
        const { signals } = dropCause(finding!.code);
        const known =
          finding!.code === 'unknown' || signals.some((signal) => matches(signal, finding!, source, live.kernel));
        expect({ finding, known }).toMatchObject({ known: true });
      }),
      { numRuns: 8000 },
    );
  });

  it('lose and invent no frame: what is not reported twice is in exactly one finding', () => {
    fc.assert(
      fc.property(fc.array(counter, { maxLength: 12 }), system, (counters, live) => {
        const findings = findingsOf(counters, live);
        const all = counters.reduce((sum, one) => sum + one.count, 0);
        expect(totalOf(findings)).toBeLessThanOrEqual(all);
        // The error of a redirect is never the second report of a frame.
        const errors = counters.filter(({ event }) => event === 'xdp_redirect_err');
        expect(totalOf(findings.filter(({ event }) => event === 'xdp_redirect_err'))).toBe(
          errors.reduce((sum, one) => sum + one.count, 0),
        );
        expect(findings.map((finding) => finding.count)).toEqual(
          findings.map((finding) => finding.count).toSorted((a, b) => b - a),
        );
      }),
    );
  });

  it('give commands without anything that a shell would run', () => {
    fc.assert(
      fc.property(counter, system, fc.constantFrom('$(reboot)', '`x`', 'a;b', "o'o"), (source, live, ifname) => {
        const devices = live.devices.map((one) => ({
          ...one,
          ifname,
          ...(one.peer && { peer: { ...one.peer, ifname } }),
        }));
        const fixes = findingsOf([source], { ...live, devices }).map(({ fix }) => fix ?? '');
        const bare = fixes.map((fix) => fix.replaceAll(/'[^']*'|\\'/g, ''));
        expect(bare.filter((fix) => /[$`;']/.test(fix))).toEqual([]);
      }),
    );
  });
});
