import type { LiveProgram } from '../live-system.ts';

/** What becomes of a frame whose key has no entry, for a sentence. */
export function missText({ onMiss }: LiveProgram): string {
  switch (onMiss) {
    case 'aborted':
      return 'the frames are lost';
    case 'drop':
      return 'the frames are dropped';
    case 'pass':
      return 'the frames go to the network stack';
    case 'tx':
      return 'the frames are sent back';
    default:
      return 'the frames are lost, or whatever the program does then';
  }
}
