import { pinObject } from '../../kernel/pin.ts';
import type { Outcome } from '../../output/outcome.ts';
import { dryRun } from '../dry-run.ts';
import { prepareNewPin } from '../new-pin.ts';
import type { Verb } from '../verb.ts';
import { pinPath } from '../words/pin-path.ts';
import { WordList } from '../words/word-list.ts';
import { linkText, openLink, takeLink } from './open-link.ts';

export const verb: Verb = {
  object: 'link',
  name: 'pin',
  summary: 'give a link a pin, which keeps the program attached',
  synopsis: ['LINK PIN'],
  description: [
    'The program stays attached when the process goes that made the link, until the last pin is removed or the link is detached.',
  ],
  arguments: [
    { name: 'LINK', description: 'id N, pinned PATH or a /PATH' },
    { name: 'PIN', description: 'a path in bpffs, or a name directly under its mount' },
  ],
  changes: 'creates a pin',
  capabilities: 'none for a link that is named by its pin; CAP_SYS_ADMIN to name it by its id, and to mount bpffs',
  examples: [
    {
      command: 'xdpctl link pin pinned uplink uplink2',
      description: 'a second pin of the link',
      given: 'linked',
    },
    {
      command: 'xdpctl -j link pin pinned uplink uplink2 --dry-run',
      description: 'what would be done',
      given: 'linked',
      output: `
{"dry_run":true,"would":["pin xdp link 5 at /sys/fs/bpf/uplink2"]}`,
    },
  ],
  run({ words: list }, context): Outcome | undefined {
    const words = new WordList(list);
    const handle = takeLink(words);
    const path = pinPath(words.take('the pin'));
    words.end();
    using link = openLink(handle);
    prepareNewPin(path, context);
    if (context.options.dryRun) return dryRun([`pin ${linkText(link.info)} at ${path}`]);
    pinObject(link.fd, path);
    return undefined;
  },
};
