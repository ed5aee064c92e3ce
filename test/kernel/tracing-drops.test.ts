import { execFileSync } from 'node:child_process';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { DropCode } from '../../src/domain/drop-catalogue.ts';
import type { Finding } from '../../src/domain/finding.ts';
import { findingsOf } from '../../src/domain/ledger.ts';
import type { LiveSystem } from '../../src/domain/live-system.ts';
import { XskSocket } from '../../src/kernel/af-xdp/socket.ts';
import { readLiveSystem } from '../../src/kernel/inventory.ts';
import { inNetns } from '../../src/kernel/netns.ts';
import { mountKernelFilesystem } from '../../src/kernel/tracefs-mount.ts';
import type { TraceResult, TraceSession } from '../../src/tracing/backend.ts';
import { bpftraceBackend } from '../../src/tracing/bpftrace.ts';
import { builtinBackend, classicBackend } from '../../src/tracing/builtin.ts';
import { perfBackend } from '../../src/tracing/perf.ts';
import { ensureTracefs, type Events, readEvents } from '../../src/tracing/tracefs.ts';
import { framesThrough, sendFrames } from '../support/frames.ts';
import { setGro, setLink } from '../support/world.ts';
import { createLossyPath, faultyObject, type LossyPath, missingObject } from './support/lossy-path.ts';

/** One way to lose frames: how the path is made and broken, and what must be said about it. */
interface Case {
  readonly code: DropCode;
  readonly name?: string;
  /** Frames sent, a different number for each case. */
  readonly count: number;
  readonly object?: string;
  readonly program: string;
  readonly size?: number;
  readonly mode?: 'xdpgeneric';
  /** Breaks the path; what it returns is disposed of at the end. */
  readonly breakIt?: (path: LossyPath) => Disposable | void;
  /** What the finding says besides code, count and origin. */
  readonly finding?: (path: LossyPath) => Partial<Finding>;
  /** Whether the command of the finding makes the frames arrive. */
  readonly mends?: true;
}

const forward = (path: LossyPath): void => path.setEntry('targets', 0, path.egress.ifindex);

const cases: readonly Case[] = [
  {
    code: 'map-miss',
    count: 3,
    object: missingObject,
    program: 'redirect',
    finding: (path) => ({
      certainty: 'certain',
      key: path.ingress.ifindex,
      fix: `xdpctl --netns ${path.router} map update pinned ${path.pin('maps/targets')} key ${path.ingress.ifindex} value dev DEV`,
    }),
  },
  { code: 'program-aborted', count: 4, program: 'gives_up' },
  { code: 'unknown-action', count: 5, program: 'returns_42' },
  { code: 'no-redirect-call', count: 6, program: 'without_call', finding: () => ({ errnoName: 'EBADRQC' }) },
  { code: 'stale-target', count: 7, program: 'ignores_miss', finding: () => ({ errnoName: 'EINVAL' }) },
  { code: 'no-such-interface', count: 8, program: 'nowhere', finding: () => ({ to: { ifindex: 999_999 } }) },
  {
    code: 'target-no-xmit',
    count: 9,
    program: 'forward',
    breakIt: (path) => {
      forward(path);
      setGro(path.sink, false);
    },
    finding: (path) => ({
      certainty: 'certain',
      errno: 95,
      key: 0,
      fix: `ip netns exec ${path.sink.namespace} ethtool -K ${path.sink.name} gro on`,
    }),
    mends: true,
  },
  {
    code: 'target-down',
    count: 10,
    program: 'forward',
    breakIt: (path) => {
      forward(path);
      setLink(path.router, 'set', path.egress.name, 'down');
    },
    finding: (path) => ({
      certainty: 'certain',
      errno: 100,
      fix: `ip netns exec ${path.router} ip link set dev ${path.egress.name} up`,
    }),
    mends: true,
  },
  {
    code: 'target-down',
    name: 'target-down in generic mode',
    count: 11,
    program: 'forward',
    mode: 'xdpgeneric',
    breakIt: (path) => {
      forward(path);
      setLink(path.router, 'set', path.egress.name, 'down');
    },
    mends: true,
  },
  {
    code: 'frame-exceeds-mtu',
    count: 12,
    size: 1400,
    program: 'forward',
    breakIt: (path) => {
      forward(path);
      setLink(path.router, 'set', path.egress.name, 'mtu', '1000');
      setLink(path.sink.namespace, 'set', path.sink.name, 'mtu', '1000');
    },
    finding: () => ({ certainty: 'certain', errno: 90 }),
    mends: true,
  },
  {
    code: 'target-no-carrier',
    count: 13,
    program: 'forward',
    breakIt: (path) => {
      forward(path);
      setLink(path.sink.namespace, 'set', path.sink.name, 'down');
    },
    finding: (path) => ({
      certainty: 'certain',
      errno: 6,
      fix: `ip netns exec ${path.sink.namespace} ip link set dev ${path.sink.name} up`,
    }),
    mends: true,
  },
  {
    code: 'peer-mtu',
    count: 14,
    size: 1400,
    program: 'forward',
    breakIt: (path) => {
      forward(path);
      setLink(path.sink.namespace, 'set', path.sink.name, 'mtu', '1000');
    },
    finding: () => ({ certainty: 'likely' }),
    mends: true,
  },
  {
    code: 'egress-program-drop',
    count: 15,
    program: 'forward',
    breakIt: (path) => path.setEntry('targets', 0, path.egress.ifindex, 'egress_drop'),
    finding: () => ({ key: 0 }),
  },
  {
    code: 'egress-program-bad-action',
    count: 16,
    program: 'forward',
    breakIt: (path) => path.setEntry('targets', 0, path.egress.ifindex, 'egress_back'),
    finding: () => ({ certainty: 'certain', key: 0 }),
  },
  {
    code: 'cpumap-program-drop',
    count: 17,
    program: 'to_cpu',
    breakIt: (path) => path.setEntry('cpus', 0, 192, 'cpu_drop'),
    finding: () => ({ certainty: 'certain', key: 0, cpu: 0 }),
  },
  {
    code: 'xsk-unbound',
    count: 18,
    program: 'to_socket',
    breakIt(path) {
      const socket = inNetns(path.router, () =>
        XskSocket.open({ frames: 64, frameSize: 2048, rxSize: 64, fillSize: 64, completionSize: 64 }),
      );
      using map = path.openMap('sockets');
      map.update(new Uint8Array(4), new Uint8Array(Uint32Array.of(socket.fd).buffer), 0);
      return socket;
    },
    finding: () => ({ certainty: 'certain', errno: 6, key: 0 }),
  },
  {
    code: 'tx-hairpin-failed',
    count: 19,
    program: 'back',
    finding: (path) => ({ fix: `ip netns exec ${path.source.namespace} ethtool -K ${path.source.name} gro on` }),
  },
];

