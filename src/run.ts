import { findObject, loadVerbs } from './cli/catalogue.ts';
import { splitCommandLine } from './cli/command-line.ts';
import { type Context, Interrupted } from './cli/context.ts';
import { findVerb } from './cli/find-verb.ts';
import { defaultOptions, type GlobalOptions, globalOptionSpecs, plainOptions } from './cli/global-options.ts';
import { interruptionOf } from './cli/interruption.ts';
import { OpenMaps } from './cli/open-maps.ts';
import type { ParsedOptions } from './cli/program.ts';
import type { OptionSpec, Verb } from './cli/verb.ts';
import { ToolError, usageError } from './domain/errors.ts';
import { exitCodes } from './domain/exit-code.ts';
import { Reporter } from './output/reporter.ts';
import type { ByteStream } from './output/sink.ts';

/** What the command needs of the process around it. */
export interface Io {
  readonly stdout: ByteStream;
  readonly stderr: ByteStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted when a signal asks the command to end; the reason is the signal's name. */
  readonly signal: AbortSignal;
  /** Standard input, piece by piece as it comes. */
  stdin(): AsyncIterable<Uint8Array>;
}

export interface Ending {
  readonly exitCode: number;
  /** The signal that stopped the command between two steps; it should die of it. */
  readonly signal?: NodeJS.Signals;
}

/** How long a synchronous loop may keep signals waiting. */
const BREATH_MS = 50;

/**
 * Runs one command line (without `node` and the script) and says how it ended. Never throws: whatever goes wrong is
 * reported on stderr.
 */
export async function run(argv: readonly string[], io: Io): Promise<Ending> {
  const breathe = breathing(io.signal);
  let options: GlobalOptions = roughOptions(argv);
  let reporter = new Reporter(io, { ...options, env: io.env }, breathe);
  try {
    const { words, optionTokens } = splitCommandLine(argv);
    const verb = await foundVerb(words, optionTokens);
    const line = splitCommandLine(argv, [...(verb?.options ?? []), ...globalOptionSpecs]);
    const parsed = await parsedOptions(line.optionTokens, verb?.options ?? []);
    options = parsed.global;
    reporter = new Reporter(io, { ...options, env: io.env }, breathe);
    if (parsed.version || words[0] === 'version') {
      const { versionOutcome } = await import('./cli/version.ts');
      await reporter.print(versionOutcome());
      return { exitCode: 0 };
    }
    if (verb === undefined || parsed.help || isHelpWord(words)) {
      await reporter.print({ kind: 'text', text: await helpText(words, verb) });
      return { exitCode: 0 };
    }
    if (options.dryRun && verb.changes === undefined) {
      throw usageError(`--dry-run means nothing to '${verb.object} ${verb.name}', which changes nothing`);
    }
    using maps = new OpenMaps();
    const context: Context = {
      options,
      env: io.env,
      signal: io.signal,
      maps,
      breathe,
      findVerb,
      stdin: io.stdin,
      warn: (warning) => reporter.warn(warning),
      failure: (error) => reporter.failure(error),
      ready: (text) => reporter.ready(text),
      note: (text) => reporter.note(text),
    };
    using _log = options.debug ? await logged(reporter) : undefined;
    using _netns = await entered(options.netns);
    const input = { words: line.words.slice(takenWords(words)), options: parsed.own };
    const outcome = await verb.run(input, context);
    await reporter.print(outcome);
    return { exitCode: outcome?.findings ? exitCodes.findings : 0 };
  } catch (thrown) {
    await reporter.endOutput();
    const error = await interruptionOf(thrown, io.signal);
    if (error instanceof Interrupted && io.signal.aborted) {
      const printed = reporter.progress;
      const message = error.message === '' && printed !== undefined ? `interrupted: ${printed}` : error.message;
      if (message !== '') await reporter.interruption(message);
      return { exitCode: 1, signal: io.signal.reason as NodeJS.Signals };
    }
    const { toToolError } = await import('./cli/to-tool-error.ts');
    const failure = toToolError(error);
    await reporter.failure(failure);
    if (failure.kind === 'bug' && options.debug) await reporter.log(stackOf(error));
    return { exitCode: exitCodes[failure.kind] };
  }
}

