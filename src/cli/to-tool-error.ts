import { KernelRefusal, ToolError } from '../domain/errors.ts';
import { explain } from '../domain/explain.ts';
import { libraryFailure } from '../kernel/library-failure.ts';
import { surroundings } from '../kernel/surroundings.ts';

/** Whatever was thrown, as an error worded for the user; what nobody foresaw is a bug of ours (exit 70). */
export function toToolError(error: unknown): ToolError {
  if (error instanceof ToolError) return error;
  if (error instanceof KernelRefusal) return explain(error, surroundings());
  const library = libraryFailure(error);
  if (library !== undefined) return library;
  const message = error instanceof Error ? error.message : String(error);
  return new ToolError('bug', `unexpected failure: ${message}`, {
    hint: 'this is a bug of xdpctl; --debug shows where it happened',
    cause: error,
  });
}
