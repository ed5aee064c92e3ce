import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { noMapId } from '../../src/domain/drop-counter.ts';
import { pathProblems } from '../../src/domain/health.ts';
import type { LiveDevice, LiveMap, LiveProgram, LiveSystem } from '../../src/domain/live-system.ts';
import { observedPath } from '../../src/domain/observed-path.ts';
import type { TrialCounts } from '../../src/domain/trial-counts.ts';
import { isPredictable, whyBroadcast, whyPass } from '../../src/domain/trial-guard.ts';
import { type TrialLedger, trialLedger } from '../../src/domain/trial-ledger.ts';
import { checkTold } from '../../src/domain/trial-untold.ts';
import { r0 as plainR0, r1 as plainR1, router } from './support/router.ts';

const ends = { ndoXmit: 'yes', ndoXmitSg: 'yes', nativeXdp: true } as const;
const r0: LiveDevice = { ...plainR0, ...ends };
const r1: LiveDevice = { ...plainR1, ...ends, peer: { ...plainR1.peer!, gro: true } };
const r2: LiveDevice = { ...r1, ifindex: 20_202, ifname: 'r2' };
const own: LiveProgram = { id: 116, name: 'redirect', mapIds: [33], keySource: 'ingress', onMiss: 'aborted' };
const theirs: LiveProgram = { id: 116, name: 'theirs', mapIds: [33] };
const hash: LiveMap = {
  id: 33,
  name: 'targets',
  type: 'devmap_hash',
  maxEntries: 32,
  pinned: ['/p/t'],
  entries: [{ key: r0.ifindex, ifindex: r1.ifindex }],
};
const nothing: TrialCounts = { redirected: [], failed: [], transmitted: [], queued: [], handled: [], passed: 0 };

interface Setting {
  readonly program?: LiveProgram;
  readonly map?: LiveMap;
  readonly devices?: readonly LiveDevice[];
  readonly others?: readonly LiveProgram[];
}

function settle({ program = own, map = hash, devices = [r0, r1, r2], others = [] }: Setting) {
  const system: LiveSystem = router({ devices, programs: [program, ...others], maps: [map] });
  const path = observedPath(devices[0]!, system)!;
  return { system, path, problems: pathProblems(path, system, [path]) };
}

interface Run extends Setting {
  readonly sent?: number;
  readonly size?: number;
  readonly counts?: Partial<TrialCounts>;
  readonly action?: number;
  readonly refused?: readonly (readonly [number, number])[];
}

/** The ledger of a run, after a look at whether all frames are in it. */
function ledger({ sent = 100, size = 60, counts = {}, action, refused = [], ...setting }: Run): TrialLedger {
  const result = trialLedger({
    ...settle(setting),
    sent,
    size,
    counts: { ...nothing, ...counts },
    action,
    refused: new Map(refused),
  });
  expect(result.delivered + result.passed + result.sentBack + result.dropped).toBe(result.sent + result.copies);
  expect(result.findings.reduce((sum, { count }) => sum + count, 0)).toBe(result.dropped);
  return result;
}

function redirected(count: number, mapId = 33, key = r0.ifindex, toIfindex = r1.ifindex) {
  return { mapId, key, toIfindex, count };
}

function transmitted(sent: number, dropped = 0, { errno = 0, to = r1 } = {}) {
  return { toIfindex: to.ifindex, errno, sent, dropped };
}

/** All frames of the test, which the device did not take (ENETDOWN). */
const down = {
  event: 'xdp_redirect_err',
  count: 100,
  errno: 100,
  fromIfindex: r0.ifindex,
  toIfindex: r1.ifindex,
  progId: 116,
  mapId: 33,
  mapIndex: r0.ifindex,
} as const;