/** @throws ToolError usage for an unknown word, or for an unknown option where there is one */
async function foundVerb(words: readonly string[], optionTokens: readonly string[]): Promise<Verb | undefined> {
  try {
    return await findVerb(words);
  } catch (error) {
    if (optionTokens.length > 0) {
      const { refuseUnknownOptions } = await import('./cli/unknown-option.ts');
      await refuseUnknownOptions(optionTokens);
    }
    throw error;
  }
}

/** Enters the network namespace for the rest of the command; nothing to do without --netns. */
async function entered(netns: string | undefined): Promise<Disposable | undefined> {
  if (netns === undefined) return undefined;
  const { enterNetns } = await import('./kernel/netns.ts');
  return enterNetns(netns);
}

/** Prints what libbpf and the verifier say while they work. */
async function logged(reporter: Reporter): Promise<Disposable> {
  const { passOnLibbpfLog } = await import('./kernel/libbpf-log.ts');
  return passOnLibbpfLog((text) => void reporter.log(text));
}

/** --json as far as it can be seen without parsing, so that a wrong command line is reported in the right form. */
function roughOptions(argv: readonly string[]): GlobalOptions {
  const before = argv.slice(0, argv.includes('--') ? argv.indexOf('--') : undefined);
  const json = before.some((word) => /^(?:--json|--pretty|-[A-Za-z]*[jp][A-Za-z]*)$/.test(word));
  return { ...defaultOptions, json, debug: before.includes('--debug') || before.includes('-d') };
}

/** The options of the line; commander is loaded (3 ms) only where it takes a parser to read them. */
async function parsedOptions(tokens: readonly string[], own: readonly OptionSpec[]): Promise<ParsedOptions> {
  const given = plainOptions(tokens, own);
  if (given !== undefined) return { ...given, help: false, version: false };
  const { parseOptions } = await import('./cli/program.ts');
  return parseOptions(tokens, own);
}

function isHelpWord(words: readonly string[]): boolean {
  return words[0] === 'help' || words[1] === 'help';
}

function takenWords(words: readonly string[]): number {
  return Math.min(2, words.length);
}

async function helpText(words: readonly string[], verb: Verb | undefined): Promise<string> {
  const { toolHelp, objectHelp, verbHelp } = await import('./cli/help.ts');
  if (verb !== undefined && !isHelpWord(words) && words[1] !== undefined) return verbHelp(verb);
  const asked = words.filter((word) => word !== 'help');
  const object = asked[0] === undefined ? undefined : findObject(asked[0]);
  if (object === undefined) {
    if (asked[0] !== undefined) await findVerb(asked);
    return toolHelp();
  }
  const named = asked[1] === undefined ? undefined : await findVerb(asked);
  if (named !== undefined) return verbHelp(named);
  const [only] = await loadVerbs(object);
  return Object.keys(object.verbs).length === 1 && only !== undefined ? verbHelp(only) : objectHelp(object);
}

function breathing(signal: AbortSignal): () => Promise<void> | undefined {
  let last = milliseconds();
  return () => {
    if (milliseconds() - last < BREATH_MS) return undefined;
    return new Promise((resolve, reject) => {
      setImmediate(() => {
        last = milliseconds();
        if (signal.aborted) reject(new Interrupted(''));
        else resolve();
      });
    });
  };
}

/** Not performance.now(), whose module takes 2 ms to load. */
function milliseconds(): number {
  return process.uptime() * 1000;
}

function stackOf(error: unknown): string {
  const cause = error instanceof ToolError && error.cause !== undefined ? error.cause : error;
  return cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
}
