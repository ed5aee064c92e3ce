import { pinObject } from '../../kernel/pin.ts';
import type { Outcome } from '../../output/outcome.ts';
import { dryRun } from '../dry-run.ts';
import { prepareNewPin } from '../new-pin.ts';
import type { Verb } from '../verb.ts';
import { takeHandle } from '../words/handle.ts';
import { pinPath } from '../words/pin-path.ts';
import { WordList } from '../words/word-list.ts';
import { toOpenMap } from './capabilities.ts';
import { mapText } from './map-text.ts';

export const verb: Verb = {
  object: 'map',
  name: 'pin',
  summary: 'give a map a pin, which keeps it alive',
  synopsis: ['MAP PIN'],
  description: [
    'A map may have several pins. The directory of the pin must be there; bpffs is mounted on /sys/fs/bpf when it is not, unless --nomount is given.',
  ],
  arguments: [
    { name: 'MAP', description: 'id N, name NAME, pinned PATH, a bare NAME or a /PATH' },
    { name: 'PIN', description: 'a path in bpffs, or a name directly under its mount' },
  ],
  changes: 'creates a pin',
  capabilities: `${toOpenMap}; CAP_SYS_ADMIN to mount bpffs`,
  examples: [
    { command: 'xdpctl map pin pinned forward uplinks', description: 'a second pin of the map' },
    {
      command: 'xdpctl -j map pin pinned forward uplinks --dry-run',
      description: 'what would be done',
      output: `
{"dry_run":true,"would":["pin devmap 42 at /sys/fs/bpf/uplinks"]}`,
    },
  ],
  run({ words: list }, context): Outcome | undefined {
    const words = new WordList(list);
    const handle = takeHandle(words, 'map');
    const path = pinPath(words.take('the pin'));
    words.end();
    const map = context.maps.open(handle);
    prepareNewPin(path, context);
    if (context.options.dryRun) {
      context.maps.rehearsal?.pin(path, map, 'exists');
      return dryRun([`pin ${mapText(map.info)} at ${path}`]);
    }
    pinObject(map.fd, path);
    context.maps.forget();
    return undefined;
  },
};
