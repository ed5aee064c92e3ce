import { typedAt } from '../domain/typed-command.ts';
import type { GlobalOptions } from './global-options.ts';

/** A command of ours to type in the same place as the one that runs: with its --netns, quoted for the shell. */
export function ownCommand({ netns }: Pick<GlobalOptions, 'netns'>, words: readonly string[]): string {
  return typedAt(netns).own(words);
}
