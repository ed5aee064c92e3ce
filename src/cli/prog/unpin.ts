import { usageError } from '../../domain/errors.ts';
import { removePinOf } from '../../kernel/pin.ts';
import { readProgramInfo } from '../../kernel/program.ts';
import type { Outcome } from '../../output/outcome.ts';
import { dryRun } from '../dry-run.ts';
import { openAnyProgram } from '../open-program.ts';
import type { Verb } from '../verb.ts';
import { pinPath } from '../words/pin-path.ts';
import { type ProgramHandle, takeProgramHandle } from '../words/program-handle.ts';
import { WordList } from '../words/word-list.ts';
import { toOpenProgram } from './capabilities.ts';
import { programText } from './program-text.ts';

export const verb: Verb = {
  object: 'prog',
  name: 'unpin',
  summary: 'take a pin of a program away',
  synopsis: ['PIN', 'PROG PIN'],
  description: [
    'The pin must be that of a program, and of PROG where one is given. A program that has no other pin is unloaded as soon as nothing is attached to it, and no map and no process holds it.',
  ],
  arguments: [
    { name: 'PIN', description: 'a path in bpffs, or a name directly under its mount' },
    { name: 'PROG', description: 'id N, tag TAG, name NAME, pinned PATH, a bare NAME or a /PATH' },
  ],
  changes: 'removes a pin',
  capabilities: toOpenProgram,
  examples: [
    { command: 'xdpctl prog unpin egress', description: 'takes the pin /sys/fs/bpf/egress away' },
    {
      command: 'xdpctl prog unpin forward',
      description: 'never the pin of a map',
      exit: 2,
      output: `
error: /sys/fs/bpf/forward is a pinned map, not a program`,
    },
    {
      command: 'xdpctl -j prog unpin egress --dry-run',
      description: 'what would be done',
      output: `
{"dry_run":true,"would":["remove /sys/fs/bpf/egress, a pin of xdp program 63 (egress)"]}`,
    },
  ],
  run({ words: list }, context): Outcome | undefined {
    const { path, handle } = takePin(new WordList(list));
    using pinned = openAnyProgram({ by: 'pinned', path }, context.maps.rehearsal);
    if (handle !== undefined) {
      using named = openAnyProgram(handle, context.maps.rehearsal);
      if (named.info.id !== pinned.info.id) {
        throw usageError(`${path} is a pin of ${programText(pinned.info)}, not of ${programText(named.info)}`);
      }
    }
    if (context.options.dryRun) {
      context.maps.rehearsal?.unpin(path);
      return dryRun([`remove ${path}, a pin of ${programText(pinned.info)}`]);
    }
    removePinOf(path, ({ kind, fd }) => kind === 'prog' && readProgramInfo(fd.number).id === pinned.info.id);
    return undefined;
  },
};

/** `PIN`, `pinned PIN`, or `PROG PIN`. */
function takePin(words: WordList): { readonly path: string; readonly handle?: ProgramHandle } {
  if (words.left === 1) return { path: pinPath(words.take('the pin')) };
  const handle = takeProgramHandle(words);
  if (words.done && handle.by === 'pinned') return { path: handle.path };
  const path = pinPath(words.take('the pin'));
  words.end();
  return { path, handle };
}
