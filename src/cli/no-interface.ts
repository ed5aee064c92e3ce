import { type Hint, ToolError } from '../domain/errors.ts';
import type { Typed } from '../domain/typed-command.ts';

/**
 * The error for an interface that is not there.
 *
 * @param named completes "there is no interface …"
 * @param operation what it was wanted for, where that is an operation of the kernel's
 * @param hint what to do, where it is not just to look which there are
 */
export function noInterface(named: string, operation?: string, hint: Hint = seeInterfaces): ToolError {
  return new ToolError('not-found', `there is no interface ${named} in this network namespace`, {
    hint,
    ...(operation !== undefined && { operation }),
  });
}

function seeInterfaces({ other }: Typed): string {
  return `see: ${other(['ip', 'link'])}; --netns NAME looks in another namespace`;
}
