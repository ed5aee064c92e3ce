import { describe, expect, it } from 'vitest';

import { type LivePath, type Occupant, planPath, type Step, stepTexts } from '../../src/domain/path-plan.ts';
import type { DeviceEntry, RedirectPath } from '../../src/domain/redirect-path.ts';

const device = { ifindex: 2, ifname: 'eth0' };
const eth1: DeviceEntry = { key: 2, ifindex: 3, ifname: 'eth1' };
const eth2: DeviceEntry = { key: 2, ifindex: 4, ifname: 'eth2' };

function pathTo(entries: readonly DeviceEntry[], more: Partial<RedirectPath> = {}): RedirectPath {
  return {
    device,
    mode: 'native',
    link: false,
    program: { kind: 'builtin', key: 'ingress', onMiss: 'aborted' },
    targets: { kind: 'devices', broadcast: false, excludeIngress: false, entries },
    ...more,
  };
}

function cpus(spread: readonly number[], qsize = 2048): RedirectPath {
  const entries = spread.map((key) => ({ key, qsize }));
  return pathTo([], { targets: { kind: 'cpus', spread, entries } });
}

function occupant(own: RedirectPath | undefined, more: Partial<Occupant & LivePath> = {}): Occupant {
  const { capacity, ...rest } = more;
  return {
    mode: own?.mode ?? 'native',
    programId: 12,
    programName: 'redirect',
    ...(own !== undefined && { own: { path: own, ...(capacity !== undefined && { capacity }) } }),
    ...rest,
  };
}

function kindOf(step: Step | undefined): string | undefined {
  return step?.kind;
}

function declared(wanted: RedirectPath, there: RedirectPath, capacity?: number): Step | undefined {
  return planPath(wanted, occupant(there, capacity === undefined ? {} : { capacity }), 'own');
}

describe('a free device', () => {
  it.each(['nothing', 'own', 'any'] as const)('is attached to, whatever may give way: %s', (policy) => {
    expect(planPath(pathTo([eth1]), undefined, policy)).toEqual({ kind: 'attach', path: pathTo([eth1]) });
  });
});

describe('what is attached already', () => {
  it('gives way only when it may', () => {
    const [foreign, own] = [occupant(undefined), occupant(pathTo([eth2]))];
    expect(() => planPath(pathTo([eth1]), foreign, 'nothing')).toThrow(
      /eth0 has program 12 \(redirect\) in native mode/,
    );
    expect(() => planPath(pathTo([eth1]), own, 'nothing')).toThrow(/eth0 redirects already.*eth0 -> eth2/);
    expect(() => planPath(pathTo([eth1]), foreign, 'own')).toThrow(
      expect.objectContaining({
        message: expect.stringContaining('did not attach'),
        hint: 'take it off first: xdpctl redirect detach eth0 --force 12',
      }),
    );
    expect(kindOf(planPath(pathTo([eth1]), own, 'own'))).toBe('update');
    expect(kindOf(planPath(pathTo([eth1]), own, 'any'))).toBe('replace');
    expect(kindOf(planPath(pathTo([eth1]), foreign, 'any'))).toBe('replace');
  });

  it("never gives way when it is libxdp's dispatcher, and its components are named", () => {
    const dispatcher = occupant(undefined, {
      programName: 'xdp_dispatcher',
      components: [{ id: 20, name: 'firewall' }, { id: 21 }],
    });
    for (const policy of ['nothing', 'own', 'any'] as const) {
      expect(() => planPath(pathTo([eth1]), dispatcher, policy)).toThrow(
        "eth0 has libxdp's dispatcher attached (program 12), which runs firewall (20), 21; it is never replaced",
      );
    }
  });

  it.each<[string, Partial<RedirectPath>, Occupant, boolean]>([
    ['same mode, both by netlink', {}, occupant(undefined), false],
    ['another mode', { mode: 'generic' }, occupant(undefined), true],
    ['a link of others for netlink', {}, occupant(undefined, { linkId: 5 }), true],
    ['a link of others for a link of ours', { link: true }, occupant(undefined, { linkId: 5 }), true],
    ['netlink for a link of ours', { link: true }, occupant(undefined), true],
    ['our link for netlink', {}, occupant(pathTo([eth1], { link: true }), { linkId: 5 }), true],
    ['our link for a link', { link: true }, occupant(pathTo([eth1], { link: true }), { linkId: 5 }), false],
    [
      'our link in another mode',
      { link: true, mode: 'generic' },
      occupant(pathTo([eth1], { link: true }), { linkId: 5 }),
      true,
    ],
  ])('is replaced with or without a gap: %s', (_, more, there, gap) => {
    expect(planPath(pathTo([eth1], more), there, 'any')).toMatchObject({ kind: 'replace', gap });
  });
});

