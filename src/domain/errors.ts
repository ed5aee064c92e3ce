import { type Typed, typedHere } from './typed-command.ts';

/** Why a command ended without doing what was asked; each kind has one exit code (exit-code.ts). */
export type ErrorKind =
  | 'refused'
  | 'usage'
  | 'not-found'
  | 'permission'
  | 'unsupported'
  | 'conflict'
  | 'findings'
  | 'bug';

/** The line of a batch that failed. */
export interface BatchPlace {
  /** The file as it was named, or `standard input`. */
  readonly file: string;
  /** From 1; of a command that goes over several lines, the first. */
  readonly line: number;
  /** Its words; absent where the line could not be split into words. */
  readonly command?: readonly string[];
  /** How many commands were done before it. */
  readonly applied: number;
}

/** What to do about something, in words; a function where these name a command, which depends on where it is typed. */
export type Hint = string | ((typed: Typed) => string);

export interface ErrorDetails {
  readonly hint?: Hint;
  /** Positive Linux errno, when the kernel said one. */
  readonly errno?: number;
  /** The operation that failed, e.g. `map update`. */
  readonly operation?: string;
  readonly batch?: BatchPlace;
  readonly cause?: unknown;
}

/** An error worded for the user: what failed, and what to do about it. */
export class ToolError extends Error {
  override readonly name = 'ToolError';
  readonly kind: ErrorKind;
  /** What to do about it, for a reader in the network namespace that the command ran in. */
  readonly hint: string | undefined;
  readonly errno: number | undefined;
  readonly operation: string | undefined;
  readonly batch: BatchPlace | undefined;
  readonly #hint: Hint | undefined;

  constructor(kind: ErrorKind, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.kind = kind;
    this.hint = hintText(details.hint, typedHere);
    this.#hint = details.hint;
    this.errno = details.errno;
    this.operation = details.operation;
    this.batch = details.batch;
  }

  /** What to do about it, with commands as they are to be typed. */
  hintTyped(typed: Typed): string | undefined {
    return hintText(this.#hint, typed);
  }

  /**
   * The same error in other words.
   *
   * @param changes what besides the message is another
   */
  reworded(
    message: string,
    { hint = this.#hint, batch = this.batch, cause = this.cause ?? this }: Partial<ErrorDetails> = {},
  ): ToolError {
    const { errno, operation } = this;
    return new ToolError(this.kind, message, {
      cause,
      ...(hint !== undefined && { hint }),
      ...(errno !== undefined && { errno }),
      ...(operation !== undefined && { operation }),
      ...(batch !== undefined && { batch }),
    });
  }
}

/** A hint as text, with commands as they are to be typed. */
export function hintText(hint: Hint | undefined, typed: Typed): string | undefined {
  return typeof hint === 'function' ? hint(typed) : hint;
}

/** Short for the commonest error: input that breaks a rule. Nothing has been changed when it is thrown. */
export function usageError(message: string, hint?: Hint): ToolError {
  return new ToolError('usage', message, hint === undefined ? {} : { hint });
}

/** What the kernel room knows about a refused call: numbers and names, no wording. */
export interface RefusalFacts {
  readonly [fact: string]: string | number | boolean | undefined;
}

/**
 * A call that the kernel (or libbpf) refused. Thrown by the kernel room; `explain` (explain.ts) words it,
 * because the same errno means different things for each map kind and operation.
 */
export class KernelRefusal extends Error {
  override readonly name = 'KernelRefusal';
  /** e.g. `map update`, `pin`, `xdp attach`. */
  readonly operation: string;
  /** Positive Linux errno. */
  readonly errno: number;
  readonly facts: RefusalFacts;

  constructor(operation: string, errno: number, facts: RefusalFacts = {}) {
    super(`${operation}: errno ${errno}`);
    this.operation = operation;
    this.errno = errno;
    this.facts = facts;
  }
}
