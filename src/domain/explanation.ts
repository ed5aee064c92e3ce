import type { ErrorKind } from './errors.ts';

/** What `explain` makes of a refused call. */
export interface Explanation {
  readonly kind: ErrorKind;
  readonly message: string;
  readonly hint?: string;
}