describe('a path of ours that is declared', () => {
  it.each<[string, RedirectPath]>([
    ['devices', pathTo([eth1])],
    ['CPUs', cpus([0, 1])],
    ['sockets', pathTo([], { targets: { kind: 'sockets', queues: 4 } })],
    ['a map', pathTo([], { targets: { kind: 'map', id: 7, type: 'devmap', handle: '/m', cpus: [] } })],
    ['a program of the user', pathTo([eth1], { program: { kind: 'object', file: '/p.o', name: 'p' } })],
  ])('is left alone when it is so already: %s', (_, path) => {
    expect(declared(path, path)).toBeUndefined();
  });

  it('is not compared by what else a map of others is called', () => {
    const map = { kind: 'map', id: 7, type: 'devmap', cpus: [] } as const;
    const [one, other] = ['/m', 'id:7'].map((handle) => pathTo([], { targets: { ...map, handle } }));
    expect(declared(one!, other!)).toBeUndefined();
  });

  it('changes entries in place', () => {
    expect(declared(pathTo([eth1]), pathTo([eth2]))).toMatchObject({
      kind: 'update',
      changes: [{ key: 2, from: eth2, to: eth1 }],
    });
    const [more, fewer] = [pathTo([eth1, { ...eth2, key: 9 }]), pathTo([eth1])];
    expect(declared(more, fewer)).toMatchObject({ kind: 'update', changes: [{ key: 9, to: { ifindex: 4 } }] });
    expect(declared(fewer, more)).toMatchObject({ kind: 'update', changes: [{ key: 9, from: { ifindex: 4 } }] });
    expect(declared(cpus([0, 1], 64), cpus([0, 1], 128))).toMatchObject({
      kind: 'update',
      changes: [{ key: 0 }, { key: 1 }],
    });
  });

  it('takes a program of others into an entry in place, one of ours with a new path', () => {
    const existing = { kind: 'existing', id: 30, handle: '/e' } as const;
    expect(kindOf(declared(pathTo([{ ...eth1, program: existing }]), pathTo([eth1])))).toBe('update');
    expect(
      declared(
        pathTo([{ ...eth1, program: existing }]),
        pathTo([{ ...eth1, program: { ...existing, handle: 'id:30' } }]),
      ),
    ).toBeUndefined();
    const own = { kind: 'own', action: 'pass', dstMac: '02:00:00:00:00:01' } as const;
    expect(kindOf(declared(pathTo([{ ...eth1, program: own }]), pathTo([eth1])))).toBe('replace');
    expect(kindOf(declared(pathTo([{ ...eth1, program: own }]), pathTo([{ ...eth2, program: own }])))).toBe('update');
    expect(
      kindOf(
        declared(
          pathTo([{ ...eth1, program: own }]),
          pathTo([{ ...eth1, program: { ...own, dstMac: '02:00:00:00:00:02' } }]),
        ),
      ),
    ).toBe('replace');
    expect(kindOf(declared(pathTo([eth1]), pathTo([{ ...eth1, program: own }])))).toBe('update');
  });

  it.each<[string, Partial<RedirectPath>, string]>([
    ['mode', { mode: 'generic' }, 'mode: native -> generic'],
    ['link', { link: true }, 'attached by: netlink -> link'],
    ['key', { program: { kind: 'builtin', key: { fixed: 7 }, onMiss: 'aborted' } }, 'targets: devmap_hash -> devmap'],
    [
      'action on a miss',
      { program: { kind: 'builtin', key: 'ingress', onMiss: 'pass' } },
      'on a miss: aborted -> pass',
    ],
    ['program', { program: { kind: 'object', file: '/p.o', name: 'p' } }, 'program: redirect_devmap_hash -> p of /p.o'],
    ['kind of targets', { targets: { kind: 'sockets', queues: 1 } }, 'targets: devmap_hash -> AF_XDP sockets'],
  ])('takes a new program when its %s differs, and says why', (_, more, why) => {
    expect(declared(pathTo([eth1], more), pathTo([eth1]))).toMatchObject({
      kind: 'replace',
      why: expect.arrayContaining([why]),
    });
  });

  it('takes a new program for other CPUs, and for more targets than there is room for', () => {
    expect(kindOf(declared(cpus([0, 1]), cpus([0])))).toBe('replace');
    expect(kindOf(declared(cpus([1, 0]), cpus([0, 1])))).toBe('replace');
    const many = Array.from({ length: 40 }, (_, index) => ({ ...eth1, key: index }));
    expect(kindOf(declared(pathTo(many), pathTo([]), 40))).toBe('update');
    expect(declared(pathTo(many), pathTo([]), 32)).toMatchObject({
      kind: 'replace',
      why: ['room for 40 targets: 32 -> 40'],
    });
  });

  it('leaves the maps of a program of the user alone when nothing is said of them', () => {
    const program = { kind: 'object', file: '/p.o', name: 'p' } as const;
    const there = pathTo([eth1], { program });
    expect(declared(pathTo([], { program, targets: { kind: 'own-maps' } }), there)).toBeUndefined();
    expect(
      kindOf(declared(pathTo([], { program: { ...program, name: 'q' }, targets: { kind: 'own-maps' } }), there)),
    ).toBe('replace');
  });
});

