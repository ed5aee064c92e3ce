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

export interface ErrorDetails {
  /** What to do about it, in words or as a command to type. */
  readonly hint?: string;
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
  readonly hint: string | undefined;
  readonly errno: number | undefined;
  readonly operation: string | undefined;
  readonly batch: BatchPlace | undefined;

  constructor(kind: ErrorKind, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.kind = kind;
    this.hint = details.hint;
    this.errno = details.errno;
    this.operation = details.operation;
    this.batch = details.batch;
  }
}

/** Short for the commonest error: input that breaks a rule. Nothing has been changed when it is thrown. */
export function usageError(message: string, hint?: string): ToolError {
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
