import { release } from 'node:os';

import { errnoName } from '../../domain/errno.ts';
import { KernelRefusal, ToolError } from '../../domain/errors.ts';
import { xskLost } from '../../domain/xsk-statistics.ts';
import { queuesWithSockets } from '../../kernel/af-xdp/queue-sockets.ts';
import { surveySockets } from '../../kernel/af-xdp/socket-survey.ts';
import { readDevices } from '../../kernel/devices.ts';
import { interfaceIndex } from '../../kernel/interface-names.ts';
import { BpfMap } from '../../kernel/map.ts';
import { type Column, type Outcome, rows } from '../../output/outcome.ts';
import { counted } from '../../output/reporter.ts';
import type { Context } from '../context.ts';
import { mapText } from '../map/map-text.ts';
import type { OpenMaps } from '../open-maps.ts';
import type { Verb } from '../verb.ts';
import { type Handle, takeHandle } from '../words/handle.ts';
import { takeInterface } from '../words/key.ts';
import { WordList } from '../words/word-list.ts';
import { looksUpByQueue, mapsOfAttached } from './program-maps.ts';
import { type XskFilter, type XskRow, xskRows, type XskSystem } from './show-rows.ts';

export const verb: Verb = {
  object: 'xsk',
  name: 'show',
  aliases: ['list'],
  summary: 'show the AF_XDP sockets: queue, owner, map, rings and what they have lost',
  synopsis: ['[DEV|MAP]'],
  description: [
    'Shows every AF_XDP socket of the host that can be found, in XSKMAPs and in the mappings of processes, with the queue it is bound to and the process that holds it; the receive queues without a socket, of devices that have sockets or whose program redirects to some; and entries of maps whose socket is not bound, or is bound to another queue or device than the entry is for.',
    "The statistics are read through a duplicate of the owner's descriptor, which is closed at once. What this kernel or the rights of this process do not show is named on stderr.",
    'DEV shows all receive queues of one interface, MAP the sockets in one XSKMAP and the queues that want one. A bare name is an interface where there is one of that name.',
  ],
  arguments: [
    { name: 'DEV', description: 'an interface; dev NAME forces it' },
    { name: 'MAP', description: 'id N, name NAME, pinned PATH, a bare NAME or a /PATH' },
  ],
  capabilities:
    'CAP_SYS_ADMIN to list maps, CAP_BPF and CAP_PERFMON to read sockets, CAP_SYS_PTRACE for what others hold',
  json: 'an array of sockets and of queues that have none',
  examples: [
    {
      command: 'xdpctl xsk show eth0',
      description: 'all receive queues of one interface',
      given: 'bound',
      output: `
INTERFACE  QUEUE  STATE  MODE  OWNER         MAP       RX/TX/FILL/COMPLETION  LOST  PROBLEM
eth0           0  bound  copy  xdpctl(1234)  45 key 0  2048/-/4096/<=256         0
1 socket`,
    },
    {
      command: 'xdpctl -j xsk show pinned sockets',
      description: 'the sockets of one map as JSON',
      given: 'bound',
      output: `
[{"ifname":"eth0","ifindex":2,"queue":0,"state":"bound","mode":"copy",
  "pid":1234,"comm":"xdpctl","inode":54321,
  "maps":[{"id":45,"name":"sockets","key":0}],
  "rings":{"rx":2048,"fill":4096},"rings_at_most":{"completion":256},
  "statistics":{"rx_dropped":0,"rx_invalid_descs":0,"tx_invalid_descs":0,
    "rx_ring_full":0,"rx_fill_ring_empty_descs":0,"tx_ring_empty_descs":0},
  "losses":[],"problems":[]}]`,
    },
  ],
  async run({ words: list }, context): Promise<Outcome> {
    const filter = parseFilter(new WordList(list), context);
    const system = readSystem();
    const found = xskRows(system, filter);
    for (const message of unknowns(system, found)) await context.warn({ message });
    return rows(found, columns, () => footer(found));
  },
};

function parseFilter(words: WordList, { maps }: Context): XskFilter {
  const word = words.peek();
  if (word === undefined) return {};
  if (word === 'dev') return only(words, { ifindex: takeInterface(words, 'the interface') });
  const ifindex = /^(?:id|name|pinned)$|^\//.test(word) ? undefined : interfaceIndex(word);
  if (ifindex !== undefined) {
    words.take('the interface');
    return only(words, { ifindex });
  }
  const { info } = openMap(takeHandle(words, 'map'), maps);
  if (info.typeName !== 'xskmap') {
    throw new ToolError('usage', `${mapText(info)} is no xskmap`, {
      hint: 'AF_XDP sockets are in maps of type xskmap only',
    });
  }
  return only(words, { mapId: info.id });
}

/** @throws ToolError not-found saying that it may have been meant as an interface */
function openMap(handle: Handle, maps: OpenMaps): BpfMap {
  try {
    return maps.open(handle);
  } catch (error) {
    if (handle.by !== 'name' || !(error instanceof ToolError) || error.kind !== 'not-found') throw error;
    throw new ToolError('not-found', `there is no interface and no map named '${handle.name}'`, {
      hint: ({ own, other }) =>
        `see: ${other(['ip', 'link'])}, ${own(['map', 'show'])}; --netns NAME looks for interfaces in another namespace`,
    });
  }
}

