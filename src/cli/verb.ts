import type { Outcome } from '../output/outcome.ts';
import type { Context } from './context.ts';

/** A long option of a verb, or one of the options that every verb has. */
export interface OptionSpec {
  /** Without the dashes, e.g. `if-absent`. */
  readonly name: string;
  /** One letter, without the dash. */
  readonly short?: string;
  /** What the option's value is called in help; absent for a switch. */
  readonly value?: string;
  /** May be given several times; its value is a list then. */
  readonly repeatable?: boolean;
  /** All the values there are, where they are a few words; for completion. */
  readonly choices?: readonly string[];
  readonly description: string;
}

export interface ArgumentSpec {
  readonly name: string;
  readonly description: string;
  /** All the words there are for it; for completion. */
  readonly choices?: readonly string[];
}

/** A command line with what it does; the manual shows them, and a test runs each. */
export interface Example {
  readonly command: string;
  readonly description: string;
  /**
   * What it prints where nothing is a terminal, as the manual shows it: stdout, or stderr when it fails. A test compares
   * it with the real output; numbers and white space may differ.
   */
  readonly output?: string;
  /** Its exit code; 0 when absent. */
  readonly exit?: number;
  /**
   * What the test makes so before it runs the command: `arriving`: frames arrive at eth0 all the time; `attached`: eth0 is
   * redirected to eth1; `losing`: both, and eth1 loses them; `bound`: a socket is in the map sockets;
   * `linked`: a link holds a program on eth0, pinned as uplink.
   */
  readonly given?: 'arriving' | 'attached' | 'losing' | 'bound' | 'linked';
}

/** A verb as data: help, completion, manual pages and parsing all come from this. */
export interface VerbSpec {
  readonly object: string;
  readonly name: string;
  readonly aliases?: readonly string[];
  /** One line, an imperative without a final period. */
  readonly summary: string;
  /** What follows `xdpctl OBJECT VERB`, one line for each form. */
  readonly synopsis: readonly string[];
  /** Paragraphs of the manual. */
  readonly description?: readonly string[];
  readonly arguments?: readonly ArgumentSpec[];
  readonly options?: readonly OptionSpec[];
  /** What the verb changes; absent for verbs that only read. Those with it take --dry-run. */
  readonly changes?: string;
  /** The change leaves ids, names and pins of maps as they are: what a batch has open stays right. */
  readonly namesStay?: true;
  /** Runs until it is stopped, or for as long as it is told to: it has no place on the line of a batch. */
  readonly longRunning?: true;
  readonly examples: readonly Example[];
  /** The capabilities it needs, in words without a final period; absent when it needs none. */
  readonly capabilities?: string;
  /** What `-j` prints, in words; the schema is in the package. */
  readonly json?: string;
}

/** What the user typed after the verb, options taken out. */
export interface Input {
  readonly words: readonly string[];
  readonly options: Readonly<Record<string, string | true | readonly string[] | undefined>>;
}

export interface Verb extends VerbSpec {
  /** Reads the words, does the work, returns data. Never prints. */
  run(input: Input, context: Context): Outcome | undefined | Promise<Outcome | undefined>;
}

/** The value of a switch. */
export function flag(input: Input, name: string): boolean {
  return input.options[name] === true;
}

/** The value of an option that takes one, or undefined. */
export function optionValue(input: Input, name: string): string | undefined {
  const value = input.options[name];
  return typeof value === 'string' ? value : undefined;
}

/** The values of a repeatable option, in the order they were given. */
export function optionValues(input: Input, name: string): readonly string[] {
  const value = input.options[name];
  if (value === undefined || value === true) return [];
  return typeof value === 'string' ? [value] : value;
}
