import type { ToolError } from '../domain/errors.ts';
import type { Warning } from '../output/reporter.ts';
import type { GlobalOptions } from './global-options.ts';
import type { OpenMaps } from './open-maps.ts';
import type { Verb } from './verb.ts';

/** What a verb may use besides its input. */
export interface Context {
  readonly options: GlobalOptions;
  /** Aborted by SIGINT, SIGTERM and SIGHUP; its reason is the signal's name. */
  readonly signal: AbortSignal;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Maps that stay open from one line of a batch to the next. */
  readonly maps: OpenMaps;
  /** The verb that words name; undefined for help. @throws ToolError usage for an unknown word */
  findVerb(words: readonly string[]): Promise<Verb | undefined>;
  /** Standard input, piece by piece as it comes. */
  stdin(): AsyncIterable<Uint8Array>;
  /** Reports an error after which the command goes on. */
  failure(error: ToolError): Promise<void>;
  warn(warning: Warning): Promise<void>;
  ready(text: string): Promise<void>;
  note(text: string): Promise<void>;
  /**
   * Lets signals be heard in a long synchronous loop: a promise every 50 ms, else undefined.
   *
   * @throws Interrupted (from the promise) when a signal has come
   */
  breathe(): Promise<void> | undefined;
}

/** A command that stopped between two steps because of a signal; `message` says how far it came. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}