function only(words: WordList, filter: XskFilter): XskFilter {
  words.end();
  return filter;
}

function readSystem(): XskSystem {
  const devices = readDevices();
  const survey = surveySockets();
  const mapNames = new Map((survey.mapIds ?? []).flatMap((id) => nameOf(id)));
  const uses = devices.flatMap(({ progIds, ifindex, netns }) =>
    progIds.flatMap((id) =>
      (mapsOfAttached(id) ?? [])
        .filter((mapId) => mapNames.has(mapId))
        .map((mapId) => ({ mapId, ifindex, netns: netns.inode, byQueue: looksUpByQueue(id) })),
    ),
  );
  return { survey, devices, queues: queuesWithSockets(), mapNames, uses };
}

/** None for a map that has gone meanwhile, or may not be looked at. */
function nameOf(mapId: number): [number, string][] {
  try {
    using map = BpfMap.byId(mapId);
    return [[mapId, map.info.name]];
  } catch (error) {
    if (error instanceof KernelRefusal) return [];
    throw error;
  }
}

function footer(list: readonly XskRow[]): string {
  const free = list.filter(({ state }) => state === 'free').length;
  const sockets = counted(list.length - free, 'socket', 'sockets');
  const codes = new Set(list.flatMap(({ problems, losses = [] }) => [...problems, ...losses.map(({ code }) => code)]));
  return [
    free === 0 ? sockets : `${sockets}, ${counted(free, 'queue', 'queues')} without one`,
    ...[...codes].map((code) => `what it means, and what mends it: xdpctl debug explain ${code}`),
  ].join('\n');
}

/** What could not be found out, in sentences. */
function unknowns({ survey, devices, queues }: XskSystem, list: readonly XskRow[]): string[] {
  const { sockets, inNamespace, mapIds, refusal } = survey;
  const here = devices.find(({ netns }) => netns.current)?.netns.inode;
  const found = sockets.filter(({ details }) => details?.netns === here).length;
  const silent = list.filter(({ state, statistics }) => state !== 'free' && statistics === undefined).length;
  return [
    ...(mapIds === undefined ? ['XSKMAPs cannot be listed without CAP_SYS_ADMIN'] : []),
    ...(refusal === undefined
      ? []
      : [
          `device and state of sockets cannot be read (${errnoName(refusal.errno)}): that needs BTF of the kernel, CAP_BPF and CAP_PERFMON`,
        ]),
    ...(refusal === undefined && inNamespace !== undefined && inNamespace > found
      ? [
          `${counted(inNamespace - found, 'socket', 'sockets')} of this namespace cannot be found: their owners may not be looked at`,
        ]
      : []),
    ...(queues === undefined
      ? [`Linux ${release()} does not tell which queues have a socket (6.15 does): those of hidden owners look free`]
      : []),
    ...(silent > 0
      ? [
          `the statistics of ${counted(silent, 'socket', 'sockets')} cannot be read: nobody holds them, or their owners may not be traced (pidfd_getfd)`,
        ]
      : []),
  ];
}

const columns: readonly Column<XskRow>[] = [
  { header: 'INTERFACE', cell: interfaceText },
  { header: 'QUEUE', cell: ({ queue }) => (queue === undefined ? '-' : String(queue)), align: 'right' },
  { header: 'STATE', cell: ({ state }) => state },
  { header: 'MODE', cell: ({ mode }) => mode ?? '' },
  { header: 'OWNER', cell: ownerText },
  { header: 'MAP', cell: ({ maps }) => maps.map(({ id, key }) => `${id} key ${key}`).join(', ') },
  { header: 'RX/TX/FILL/COMPLETION', cell: ringsText },
  { header: 'LOST', cell: lostText, align: 'right' },
  { header: 'PROBLEM', cell: problemText, tone: ({ problems }) => (problems.length > 0 ? 'warn' : undefined) },
];

function interfaceText({ ifname, ifindex, netns }: XskRow): string {
  if (ifindex === undefined) return '';
  const where = netns === undefined ? '' : `@${netns}`;
  return `${ifname ?? `ifindex ${ifindex}`}${where}`;
}

function ownerText({ pid, comm, pids }: XskRow): string {
  const all = pids ?? (pid === undefined ? [] : [{ pid, comm }]);
  return all.map((process) => `${process.comm}(${process.pid})`).join(' ');
}

/** `-` is a ring that the socket does not have. */
function ringsText({ rings = {}, rings_at_most: atMost = {} }: XskRow): string {
  if (Object.keys(rings).length + Object.keys(atMost).length === 0) return '';
  return ['rx', 'tx', 'fill', 'completion']
    .map((kind) => rings[kind] ?? (atMost[kind] === undefined ? '-' : `<=${atMost[kind]}`))
    .join('/');
}

function lostText({ statistics }: XskRow): string {
  return statistics === undefined ? '' : String(xskLost(statistics));
}

/** What is wrong now, and why frames have been lost. */
function problemText({ problems, losses = [] }: XskRow): string {
  return [...problems, ...losses.map(({ code, count }) => `${code} (${count})`)].join(', ');
}
