import type { Outcome } from '../../output/outcome.ts';
import type { Verb } from '../verb.ts';
import { loadObject } from './load-object.ts';
import { parseLoadRequest } from './load-request.ts';
import { loadArguments, loadCapabilities, loadDescription } from './load-words.ts';

export const verb: Verb = {
  object: 'prog',
  name: 'load',
  summary: 'load the programs of a file, and pin the first',
  synopsis: ['OBJ PIN [type TYPE] [map idx N|name NAME MAP]… [pinmaps DIR]'],
  description: [
    'All programs of the file are loaded; the first is pinned, and the others go unless it holds them.',
    ...loadDescription,
  ],
  arguments: [
    { name: 'OBJ', description: 'a file of BPF programs made by clang, with BTF' },
    { name: 'PIN', description: 'where to pin the program: a path in bpffs, or a name directly under its mount' },
    ...loadArguments,
  ],
  changes: 'loads programs and maps, and pins them',
  capabilities: loadCapabilities,
  examples: [
    {
      command: 'xdpctl prog load router.bpf.o router map name targets pinned forward',
      description: 'the program of a file, with a map that exists in the place of its own',
    },
    {
      command: 'xdpctl prog load router.bpf.o router map name targets pinned cpus',
      description: 'a map that the program was not made for',
      exit: 2,
      output: `
error: cpumap 43 cannot take the place of map 'targets': its type is cpumap, and the program was made for devmap
hint: type, size of keys and size of values must be those that the file declares`,
    },
    {
      command: 'xdpctl -j prog load router.bpf.o router --dry-run',
      description: 'what would be done',
      output: `
{"dry_run":true,"would":["load program 'redirect' of router.bpf.o",
 "pin program 'redirect' at /sys/fs/bpf/router"]}`,
    },
  ],
  run({ words }, context): Outcome | undefined {
    return loadObject(parseLoadRequest(words), false, context);
  },
};
