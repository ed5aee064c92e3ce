import { ToolError } from '../../domain/errors.ts';
import type { Typed } from '../../domain/typed-command.ts';
import type { XdpMode } from '../../kernel/interfaces.ts';
import { type NetAttachment, netAttachments } from '../../kernel/net-attachments.ts';
import { removeXdp } from '../../kernel/xdp-attachment.ts';
import type { Outcome } from '../../output/outcome.ts';
import { dryRun } from '../dry-run.ts';
import type { Verb } from '../verb.ts';
import { WordList } from '../words/word-list.ts';
import { attachmentText, detachCommand } from './conflict.ts';
import { attachTypes, takeDevice, takeMode } from './words.ts';

export const verb: Verb = {
  object: 'net',
  name: 'detach',
  summary: 'take the XDP program off an interface',
  synopsis: ['TYPE dev IF'],
  description: [
    'TYPE is the mode in which the program is attached, or xdp for whichever that is. Where nothing is attached in that mode, it says what is: nothing is left attached silently.',
    'A program that a link holds goes with the link: `link detach`.',
  ],
  arguments: [
    { name: 'TYPE', description: 'xdp, xdpgeneric, xdpdrv or xdpoffload', choices: attachTypes },
    { name: 'IF', description: 'the name of an interface' },
  ],
  changes: 'detaches a program from an interface',
  capabilities: 'CAP_NET_ADMIN',
  examples: [
    {
      command: 'xdpctl net detach xdpgeneric dev eth0',
      description: 'in the wrong mode',
      given: 'attached',
      exit: 3,
      output: `
error: eth0 has no program in generic mode, but program 60 (redirect) in native mode
hint: take it off: xdpctl net detach xdpdrv dev eth0`,
    },
    {
      command: 'xdpctl -j net detach xdpdrv dev eth0 --dry-run',
      description: 'what would be done',
      given: 'attached',
      output: `
{"dry_run":true,"would":["detach program 60 (redirect) in native mode from eth0"]}`,
    },
  ],
  run({ words: list }, context): Outcome | undefined {
    const words = new WordList(list);
    const mode = takeMode(words);
    const device = takeDevice(words);
    words.end();
    const attachment = chosen(netAttachments(device.ifindex), mode, device.ifname);
    if (attachment.linkId !== undefined) {
      throw new ToolError(
        'conflict',
        `${attachmentText(attachment)} can be taken off ${device.ifname} only with the link`,
        {
          hint: takeOff(attachment),
          operation: 'xdp detach',
        },
      );
    }
    if (context.options.dryRun) return dryRun([`detach ${attachmentText(attachment)} from ${device.ifname}`]);
    removeXdp(device.ifindex, attachment.mode);
    return undefined;
  },
};

/** @throws ToolError not-found where nothing is attached in that mode */
function chosen(attached: readonly NetAttachment[], mode: XdpMode | undefined, ifname: string): NetAttachment {
  // Beside an offloaded program, xdp means that of the driver.
  const found =
    mode === undefined
      ? (attached.find((each) => each.mode !== 'offload') ?? attached[0])
      : attached.find((each) => each.mode === mode);
  if (found !== undefined) return found;
  const [other] = attached;
  const what = `no program${mode === undefined ? '' : ` in ${mode} mode`}`;
  if (other === undefined) {
    throw new ToolError('not-found', `${ifname} has ${what}`, {
      hint: ({ own }) => `see: ${own(['net', 'show'])}`,
      operation: 'xdp detach',
    });
  }
  throw new ToolError('not-found', `${ifname} has ${what}, but ${attachmentText(other)}`.replace(/,$/, ''), {
    hint: takeOff(other),
    operation: 'xdp detach',
  });
}

function takeOff(attachment: NetAttachment): (typed: Typed) => string {
  return (typed) => `take it off: ${detachCommand(attachment, typed)}`;
}