describe('trialLedger', () => {
  it('finds all frames at the target', () => {
    expect(ledger({ counts: { redirected: [redirected(100)], transmitted: [transmitted(100)] } })).toEqual({
      sent: 100,
      copies: 0,
      delivered: 100,
      passed: 0,
      sentBack: 0,
      dropped: 0,
      targets: [{ to: { ifindex: r1.ifindex, ifname: 'r1' }, delivered: 100 }],
      findings: [],
    });
  });

  it('knows a miss of our program by what is left', () => {
    const result = ledger({
      map: { ...hash, entries: [] },
      counts: { redirected: [redirected(40)], transmitted: [transmitted(40)] },
    });
    expect(result).toMatchObject({
      delivered: 40,
      dropped: 60,
      findings: [{ code: 'map-miss', certainty: 'certain', count: 60, key: r0.ifindex }],
    });
    expect(result.findings[0]).not.toHaveProperty('event');
  });

  it.each([
    [0, 'program-aborted', 'likely'],
    [1, 'program-drop', 'certain'],
    [42, 'unknown-action', 'certain'],
    [2, 'unknown', 'likely'],
    [undefined, 'unknown', 'likely'],
  ])('judges a program of others by what it returned at first (%s)', (action, code, certainty) => {
    const map = { ...hash, type: 'devmap', maxEntries: 1, entries: [{ key: 0, ifindex: r1.ifindex }] };
    const run = { program: theirs, map, ...(action !== undefined && { action }) };
    expect(ledger(run).findings).toMatchObject([{ code, certainty, count: 100 }]);
  });

  it('tells a redirect that failed', () => {
    expect(ledger({ devices: [r0, { ...r1, up: false }], counts: { failed: [down] } }).findings).toMatchObject([
      { code: 'target-down', certainty: 'certain', event: 'xdp_redirect_err', count: 100 },
    ]);
  });

  it('counts what goes back, and what fails on the way back', () => {
    const tx = [redirected(100, noMapId, 0, r0.ifindex)];
    const back = transmitted(70, 30, { errno: 6, to: r0 });
    expect(ledger({ program: theirs, counts: { redirected: tx, transmitted: [back] } })).toMatchObject({
      sentBack: 70,
      dropped: 30,
      targets: [],
      findings: [{ code: 'tx-hairpin-failed', count: 30 }],
    });
  });

  it('counts what goes to the stack', () => {
    expect(ledger({ program: theirs, counts: { passed: 100 } })).toMatchObject({ passed: 100, dropped: 0 });
  });

  describe('of frames that were lost without an error', () => {
    const egress = { ...hash, entries: [{ key: r0.ifindex, ifindex: r1.ifindex, progId: 61 }] };
    const others = [{ id: 61, name: 'egress', mapIds: [] }];
    const lost = { redirected: [redirected(100)], transmitted: [transmitted(40, 60)] };
    const short: LiveDevice = { ...r1, peer: { ...r1.peer!, mtu: 1000 } };
    const cases: readonly (Run & { title: string; code: string; certainty: string; fix?: string })[] = [
      {
        title: 'no driver has refused any: the program',
        map: egress,
        others,
        refused: [[r1.ifindex, 0]],
        code: 'egress-program-drop',
        certainty: 'certain',
      },
      {
        title: 'the driver does not tell: most probably the program',
        map: egress,
        others,
        code: 'egress-program-drop',
        certainty: 'likely',
      },
      {
        title: 'the driver has refused all: its ring',
        map: egress,
        others,
        refused: [[r1.ifindex, 60]],
        code: 'tx-ring-full',
        certainty: 'certain',
      },
      {
        title: 'too long for the peer',
        devices: [r0, short],
        size: 1400,
        code: 'peer-mtu',
        certainty: 'certain',
        fix: 'ip netns exec D ip link set dev d0 mtu 1500',
      },
      {
        title: 'too long for the peer, with a program in the entry',
        map: egress,
        others,
        devices: [r0, short],
        size: 1400,
        refused: [[r1.ifindex, 60]],
        code: 'peer-mtu',
        certainty: 'certain',
      },
      {
        title: 'too short for that',
        devices: [r0, short],
        size: 60,
        refused: [[r1.ifindex, 60]],
        code: 'tx-ring-full',
        certainty: 'certain',
      },
      { title: 'nothing else is known', code: 'tx-ring-full', certainty: 'likely' },
    ];

    it.each(cases)('$title', ({ code, certainty, fix, title: _title, ...run }) => {
      const { findings, delivered } = ledger({ ...run, counts: lost });
      expect(delivered).toBe(40);
      expect(findings).toMatchObject([{ code, certainty, count: 60, ...(fix !== undefined && { fix }) }]);
    });
  });

  describe('of a broadcast', () => {
    const program: LiveProgram = { ...own, broadcast: { excludeIngress: true } };
    const members = [r0, r1, r2].map(({ ifindex }) => ({ key: ifindex, ifindex }));
    const map = { ...hash, entries: members };
    const frames = [redirected(100, 33, r0.ifindex, r0.ifindex)];

    it('counts a copy for each member', () => {
      const sent = [transmitted(100), transmitted(90, 10, { to: r2 })];
      expect(ledger({ program, map, counts: { redirected: frames, transmitted: sent } })).toMatchObject({
        copies: 100,
        delivered: 190,
        dropped: 10,
        findings: [{ code: 'tx-ring-full', count: 10, to: { ifname: 'r2' } }],
      });
    });

    it('names the members that were left out, and why', () => {
      const run = { program, map, devices: [r0, r1, { ...r2, up: false }] };
      const counts = { redirected: frames, transmitted: [transmitted(100)] };
      expect(ledger({ ...run, counts })).toMatchObject({
        copies: 100,
        delivered: 100,
        dropped: 100,
        findings: [{ code: 'target-down', certainty: 'certain', key: r2.ifindex, fix: 'ip link set dev r2 up' }],
      });
    });

    it('counts two copies for a device that is a member twice', () => {
      const twice = { ...hash, entries: [1, 2].map((key) => ({ key, ifindex: r1.ifindex })) };
      const all = { redirected: frames, transmitted: [transmitted(200)] };
      expect(ledger({ program, map: twice, counts: all })).toMatchObject({ copies: 100, delivered: 200, dropped: 0 });
      const half = { redirected: frames, transmitted: [transmitted(100)] };
      expect(ledger({ program, map: twice, counts: half })).toMatchObject({ delivered: 100, dropped: 100 });
    });

    it('does not invent a reason', () => {
      const counts = { redirected: frames, transmitted: [transmitted(100)] };
      expect(ledger({ program, map, counts }).findings).toMatchObject([
        { code: 'unknown', count: 100, to: { ifname: 'r2' } },
      ]);
    });

    it('knows a map without members', () => {
      const run = { program, map: { ...map, entries: members.slice(0, 1) } };
      expect(ledger({ ...run, counts: { redirected: frames } }).findings).toMatchObject([
        { code: 'broadcast-no-target', certainty: 'certain', count: 100 },
      ]);
    });

    it('sees that of a program of others by the copies', () => {
      const sent = [transmitted(100), transmitted(100, 0, { to: r2 })];
      const counts = { redirected: frames, transmitted: sent };
      expect(ledger({ program: theirs, map, counts })).toMatchObject({ copies: 100, delivered: 200, dropped: 0 });
      expect(ledger({ program: theirs, map, counts: { redirected: frames } }).findings).toMatchObject([
        { code: 'broadcast-no-target', certainty: 'likely', count: 100 },
      ]);
    });
  });

  it('follows frames to other CPUs and back out of them', () => {
    const map = { ...hash, type: 'cpumap', entries: [{ key: 1, qsize: 8, progId: 62 }] };
    const counts: Partial<TrialCounts> = {
      redirected: [redirected(100, 33, 1, 0)],
      queued: [{ mapId: 33, cpu: 1, frames: 100, dropped: 20 }],
      handled: [{ mapId: 33, cpu: 1, frames: 80, dropped: 5, programDropped: 15 }],
    };
    expect(ledger({ program: theirs, map, counts })).toMatchObject({
      delivered: 60,
      dropped: 40,
      targets: [{ cpu: 1, delivered: 60 }],
      findings: [
        { code: 'cpumap-full', count: 20 },
        { code: 'cpumap-program-drop', count: 15 },
        { code: 'cpumap-alloc-failed', count: 5 },
      ],
    });
  });

  it('follows frames to sockets', () => {
    const map = { ...hash, type: 'xskmap', entries: [] };
    const failed = {
      event: 'xdp_redirect_err',
      count: 30,
      errno: 105,
      fromIfindex: r0.ifindex,
      toIfindex: 0,
      progId: 116,
      mapId: 33,
      mapIndex: 0,
    } as const;
    const counts = { redirected: [redirected(70, 33, 0, 0)], failed: [failed] };
    expect(ledger({ program: theirs, map, counts })).toMatchObject({
      delivered: 70,
      targets: [{ key: 0, delivered: 70 }],
      findings: [{ code: 'xsk-rx-ring-full', count: 30 }],
    });
  });

  it('never makes a frame appear or vanish', () => {
    const upTo100 = fc.integer({ min: 0, max: 100 });
    fc.assert(
      fc.property(upTo100, upTo100, upTo100, fc.boolean(), (inMap, sent, passed, isOwn) => {
        const counts = {
          redirected: [redirected(inMap)],
          transmitted: [transmitted(Math.min(sent, inMap), Math.max(0, inMap - sent))],
          passed: Math.min(passed, 100 - inMap),
        };
        ledger({ program: isOwn ? own : theirs, counts, action: 1 });
      }),
    );
  });
});

