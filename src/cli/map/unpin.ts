import { usageError } from '../../domain/errors.ts';
import { readMapInfo } from '../../kernel/map-info.ts';
import { removePinOf } from '../../kernel/pin.ts';
import type { Outcome } from '../../output/outcome.ts';
import { dryRun } from '../dry-run.ts';
import type { Verb } from '../verb.ts';
import { type Handle, takeHandle } from '../words/handle.ts';
import { pinPath } from '../words/pin-path.ts';
import { WordList } from '../words/word-list.ts';
import { toOpenMap } from './capabilities.ts';
import { mapText } from './map-text.ts';

export const verb: Verb = {
  object: 'map',
  name: 'unpin',
  summary: 'take a pin of a map away',
  synopsis: ['PIN', 'MAP PIN'],
  description: [
    'The pin must be that of a map, and of MAP where one is given. A map that has no other pin is freed as soon as no program and no process holds it.',
  ],
  arguments: [
    { name: 'PIN', description: 'a path in bpffs, or a name directly under its mount' },
    { name: 'MAP', description: 'id N, name NAME, pinned PATH, a bare NAME or a /PATH' },
  ],
  changes: 'removes a pin',
  capabilities: toOpenMap,
  examples: [
    { command: 'xdpctl map unpin sessions2', description: 'takes the pin /sys/fs/bpf/sessions2 away' },
    {
      command: 'xdpctl map unpin pinned forward sessions2',
      description: 'only if both pins are of one map',
      exit: 2,
      output: `
error: /sys/fs/bpf/sessions2 is a pin of hash 43, not of devmap 42`,
    },
    {
      command: 'xdpctl -j map unpin sessions2 --dry-run',
      description: 'what would be done',
      output: `
{"dry_run":true,"would":["remove /sys/fs/bpf/sessions2, a pin of hash 43"]}`,
    },
  ],
  run({ words: list }, context): Outcome | undefined {
    const { path, handle } = takePin(new WordList(list));
    // What an earlier line of a batch opened may have been replaced since by another command.
    context.maps.forget();
    const pinned = context.maps.open({ by: 'pinned', path });
    const named = handle === undefined ? pinned : context.maps.open(handle);
    if (named.info.id !== pinned.info.id) {
      throw usageError(`${path} is a pin of ${mapText(pinned.info)}, not of ${mapText(named.info)}`);
    }
    if (context.options.dryRun) {
      context.maps.rehearsal?.unpin(path);
      return dryRun([`remove ${path}, a pin of ${mapText(pinned.info)}`]);
    }
    removePinOf(path, ({ kind, fd }) => kind === 'map' && readMapInfo(fd.number).id === pinned.info.id);
    context.maps.forget();
    return undefined;
  },
};

/** `PIN`, `pinned PIN`, or `MAP PIN`. */
function takePin(words: WordList): { readonly path: string; readonly handle?: Handle } {
  if (words.left === 1) return { path: pinPath(words.take('the pin')) };
  const handle = takeHandle(words, 'pin');
  if (words.done && handle.by === 'pinned') return { path: handle.path };
  const path = pinPath(words.take('the pin'));
  words.end();
  return { path, handle };
}
