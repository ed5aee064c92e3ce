import type { XdpMode } from '../../kernel/interfaces.ts';
import { type NetAttachment, netAttachments } from '../../kernel/net-attachments.ts';
import type { Column, Outcome } from '../../output/outcome.ts';
import { printable } from '../../output/printable.ts';
import { counted } from '../../output/reporter.ts';
import { PlainTable } from '../../output/table.ts';
import type { Verb } from '../verb.ts';
import { WordList } from '../words/word-list.ts';
import { takeDevice } from './words.ts';

export const verb: Verb = {
  object: 'net',
  name: 'show',
  aliases: ['list'],
  summary: 'show the XDP programs on the interfaces of this network namespace',
  synopsis: ['[dev IF]'],
  description: [
    'Shows for each program its mode, name, the link that holds it there, and the maps it uses. In JSON the keys are those of bpftool, with those of tc and others empty: they are not looked at.',
    'What may not be looked at without CAP_SYS_ADMIN, such as names, is left out.',
  ],
  arguments: [{ name: 'IF', description: 'the name of an interface' }],
  json: 'an array of one object, as bpftool has it: xdp is an array of devname, ifindex, mode (driver, generic, offload) and id; beside them ifname, name, tag, link_id and map_ids. A device with several programs has them in multi_attachments',
  capabilities: 'none; CAP_SYS_ADMIN for names, links and maps',
  examples: [
    {
      command: 'xdpctl net show',
      description: 'every interface that has a program',
      given: 'attached',
      output: `
INTERFACE  MODE    PROGRAM        LINK  MAPS
eth0       native  redirect (60)        45 46 47
1 program`,
    },
    {
      command: 'xdpctl -j net show dev eth0',
      description: 'one interface, as JSON',
      given: 'attached',
      output: `
[{"xdp":[{"devname":"eth0","ifindex":2,"mode":"driver","id":60,
          "name":"redirect","tag":"…","map_ids":[45,46,47],"ifname":"eth0"}],
  "tc":[],"flow_dissector":[],"netfilter":[]}]`,
    },
  ],
  run({ words: list }): Outcome {
    const words = new WordList(list);
    const device = words.done ? undefined : takeDevice(words);
    words.end();
    const attachments = netAttachments(device?.ifindex);
    return {
      kind: 'report',
      data: [{ xdp: inBpftoolsShape(attachments), tc: [], flow_dissector: [], netfilter: [] }],
      text: (paint) =>
        `${new PlainTable(columns, paint).block(attachments)}${counted(attachments.length, 'program', 'programs')}\n`,
    };
  },
};

/** bpftool's words for modes. */
const modeWords: Readonly<Record<XdpMode, string>> = { native: 'driver', generic: 'generic', offload: 'offload' };

function inBpftoolsShape(attachments: readonly NetAttachment[]): object[] {
  const byDevice = new Map<number, NetAttachment[]>();
  for (const each of attachments) byDevice.set(each.ifindex, [...(byDevice.get(each.ifindex) ?? []), each]);
  return [...byDevice.values()].flatMap((list) => {
    const [first] = list;
    if (first === undefined) return [];
    const { ifname, ifindex } = first;
    const device = { devname: ifname, ifindex };
    if (list.length === 1) return [{ ...device, ...described(first), ifname }];
    return [{ ...device, ifname, multi_attachments: list.map(described) }];
  });
}

function described({ mode, progId, prog, linkId }: NetAttachment): object {
  return {
    mode: modeWords[mode],
    id: progId,
    ...(prog !== undefined && prog.name !== '' && { name: prog.name }),
    ...(prog !== undefined && { tag: prog.tag }),
    ...(linkId !== undefined && { link_id: linkId }),
    ...(prog !== undefined && prog.mapIds.length > 0 && { map_ids: prog.mapIds }),
  };
}

const columns: readonly Column<NetAttachment>[] = [
  { header: 'INTERFACE', cell: ({ ifname }) => printable(ifname) },
  { header: 'MODE', cell: ({ mode }) => mode },
  {
    header: 'PROGRAM',
    cell: ({ progId, prog }) => (prog?.name ? `${printable(prog.name)} (${progId})` : `id ${progId}`),
  },
  { header: 'LINK', cell: ({ linkId }) => (linkId === undefined ? '' : String(linkId)), align: 'right' },
  { header: 'MAPS', cell: ({ prog }) => prog?.mapIds.join(' ') ?? '' },
];