describe('steps in words', () => {
  it.each<[Step, string[]]>([
    [{ kind: 'attach', path: pathTo([eth1]) }, ['attach eth0 -> eth1 in native mode', 'point key 2 at eth1']],
    [
      {
        kind: 'replace',
        path: pathTo([eth1], { link: true }),
        old: occupant(undefined, { linkId: 5 }),
        gap: true,
        why: [],
      },
      [
        'detach program 12 (redirect) in native mode by link 5 from eth0',
        'attach eth0 -> eth1 in native mode by a link, after a gap in which frames go to the stack',
        'point key 2 at eth1',
      ],
    ],
    [
      { kind: 'replace', path: cpus([0]), old: occupant(cpus([1])), gap: false, why: ['targets: CPU 1 -> CPU 0'] },
      [
        'replace program 12 (redirect) in native mode by eth0 -> CPU 0, without a gap (targets: CPU 1 -> CPU 0)',
        'point key 0 at CPU 0 with a queue of 2048',
      ],
    ],
    [
      {
        kind: 'update',
        path: pathTo([eth1]),
        changes: [
          { key: 2, from: eth2, to: eth1 },
          { key: 3, from: eth2 },
          { key: 4, to: { ...eth1, program: { kind: 'own', action: 'drop' } } },
        ],
      },
      [
        'change eth0 in place: point key 2 at eth1 instead of eth2',
        'change eth0 in place: remove key 3 (eth2)',
        'change eth0 in place: point key 4 at eth1 (drop and count)',
      ],
    ],
    [{ kind: 'detach', device, old: occupant(undefined) }, ['detach program 12 (redirect) in native mode from eth0']],
  ])('%#', (step, texts) => {
    expect(stepTexts(step)).toEqual(texts);
  });
});
