import { usageError } from '../../domain/errors.ts';
import { enterNetns } from '../../kernel/netns.ts';
import type { Outcome } from '../../output/outcome.ts';
import { splitCommandLine } from '../command-line.ts';
import type { Context } from '../context.ts';
import { type GlobalOptions, globalOptionSpecs } from '../global-options.ts';
import { type ParsedOptions, parseOptions } from '../program.ts';
import type { Input, Verb } from '../verb.ts';

/** The verb of a line without options. @throws ToolError usage when there is none, or it has no place in a batch */
export async function lineVerb(words: readonly string[], context: Context): Promise<Verb> {
  const verb = await context.findVerb(words);
  const name = words.slice(0, 2).join(' ');
  if (verb === undefined) throw usageError(`'${name}' is no command for a batch`, 'see: xdpctl help');
  if (verb.object === 'batch') throw usageError('a batch has no place in a batch');
  if (verb.longRunning) throw usageError(`'${name}' runs until it is stopped: it has no place in a batch`);
  return verb;
}

/** A line with its options told from its words. */
export interface ParsedLine {
  readonly verb: Verb;
  readonly input: Input;
  /** The batch's options with those of the line. */
  readonly options: GlobalOptions;
}

/** @throws ToolError usage */
export async function parseLine(words: readonly string[], context: Context): Promise<ParsedLine> {
  const verb = await lineVerb(splitCommandLine(words).words, context);
  const line = splitCommandLine(words, [...(verb.options ?? []), ...globalOptionSpecs]);
  const parsed = parseOptions(line.optionTokens, verb.options ?? []);
  checkOptions(parsed, verb);
  const { bpffs, nomount, netns, dryRun } = parsed.global;
  const { options } = context;
  return {
    verb,
    input: { words: line.words.slice(2), options: parsed.own },
    options: {
      ...options,
      bpffs: options.bpffs || bpffs,
      nomount: options.nomount || nomount,
      dryRun: options.dryRun || dryRun,
      netns: netns ?? options.netns,
    },
  };
}

/** Runs a line that has options of its own. */
export async function runLine({ verb, input, options }: ParsedLine, context: Context): Promise<Outcome | undefined> {
  const { netns } = options;
  using _netns = netns === undefined || netns === context.options.netns ? undefined : enterNetns(netns);
  return await verb.run(input, { ...context, options });
}

/** Options that decide how everything is printed cannot change from line to line. */
function checkOptions({ global, help, version }: ParsedOptions, verb: Verb): void {
  const { json, color, debug, quiet, dryRun } = global;
  const misplaced = Object.entries({ json, color: color !== 'auto', debug, quiet }).find(([, given]) => given);
  if (misplaced !== undefined) {
    throw usageError(
      `the option --${misplaced[0]} holds for the whole batch`,
      `give it to the batch: xdpctl --${misplaced[0]} batch file FILE`,
    );
  }
  if (help || version) throw usageError(`--${help ? 'help' : 'version'} has no place in a batch`);
  if (dryRun && verb.changes === undefined) {
    throw usageError(`--dry-run means nothing to '${verb.object} ${verb.name}', which changes nothing`);
  }
}