/** All that count; `classic` is what builtin does on a kernel without BTF. */
const backends = {
  builtin: builtinBackend,
  classic: classicBackend,
  bpftrace: bpftraceBackend,
  perf: perfBackend,
} as const;
type Counting = keyof typeof backends;
const names = Object.keys(backends) as Counting[];

const events = (): Events => readEvents(ensureTracefs(mountKernelFilesystem), 'xdp');

/** Runs all backends at once and returns what each counted. */
async function traceAll(ifindexes: readonly number[], act: () => void): Promise<Map<Counting, TraceResult>> {
  const sessions = new Map<Counting, TraceSession>();
  const results = new Map<Counting, TraceResult>();
  try {
    for (const name of names) sessions.set(name, await backends[name].start({ filter: { ifindexes }, events }));
    act();
    for (const [name, session] of sessions) results.set(name, await session.stop());
    return results;
  } finally {
    for (const session of sessions.values()) await session[Symbol.asyncDispose]();
  }
}

describe('frames that are lost', () => {
  const paths = new Map<Case, LossyPath>();
  const held: Disposable[] = [];
  let results: Map<Counting, TraceResult>;
  let system: LiveSystem;

  beforeAll(async () => {
    for (const each of cases) {
      const path = createLossyPath(each.object ?? faultyObject, each.program, each.mode);
      held.push(path);
      paths.set(each, path);
      const more = each.breakIt?.(path);
      if (more !== undefined) held.push(more);
    }
    const ifindexes = [...paths.values()].flatMap(({ ingress, egress }) => [ingress.ifindex, egress.ifindex]);
    results = await traceAll(ifindexes, () => {
      for (const [{ count, size = 60 }, { source }] of paths) sendFrames(source, { count, size });
    });
    system = readLiveSystem();
  }, 120_000);

  afterAll(() => {
    for (const thing of held.toReversed()) thing[Symbol.dispose]();
  });

  /** What is said about one path: the event may name the ingress, only the target, or only the map. */
  function findingsAbout(path: LossyPath, backend: Counting): Finding[] {
    const own = new Set([path.ingress.ifindex, path.egress.ifindex]);
    return findingsOf(results.get(backend)?.counters ?? [], system, { ifindexes: [...own] }).filter(
      ({ from, to, map }) => own.has(from?.ifindex ?? 0) || own.has(to?.ifindex ?? 0) || path.hasMap(map?.id),
    );
  }

  describe.each(names)('%s', (backend) => {
    it.each(cases.map((each) => [each.name ?? each.code, each] as const))('%s', (_name, each) => {
      const path = paths.get(each)!;
      const findings = findingsAbout(path, backend);
      expect(findings).toHaveLength(1);
      expect(findings[0]).toMatchObject({ code: each.code, count: each.count, ...each.finding?.(path) });
    });

    it('misses none and knows it', () => {
      expect(results.get(backend)).toMatchObject({ undercount: [], end: { why: 'asked' } });
    });
  });

  it.each(names.filter((name) => name !== 'builtin'))('give the same findings through builtin and %s', (name) => {
    const [builtin, other] = (['builtin', name] as const).map((backend) =>
      findingsOf(results.get(backend)!.counters, system).toSorted((a, b) => a.count - b.count),
    );
    expect(other).toEqual(builtin);
  });

  it.each(cases.filter(({ mends }) => mends).map((each) => [each.name ?? each.code, each] as const))(
    'arrive once the command for %s is typed',
    async (_name, each) => {
      const path = paths.get(each)!;
      const [finding] = findingsAbout(path, 'perf');
      execFileSync('sh', ['-c', finding!.fix!]);
      const { count, size = 60 } = each;
      expect(await framesThrough(path.source, path.sink, { count, size, seconds: 10 })).toBe(count);
    },
  );
});
