import type { Outcome } from '../../output/outcome.ts';
import type { Verb } from '../verb.ts';
import { loadObject } from './load-object.ts';
import { parseLoadRequest } from './load-request.ts';
import { loadArguments, loadCapabilities, loadDescription } from './load-words.ts';

export const verb: Verb = {
  object: 'prog',
  name: 'loadall',
  summary: 'load the programs of a file, and pin each in a directory',
  synopsis: ['OBJ PIN [type TYPE] [map idx N|name NAME MAP]… [pinmaps DIR]'],
  description: [
    'Each program is pinned under its own name below PIN, a directory that is made when it is not there.',
    ...loadDescription,
  ],
  arguments: [
    { name: 'OBJ', description: 'a file of BPF programs made by clang, with BTF' },
    { name: 'PIN', description: 'the directory of the pins: a path in bpffs, or a name directly under its mount' },
    ...loadArguments,
  ],
  changes: 'loads programs and maps, and pins them',
  capabilities: loadCapabilities,
  examples: [
    {
      command: 'xdpctl prog loadall router.bpf.o router pinmaps router',
      description: 'every program and every map of a file, pinned below /sys/fs/bpf/router',
    },
    {
      command: 'xdpctl -j prog loadall router.bpf.o router pinmaps router --dry-run',
      description: 'what would be done',
      output: `
{"dry_run":true,"would":["load program 'redirect' of router.bpf.o",
 "pin map 'targets' at /sys/fs/bpf/router/targets",
…,
 "pin program 'redirect' at /sys/fs/bpf/router/redirect"]}`,
    },
  ],
  run({ words }, context): Outcome | undefined {
    return loadObject(parseLoadRequest(words, true), true, context);
  },
};
