import { ToolError } from '../domain/errors.ts';

/**
 * The error for an interface that is not there.
 *
 * @param named completes "there is no interface …"
 * @param operation what it was wanted for, where that is an operation of the kernel's
 */
export function noInterface(named: string, operation?: string): ToolError {
  return new ToolError('not-found', `there is no interface ${named} in this network namespace`, {
    hint: ({ other }) => `see: ${other(['ip', 'link'])}; --netns NAME looks in another namespace`,
    ...(operation !== undefined && { operation }),
  });
}
