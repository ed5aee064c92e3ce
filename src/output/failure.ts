import { errnoName } from '../domain/errno.ts';
import type { BatchPlace, ToolError } from '../domain/errors.ts';
import { exitCodes } from '../domain/exit-code.ts';
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
export function failureJson(error: ToolError): FailureJson {
  const { message, hint, errno, operation, batch } = error;
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
export function failureText(error: ToolError, paint: Painter): string {
  const name = error.errno === undefined ? '' : ` (${errnoName(error.errno)})`;
  return (
    `${paint('bad', 'error:')} ${printable(error.message)}${name}\n` +
    (error.hint === undefined ? '' : `${paint('strong', 'hint:')} ${printable(error.hint)}\n`)
  );
}
