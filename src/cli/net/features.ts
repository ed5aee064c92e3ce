import type { Ability, LiveDevice } from '../../domain/live-system.ts';
import { locatePeer, readDevice, readDevices } from '../../kernel/devices.ts';
import { readXdpFeatures, readXdpFeaturesOf, type XdpFeatures } from '../../kernel/netdev-features.ts';
import { type Column, one, type Outcome, rows } from '../../output/outcome.ts';
import { noInterface } from '../no-interface.ts';
import type { Verb } from '../verb.ts';
import { WordList } from '../words/word-list.ts';
import { adviceFor, type FeatureAdvice } from './advice.ts';
import { takeDevice } from './words.ts';

/** A device as `net features` prints it in JSON; the features have the names of enum netdev_xdp_act (linux/netdev.h). */
interface FeatureRow {
  readonly ifname: string;
  readonly ifindex: number;
  readonly kind?: string;
  readonly driver?: string;
  readonly basic?: boolean;
  readonly redirect?: boolean;
  readonly ndo_xmit?: boolean;
  readonly ndo_xmit_sg?: boolean;
  readonly rx_sg?: boolean;
  readonly xsk_zerocopy?: boolean;
  readonly hw_offload?: boolean;
  readonly xdp_zc_max_segs?: number;
  readonly rx_queues?: number;
  readonly tx_queues?: number;
  readonly advice: readonly FeatureAdvice[];
}

export const verb: Verb = {
  object: 'net',
  name: 'features',
  summary: 'show what the drivers of the interfaces can do for XDP now, and what to do about a "no"',
  synopsis: ['[dev IF]'],
  description: [
    'basic: runs XDP programs in native mode; redirect: programs on it may redirect; ndo_xmit: transmits frames that are redirected to it; ndo_xmit_sg: those of several buffers too; rx_sg: receives such frames; xsk_zerocopy: AF_XDP sockets without copies; hw_offload: runs programs on the card; and the queues in use.',
    'Most of these depend on the state of the device: a veth transmits redirected frames only while its peer has GRO or an XDP program, and several drivers of NICs only while a program is attached. For each "no" that can be mended the command is shown.',
    'Before Linux 6.3 the kernel does not tell; only ndo_xmit is known then, where the kind of the device says it, and of a veth that has fewer queues than its peer that it runs no program in native mode.',
  ],
  arguments: [{ name: 'IF', description: 'the name of an interface' }],
  capabilities: 'none; CAP_SYS_ADMIN to look at the peer of a veth in another network namespace',
  json: 'an array of devices; with `dev IF` one object. A feature that the kernel does not tell is left out',
  examples: [
    {
      command: 'xdpctl net features',
      description: 'every interface of this network namespace',
      output: `
INTERFACE  NATIVE  REDIRECT  NDO_XMIT  SG   ZERO-COPY  RX/TX QUEUES  TO GET NDO_XMIT
lo         no      no        no        no   no         1/1           -
eth0       yes     yes       yes       yes  no         1/1
eth1       yes     yes       yes       yes  no         1/1`,
    },
    {
      command: 'xdpctl net features dev lo',
      description: 'one interface, with what to do about each "no"',
      output: `
interface    lo
basic        no
redirect     no
ndo_xmit     no
ndo_xmit_sg  no
…`,
    },
    {
      command: 'xdpctl -j net features dev eth1',
      description: 'the same as a JSON object',
      output: `
{"ifname":"eth1","ifindex":3,"kind":"veth","basic":true,"redirect":true,
 "ndo_xmit":true,"ndo_xmit_sg":true,"rx_sg":true,"xsk_zerocopy":false,
 "hw_offload":false,"rx_queues":1,"tx_queues":1,"advice":[…]}`,
    },
  ],
  run({ words: list }): Outcome {
    const words = new WordList(list);
    if (words.done) return rows(everyDevice(), columns);
    const { ifindex, ifname } = takeDevice(words);
    words.end();
    const device = readDevice(ifindex);
    if (device === undefined) throw noInterface(`'${ifname}'`);
    const row = describe(locatePeer(device), readXdpFeaturesOf(ifindex));
    return one(row, lines(row));
  },
};

function everyDevice(): FeatureRow[] {
  const features = readXdpFeatures();
  return readDevices()
    .filter(({ netns }) => netns.current)
    .map((device) => describe(device, features?.get(device.ifindex)));
}

function describe(device: LiveDevice, features: XdpFeatures | undefined): FeatureRow {
  const { ifname, ifindex, kind, driver, nativeXdp, rxQueues, txQueues } = device;
  const known = {
    basic: nativeXdp,
    redirect: features?.redirect,
    ndo_xmit: known3(device.ndoXmit),
    ndo_xmit_sg: known3(device.ndoXmitSg),
    rx_sg: features?.rxSg,
    xsk_zerocopy: features?.zeroCopy,
    hw_offload: features?.offload,
    xdp_zc_max_segs: features?.zeroCopySegments,
    rx_queues: rxQueues,
    tx_queues: txQueues,
  };
  return {
    ifname,
    ifindex,
    ...(kind !== undefined && { kind }),
    ...(driver !== undefined && { driver }),
    ...(Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined)) as Partial<FeatureRow>),
    advice: adviceFor(device, features),
  };
}

function known3(ability: Ability): boolean | undefined {
  return ability === 'unknown' ? undefined : ability === 'yes';
}

function lines(row: FeatureRow): [string, string | undefined][] {
  const { rx_queues: rx, tx_queues: tx } = row;
  return [
    ['interface', `${row.ifname}${row.kind === undefined ? '' : ` (${row.kind})`}`],
    ['driver', row.driver],
    ['basic', answer(row.basic)],
    ['redirect', answer(row.redirect)],
    ['ndo_xmit', answer(row.ndo_xmit)],
    ['ndo_xmit_sg', answer(row.ndo_xmit_sg)],
    ['rx_sg', answer(row.rx_sg)],
    ['zero-copy', answer(row.xsk_zerocopy)],
    ['offload', answer(row.hw_offload)],
    ['queues', `${rx ?? '?'} receive, ${tx ?? '?'} transmit`],
    ...row.advice.flatMap(({ feature, reason, fix }): [string, string][] => [
      [`no ${feature}`, reason],
      ...(fix === undefined ? [] : [['fix', fix] as [string, string]]),
    ]),
  ];
}

const columns: readonly Column<FeatureRow>[] = [
  { header: 'INTERFACE', cell: ({ ifname }) => ifname },
  { header: 'NATIVE', cell: ({ basic }) => answer(basic) },
  { header: 'REDIRECT', cell: ({ redirect }) => answer(redirect) },
  {
    header: 'NDO_XMIT',
    cell: ({ ndo_xmit: xmit }) => answer(xmit),
    tone: ({ ndo_xmit: xmit }) => (xmit === false ? 'warn' : undefined),
  },
  { header: 'SG', cell: ({ ndo_xmit_sg: sg }) => answer(sg) },
  { header: 'ZERO-COPY', cell: ({ xsk_zerocopy: zeroCopy }) => answer(zeroCopy) },
  { header: 'RX/TX QUEUES', cell: ({ rx_queues: rx, tx_queues: tx }) => `${rx ?? '?'}/${tx ?? '?'}` },
  { header: 'TO GET NDO_XMIT', cell: toGetXmit },
];

function toGetXmit({ advice }: FeatureRow): string {
  const found = advice.find(({ feature }) => feature === 'ndo_xmit');
  return found === undefined ? '' : (found.fix ?? '-');
}

function answer(value: boolean | undefined): string {
  if (value === undefined) return 'unknown';
  return value ? 'yes' : 'no';
}
