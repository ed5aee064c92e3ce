import { errnoName } from '../domain/errno.ts';
import type { BatchPlace, ToolError } from '../domain/errors.ts';
import { exitCodes } from '../domain/exit-code.ts';
import type { Typed } from '../domain/typed-command.ts';
import type { Painter } from './color.ts';
import { printable } from './printable.ts';

/** An error's shape in JSON, on stderr. Absent keys are left out. */
export interface FailureJson {
  readonly error: {
    readonly exit: number;
    readonly message: string;
    readonly hint?: string;
    readonly errno?: number;
    readonly errnoName?: string | undefined;
    readonly operation?: string;
    readonly batch?: BatchPlace;
  };
}

/** The error as a JSON object. */
export function failureJson(error: ToolError, typed: Typed): FailureJson {
  const { message, errno, operation, batch } = error;
  const hint = error.hintTyped(typed);
  return {
    error: {
      exit: exitCodes[error.kind],
      message,
      ...(hint !== undefined && { hint }),
      ...(errno !== undefined && { errno, errnoName: errnoName(errno) }),
      ...(operation !== undefined && { operation }),
      ...(batch !== undefined && { batch }),
    },
  };
}

/** The error in two lines: what failed, and what to do. */
export function failureText(error: ToolError, paint: Painter, typed: Typed): string {
  const hint = error.hintTyped(typed);
  const name = error.errno === undefined ? '' : ` (${errnoName(error.errno)})`;
  return (
    `${paint('bad', 'error:')} ${printable(error.message)}${name}\n` +
    (hint === undefined ? '' : `${paint('strong', 'hint:')} ${printable(hint)}\n`)
  );
}
