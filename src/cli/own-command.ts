import { shellCommand } from '../domain/shell-quote.ts';
import type { GlobalOptions } from './global-options.ts';

/** A command of ours to type in the same place as the one that runs: with its --netns, quoted for the shell. */
export function ownCommand({ netns }: Pick<GlobalOptions, 'netns'>, words: readonly string[]): string {
  return shellCommand(['xdpctl', ...(netns === undefined ? [] : ['--netns', netns]), ...words]);
}
