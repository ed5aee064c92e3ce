import { KernelRefusal } from '../../domain/errors.ts';
import { EPERM } from '../../kernel/check.ts';
import { readMapFdInfo } from '../../kernel/map-info.ts';
import type { Outcome } from '../../output/outcome.ts';
import { dryRun } from '../dry-run.ts';
import type { Verb } from '../verb.ts';
import { takeHandle } from '../words/handle.ts';
import { WordList } from '../words/word-list.ts';
import { toOpenMap } from './capabilities.ts';
import { mapText } from './map-text.ts';

export const verb: Verb = {
  object: 'map',
  name: 'freeze',
  summary: 'make a map read-only for user space, for good',
  synopsis: ['MAP'],
  description: [
    'Programs can go on changing the map. Freezing cannot be undone; a map that is frozen already is exit 6.',
  ],
  arguments: [{ name: 'MAP', description: 'id N, name NAME, pinned PATH, a bare NAME or a /PATH' }],
  changes: 'freezes the map',
  namesStay: true,
  capabilities: toOpenMap,
  examples: [
    { command: 'xdpctl map freeze pinned forward', description: 'nobody can change the entries any more' },
    {
      command: 'xdpctl -j map freeze pinned forward --dry-run',
      description: 'what would be done',
      output: `
{"dry_run":true,"would":["freeze devmap 42"]}`,
    },
  ],
  run({ words: list }, context): Outcome | undefined {
    const words = new WordList(list);
    const handle = takeHandle(words, 'map');
    words.end();
    const map = context.maps.open(handle);
    if (context.options.dryRun) {
      const { frozen } = readMapFdInfo(map.fd);
      if (frozen) throw new KernelRefusal('map freeze', EPERM, { ...map.facts(), frozen });
      return dryRun([`freeze ${mapText(map.info)}`]);
    }
    map.freeze();
    return undefined;
  },
};
