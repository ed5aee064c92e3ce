import { usageError } from '../../domain/errors.ts';
import type { XdpMode } from '../../kernel/interfaces.ts';
import { takeInterface } from '../words/key.ts';
import type { WordList } from '../words/word-list.ts';

/** bpftool's words for how a program is attached; `xdp` leaves it to the kernel. */
export const attachTypes = ['xdp', 'xdpgeneric', 'xdpdrv', 'xdpoffload'] as const;

export type AttachType = (typeof attachTypes)[number];

const modes: Readonly<Record<AttachType, XdpMode | undefined>> = {
  xdp: undefined,
  xdpgeneric: 'generic',
  xdpdrv: 'native',
  xdpoffload: 'offload',
};

/** The word for a mode. */
export const typeOfMode: Readonly<Record<XdpMode, AttachType>> = {
  native: 'xdpdrv',
  generic: 'xdpgeneric',
  offload: 'xdpoffload',
};

/** The mode that a TYPE asks for; undefined for `xdp`. @throws ToolError usage for another word */
export function takeMode(words: WordList): XdpMode | undefined {
  const word = words.take('the type of attachment');
  const type = attachTypes.find((known) => known === word);
  if (type === undefined) {
    const tc = word === 'tcx_ingress' || word === 'tcx_egress' ? `; tc is for bpftool net` : '';
    throw usageError(`'${word}' is no type of XDP attachment`, `types are ${attachTypes.join(', ')}${tc}`);
  }
  return modes[type];
}

/** Takes `dev IF`, where IF is a name always. @throws ToolError usage; not-found where there is no such interface */
export function takeDevice(words: WordList): { readonly ifindex: number; readonly ifname: string } {
  if (words.peek() !== 'dev') words.expect('dev');
  const ifname = words.peek(1) ?? '';
  return { ifindex: takeInterface(words, 'the device'), ifname };
}
