import { describe, expect, it } from 'vitest';

import type { Examination } from '../../../src/cli/redirect/examine.ts';
import { observedSchemas } from '../../../src/cli/redirect/observed-schemas.ts';
import { pathGraph } from '../../../src/cli/redirect/path-graph.ts';
import { problemData } from '../../../src/cli/redirect/problem-data.ts';
import { problemsText } from '../../../src/cli/redirect/problem-text.ts';
import { showData } from '../../../src/cli/redirect/show-data.ts';
import { showTable } from '../../../src/cli/redirect/show-table.ts';
import { showTree } from '../../../src/cli/redirect/show-tree.ts';
import { pathProblems } from '../../../src/domain/health.ts';
import type { LiveSystem } from '../../../src/domain/live-system.ts';
import { observedPaths } from '../../../src/domain/observed-path.ts';
import { typedHere } from '../../../src/domain/typed-command.ts';
import { plain } from '../../../src/output/color.ts';
import { netns, r0 as plainR0, r1 as plainR1, router } from '../../domain/support/router.ts';
import { schemaProblems } from '../../support/schema.ts';

const works = { ndoXmit: 'yes', ndoXmitSg: 'yes', nativeXdp: true } as const;
const r0 = { ...plainR0, ...works, peer: { ...plainR0.peer!, txChecksum: false }, progIds: [60] };
const r1 = { ...plainR1, ...works, up: false, progIds: [70], xdpMode: 'native' } as const;
const r2 = {
  ...plainR1,
  ...works,
  ifindex: 7,
  ifname: 'a"b',
  progIds: [80],
  xdpMode: 'native',
  peer: r0.peer,
} as const;
const d9 = { ...plainR1, ...works, ifindex: 9, ifname: 'd9', netns: netns.d, progIds: [] };

/** Ours by a link; a dispatcher with a component of others; sockets and CPUs. */
const system: LiveSystem = router({
  devices: [r0, r1, r2, d9],
  programs: [
    { id: 60, name: 'redirect', tag: 'aa', mapIds: [1], keySource: 'ingress', onMiss: 'aborted' },
    { id: 61, name: 'egress', tag: 'bb', mapIds: [] },
    { id: 70, name: 'xdp_dispatcher', tag: 'cc', mapIds: [9], components: [71] },
    { id: 71, name: 'filter', tag: 'dd', mapIds: [2, 3] },
    { id: 80, name: 'redirect', tag: 'ee', mapIds: [4], keySource: 'ingress', onMiss: 'pass' },
  ],
  maps: [
    {
      id: 1,
      name: 'targets',
      type: 'devmap_hash',
      maxEntries: 32,
      pinned: ['/p/t'],
      entries: [{ key: r0.ifindex, ifindex: r1.ifindex, progId: 61 }],
    },
    {
      id: 2,
      name: 'socks',
      type: 'xskmap',
      maxEntries: 4,
      pinned: [],
      entries: [
        {
          key: 0,
          socket: {
            queue: 0,
            state: 'bound',
            ifindex: r1.ifindex,
            netns: 1,
            zeroCopy: false,
            inode: 5,
            pid: 12,
            comm: 'app',
          },
        },
      ],
    },
    { id: 3, type: 'cpumap', maxEntries: 2, pinned: [], entries: [{ key: 1, qsize: 192 }] },
    { id: 4, name: 'targets', type: 'devmap', maxEntries: 16, pinned: [], entries: [{ key: 3, ifindex: 9 }] },
  ],
  links: [{ id: 5, progId: 60, ifindex: r0.ifindex, pinned: [] }],
});

function examine(of: LiveSystem): Examination {
  const paths = observedPaths(of);
  return { system: of, examined: paths.map((path) => ({ path, problems: pathProblems(path, of, paths) })) };
}

const examination = examine(system);
const nothing = examine(router({ devices: [] }));

