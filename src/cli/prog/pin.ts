import { pinObject } from '../../kernel/pin.ts';
import type { Outcome } from '../../output/outcome.ts';
import { dryRun } from '../dry-run.ts';
import { prepareNewPin } from '../new-pin.ts';
import { openAnyProgram } from '../open-program.ts';
import type { Verb } from '../verb.ts';
import { pinPath } from '../words/pin-path.ts';
import { takeProgramHandle } from '../words/program-handle.ts';
import { WordList } from '../words/word-list.ts';
import { toOpenProgram } from './capabilities.ts';
import { programText } from './program-text.ts';

export const verb: Verb = {
  object: 'prog',
  name: 'pin',
  summary: 'give a program a pin, which keeps it loaded',
  synopsis: ['PROG PIN'],
  description: [
    'A program may have several pins. The directory of the pin must be there; bpffs is mounted on /sys/fs/bpf when it is not, unless --nomount is given.',
    'A program that comes with xdpctl is loaded for that: `builtin pass`.',
  ],
  arguments: [
    { name: 'PROG', description: 'id N, tag TAG, name NAME, pinned PATH, builtin NAME, a bare NAME or a /PATH' },
    { name: 'PIN', description: 'a path in bpffs, or a name directly under its mount' },
  ],
  changes: 'creates a pin',
  capabilities: `${toOpenProgram}; CAP_BPF and CAP_NET_ADMIN to load one that comes with xdpctl; CAP_SYS_ADMIN to mount bpffs`,
  examples: [
    { command: 'xdpctl prog pin builtin pass pass', description: 'loads the program that passes every frame' },
    {
      command: 'xdpctl -j prog pin pinned egress uplink --dry-run',
      description: 'what would be done',
      output: `
{"dry_run":true,"would":["pin xdp program 63 (egress) at /sys/fs/bpf/uplink"]}`,
    },
  ],
  run({ words: list }, context): Outcome | undefined {
    const words = new WordList(list);
    const handle = takeProgramHandle(words);
    const path = pinPath(words.take('the pin'));
    words.end();
    using program = openAnyProgram(handle, context.maps.rehearsal);
    prepareNewPin(path, context);
    if (context.options.dryRun) {
      context.maps.rehearsal?.pin(path, program.duplicate(), 'scratch');
      return dryRun([`pin ${programText(program.info)} at ${path}`]);
    }
    pinObject(program.fd, path);
    return undefined;
  },
};
