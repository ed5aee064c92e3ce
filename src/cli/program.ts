import { Command, CommanderError, Option } from 'commander';

import { type Hint, usageError } from '../domain/errors.ts';
import type { GlobalOptions } from './global-options.ts';
import { globalOptionSpecs } from './global-options.ts';
import type { Input, OptionSpec } from './verb.ts';

export interface ParsedOptions {
  readonly global: GlobalOptions;
  readonly own: Input['options'];
  readonly help: boolean;
  readonly version: boolean;
}

/**
 * Reads option tokens by the given specifications.
 *
 * @param ownSpecs the verb's options, besides those that every verb has
 * @throws ToolError usage for an unknown option (with the nearest known one), or a value that is missing or not wanted
 */
export function parseOptions(optionTokens: readonly string[], ownSpecs: readonly OptionSpec[]): ParsedOptions {
  const command = quiet(new Command('xdpctl')).helpOption(false);
  for (const spec of [...ownSpecs, ...globalOptionSpecs]) command.addOption(toCommander(spec));
  speakingAs(() => command.parse([...optionTokens], { from: 'user' }));
  const options = command.opts<Record<string, string | true | string[] | undefined>>();
  const own: Record<string, string | true | readonly string[] | undefined> = {};
  for (const { name } of ownSpecs) own[name] = options[camelCase(name)];
  return { global: globalsOf(options), own, help: options['help'] === true, version: options['version'] === true };
}

/** The error for a word that is none of the known ones, with the nearest of them ("Did you mean"), or the hint. */
export function unknownWord(kind: string, word: string, known: readonly string[], otherwise: Hint): Error {
  const command = quiet(new Command('xdpctl'));
  for (const name of known) command.command(name);
  let suggestion = '';
  try {
    command.parse([word], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) suggestion = /\(Did you mean (.*)\?\)/.exec(error.message)?.[1] ?? '';
  }
  return usageError(`unknown ${kind} '${word}'`, suggestion === '' ? otherwise : `did you mean ${suggestion}?`);
}

function globalsOf(options: Record<string, string | true | string[] | undefined>): GlobalOptions {
  const color = options['color'] ?? 'auto';
  if (color !== 'auto' && color !== 'always' && color !== 'never') {
    throw usageError(`--color takes auto, always or never, not '${String(color)}'`);
  }
  const netns = options['netns'];
  if (netns === '') throw usageError('--netns is empty: it takes a name, a process id or a path');
  return {
    json: options['json'] === true || options['pretty'] === true,
    pretty: options['pretty'] === true,
    color,
    debug: options['debug'] === true,
    bpffs: options['bpffs'] === true,
    nomount: options['nomount'] === true,
    netns: typeof netns === 'string' ? netns : undefined,
    dryRun: options['dryRun'] === true,
    quiet: options['quiet'] === true,
  };
}

function toCommander(spec: OptionSpec): Option {
  const short = spec.short === undefined ? '' : `-${spec.short}, `;
  const value = spec.value === undefined ? '' : ` <${spec.value}>`;
  const option = new Option(`${short}--${spec.name}${value}`, spec.description);
  if (spec.repeatable) {
    option.argParser<string[]>((word, previous) => [...((previous as string[] | undefined) ?? []), word]);
  }
  return option;
}

function quiet(command: Command): Command {
  return command.exitOverride().configureOutput({ writeErr: () => undefined, writeOut: () => undefined });
}

function speakingAs(parse: () => void): void {
  try {
    parse();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    const [message = '', ...more] = error.message.replace(/^error: /, '').split('\n');
    const suggestion = /\(Did you mean (.*)\?\)/.exec(more.join(' '))?.[1];
    throw usageError(message, suggestion === undefined ? undefined : `did you mean ${suggestion}?`);
  }
}

function camelCase(name: string): string {
  return name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