describe('redirect show', () => {
  it('is a table with a line for each entry', () => {
    expect(showTable(examination, plain, typedHere)).toBe(`\
INTERFACE  MODE    PROGRAM                            LINK  MAP            KEY  TARGET                            HEALTH
a"b        native  redirect (80)                         -  targets (4)      3  d9 (netns D)                      ok
                                                                             7  -                                 map-miss
r0         native  redirect (60)                         5  targets (1)  20101  r1 [egress (61)]                  target-down
r1         native  xdp_dispatcher (70) > filter (71)     -  -                -  -                                 ingress-down
                                                            socks (2)        0  socket of app (12) at r1 queue 0  ok
                                                            cpumap (3)       1  CPU 1, queue of 192               ok
3 paths, 3 problems: xdpctl redirect check says what to do
`);
    expect(showTable(nothing, plain, typedHere)).toBe('nothing is redirected\n');
  });

  it('is a tree', () => {
    expect(showTree(examination, plain, typedHere)).toBe(`\
a"b (native)
\`-- redirect (80)
    \`-- targets (4), devmap, 1 of 16 used
        |-- key 3 -> d9 (netns D)
        \`-- key 7, no entry  map-miss
r0 (native)
\`-- redirect (60), link 5
    \`-- targets (1), devmap_hash, 1 of 32 used, /p/t
        \`-- key 20101 -> r1 [egress (61)]  target-down
r1 (native)  ingress-down
\`-- xdp_dispatcher (70)
    |-- component filter (71)
    |-- socks (2), xskmap, 1 of 4 used
    |   \`-- key 0 -> socket of app (12) at r1 queue 0
    \`-- map (3), cpumap, 1 of 2 used
        \`-- key 1 -> CPU 1, queue of 192
3 paths, 3 problems: xdpctl redirect check says what to do
`);
    expect(showTree(nothing, plain, typedHere)).toBe('nothing is redirected\n');
  });

  it('is a drawing in which a device is one box, wherever frames come from', () => {
    const { nodes, edges } = pathGraph(examination);
    expect(nodes.map(({ lines }) => lines[0])).toEqual([
      'a"b',
      'redirect (80)',
      'targets (4)',
      'd9 (netns D)',
      'no entry',
      'r0',
      'redirect (60)',
      'targets (1)',
      'r1',
      'xdp_dispatcher (70)',
      'filter (71)',
      'socks (2)',
      'socket of app (12) at r1 queue 0',
      'map (3)',
      'CPU 1, queue of 192',
    ]);
    const ids = new Set(nodes.map(({ id }) => id));
    for (const { from, to } of edges) expect(ids.has(from) && ids.has(to)).toBe(true);
    const toR1 = edges.find(({ lines }) => lines.includes('[egress (61)]'));
    expect(toR1).toEqual({
      from: 'map_1',
      to: `dev_1_${r1.ifindex}`,
      lines: ['key 20101', '[egress (61)]', 'target-down'],
      bad: true,
    });
  });

  it('is JSON as the schema says', () => {
    const data = showData(examination);
    expect(schemaProblems(observedSchemas['show']!, data)).toEqual([]);
    expect(data[1]).toEqual({
      ifname: 'r0',
      ifindex: r0.ifindex,
      mode: 'native',
      prog: { id: 60, name: 'redirect', tag: 'aa' },
      link_id: 5,
      health: { ok: false, problems: ['target-down'] },
      maps: [
        {
          id: 1,
          name: 'targets',
          type: 'devmap_hash',
          max_entries: 32,
          used: 1,
          pinned: ['/p/t'],
          entries: [
            {
              key: ['0x85', '0x4e', '0x00', '0x00'],
              formatted: {
                key: r0.ifindex,
                value: { ifindex: r1.ifindex, ifname: 'r1', prog: { id: 61, name: 'egress' } },
              },
              health: { ok: false, problems: ['target-down'] },
            },
          ],
        },
      ],
    });
    expect(data[2]).toMatchObject({
      prog: { name: 'xdp_dispatcher' },
      components: [{ id: 71, name: 'filter', tag: 'dd' }],
      health: { ok: false, problems: ['ingress-down'] },
      maps: [
        {
          entries: [
            {
              formatted: {
                key: 0,
                value: {
                  queue: 0,
                  state: 'bound',
                  mode: 'copy',
                  ifindex: r1.ifindex,
                  ifname: 'r1',
                  netns: 1,
                  inode: 5,
                  pid: 12,
                  comm: 'app',
                },
              },
            },
          ],
        },
        { entries: [{ formatted: { key: 1, value: { qsize: 192 } } }] },
      ],
    });
    expect(showData(nothing)).toEqual([]);
  });
});

describe('redirect check', () => {
  it('is JSON as the schema says', () => {
    const problems = examination.examined.flatMap((each) => problemData(each, system));
    expect(schemaProblems(observedSchemas['check']!, problems)).toEqual([]);
    expect(problems).toMatchObject([
      { code: 'map-miss', certainty: 'certain', from: { ifname: 'a"b' }, map: { id: 4 }, key: 7 },
      {
        code: 'target-down',
        certainty: 'certain',
        from: { ifindex: r0.ifindex, ifname: 'r0' },
        to: { ifindex: r1.ifindex, ifname: 'r1' },
        prog: { id: 60, name: 'redirect' },
        map: { id: 1, name: 'targets', pinned: ['/p/t'] },
        key: r0.ifindex,
        fix: 'ip link set dev r1 up',
      },
      {
        code: 'ingress-down',
        certainty: 'certain',
        from: { ifindex: r1.ifindex, ifname: 'r1' },
        fix: 'ip link set dev r1 up',
      },
    ]);
  });

  it('tells people once what is wrong with many keys', () => {
    const entries = Array.from({ length: 12 }, (_, key) => ({ key, ifindex: r1.ifindex }));
    const many = examine(
      router({
        devices: [r0, r1],
        programs: [{ id: 60, name: 'theirs', mapIds: [1] }],
        maps: [{ id: 1, name: 'targets', type: 'devmap', maxEntries: 16, pinned: [], entries }],
      }),
    );
    const problems = many.examined.flatMap((each) => problemData(each, many.system));
    expect(problems).toHaveLength(12);
    expect(problemsText(problems, plain)).toBe(`\
target-down (certain)  r0 -> r1
    r1 is administratively down
    map targets (1), keys 0, 1, 2, 3, 4, 5, 6, 7 and 4 more, program theirs (60)
    fix: ip link set dev r1 up
`);
  });
});