describe('a ledger of a test that lost events', () => {
  const toCpu = { ...hash, type: 'cpumap', entries: [{ key: 1, qsize: 8 }] };
  const cases: readonly (readonly [what: string, run: Run, untold: number])[] = [
    ['nothing was heard of the frames', {}, 100],
    ['nor of those of a program of others', { program: theirs, action: 4 }, 100],
    ['one redirect was not heard of', { counts: { redirected: [redirected(99)], transmitted: [transmitted(99)] } }, 1],
    ['some transmissions were not', { counts: { redirected: [redirected(100)], transmitted: [transmitted(60)] } }, 40],
    [
      'nor what a CPU did',
      {
        program: theirs,
        map: toCpu,
        counts: {
          redirected: [redirected(100, 33, 1, 0)],
          queued: [{ mapId: 33, cpu: 1, frames: 100, dropped: 0 }],
          handled: [{ mapId: 33, cpu: 1, frames: 70, dropped: 0, programDropped: 0 }],
        },
      },
      30,
    ],
  ];

  const complete: readonly (readonly [what: string, run: Run])[] = [
    ['all arrived', { counts: { redirected: [redirected(100)], transmitted: [transmitted(100)] } }],
    ['an event told of each that was dropped', { counts: { failed: [down] } }],
  ];

  function check(run: Run, lost: number): () => void {
    return () => checkTold({ counts: { ...nothing, ...run.counts }, lost }, ledger(run));
  }

  it.each(complete)('stands where every frame is told of: %s', (_, run) => {
    expect(check(run, 8652)).not.toThrow();
  });

  it.each(cases)('is none where one is not: %s', (_, run, untold) => {
    expect(check(run, 0)).not.toThrow();
    expect(check(run, 8652)).toThrow(
      expect.objectContaining({
        kind: 'refused',
        message: `what became of ${untold} of 100 frames cannot be told, because the trace buffer lost 8652 events`,
        hint: 'try again when less is redirected on this machine',
      }),
    );
  });
});

