import { KernelRefusal, ToolError } from '../../domain/errors.ts';
import { EOPNOTSUPP } from '../../kernel/check.ts';
import type { XdpLink } from '../../kernel/xdp-link.ts';
import type { Outcome } from '../../output/outcome.ts';
import { dryRun } from '../dry-run.ts';
import type { Verb } from '../verb.ts';
import { WordList } from '../words/word-list.ts';
import { linkText, openLink, takeLink } from './open-link.ts';

export const verb: Verb = {
  object: 'link',
  name: 'detach',
  summary: 'take the program of a link off, whoever holds the link',
  synopsis: ['LINK'],
  description: [
    'The link and its pins stay, but hold nothing any more. Links of some types, such as those of tracing programs, cannot be detached: they go with the last that holds them.',
    'A link that is detached already is exit 3.',
  ],
  arguments: [{ name: 'LINK', description: 'id N, pinned PATH or a /PATH' }],
  changes: 'detaches a program',
  capabilities: 'none for a link that is named by its pin; CAP_SYS_ADMIN to name it by its id',
  examples: [
    {
      command: 'xdpctl link detach pinned uplink',
      description: 'takes the program off eth0',
      given: 'linked',
    },
    {
      command: 'xdpctl link detach pinned egress',
      description: 'never what is no link',
      exit: 2,
      output: `
error: /sys/fs/bpf/egress is a pinned program, not a link
hint: see: xdpctl prog show pinned /sys/fs/bpf/egress`,
    },
    {
      command: 'xdpctl -j link detach pinned uplink --dry-run',
      description: 'what would be done',
      given: 'linked',
      output: `
{"dry_run":true,"would":["detach program 63 of xdp link 5"]}`,
    },
  ],
  run({ words: list }, context): Outcome | undefined {
    const words = new WordList(list);
    const handle = takeLink(words);
    words.end();
    using link = openLink(handle);
    const { ifindex, progId } = link.info;
    if (ifindex === 0) {
      throw new ToolError('not-found', `${linkText(link.info)} is detached already`, { operation: 'link detach' });
    }
    if (context.options.dryRun) return dryRun([`detach program ${progId} of ${linkText(link.info)}`]);
    detach(link);
    return undefined;
  },
};

function detach(link: XdpLink): void {
  try {
    link.detach();
  } catch (error) {
    if (!(error instanceof KernelRefusal) || error.errno !== EOPNOTSUPP) throw error;
    throw new ToolError(
      'unsupported',
      `${linkText(link.info)} cannot be detached: the kernel does that only for some types`,
      {
        hint: ({ own }) =>
          `remove its pins, and end the processes that hold it: ${own(['link', 'show', 'id', String(link.info.id)])}`,
        errno: error.errno,
        operation: error.operation,
        cause: error,
      },
    );
  }
}