describe('what a test must be allowed to do', () => {
  const devmap = (keys: readonly number[]): LiveMap => ({
    ...hash,
    type: 'devmap',
    entries: keys.map((key) => ({ key, ifindex: r1.ifindex })),
  });

  it.each<[string, Setting, boolean]>([
    ['one target of ours', {}, false],
    [
      'many entries of ours, of which one is looked up',
      {
        map: {
          ...hash,
          entries: [
            { key: r0.ifindex, ifindex: r1.ifindex },
            { key: 1, ifindex: r2.ifindex },
          ],
        },
      },
      false,
    ],
    ['a broadcast of ours', { program: { ...own, broadcast: { excludeIngress: false } } }, true],
    ['one target of others', { program: theirs, map: devmap([0]) }, false],
    ['several targets of others', { program: theirs, map: devmap([0, 1]) }, true],
    [
      'several CPUs of others',
      {
        program: theirs,
        map: {
          ...hash,
          type: 'cpumap',
          entries: [
            { key: 0, qsize: 1 },
            { key: 1, qsize: 1 },
          ],
        },
      },
      false,
    ],
  ])('broadcast: %s', (_, setting, asks) => {
    expect(whyBroadcast(settle(setting).path) !== undefined).toBe(asks);
  });

  it.each<[string, Setting, number | undefined, boolean]>([
    ['a target of ours', {}, undefined, false],
    ['a miss that passes', { program: { ...own, onMiss: 'pass' }, map: { ...hash, entries: [] } }, undefined, true],
    ['an entry, and a miss that would pass', { program: { ...own, onMiss: 'pass' } }, undefined, false],
    ['a program of others that passes', { program: theirs }, 2, true],
    ['a program of others that redirects', { program: theirs }, 4, false],
    ['a cpumap', { program: theirs, map: { ...hash, type: 'cpumap', entries: [{ key: 0, qsize: 1 }] } }, 4, true],
    [
      'a queue without a socket that passes',
      { program: { ...own, keySource: 'queue', onMiss: 'pass' }, map: { ...hash, type: 'xskmap', entries: [] } },
      undefined,
      true,
    ],
    [
      'a CPU of ours without an entry that passes',
      {
        program: { id: 116, name: 'redirect', mapIds: [33], cpus: [0, 1], onMiss: 'pass' },
        map: { ...hash, type: 'cpumap', entries: [] },
      },
      undefined,
      true,
    ],
  ])('pass: %s', (_, setting, action, asks) => {
    expect(whyPass(settle(setting).path, 0, action) !== undefined).toBe(asks);
  });

  it('runs only programs of others to find out', () => {
    expect(isPredictable(settle({}).path)).toBe(true);
    expect(isPredictable(settle({ program: theirs }).path)).toBe(false);
    const dispatcher = { ...own, components: [117] };
    expect(isPredictable(settle({ program: dispatcher, others: [{ ...theirs, id: 117 }] }).path)).toBe(false);
  });
});
