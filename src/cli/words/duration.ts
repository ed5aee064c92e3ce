import { usageError } from '../../domain/errors.ts';

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** A year: longer is a typing error. */
const year = { most: 365 * 24 * 3_600_000, text: 'a year' } as const;

/** The longest time that makes sense, in milliseconds and in words. */
interface Limit {
  readonly most: number;
  readonly text: string;
}

/**
 * A time like `10` (seconds), `10s`, `500ms`, `2m`, in milliseconds.
 *
 * @param limit a year when absent
 * @throws ToolError usage
 */
export function parseDuration(word: string, what: string, limit: Limit = year): number {
  const [, digits, unit = 's'] = /^([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)?$/.exec(word) ?? [];
  const ms = Math.round(Number(digits) * (unitMs[unit] ?? Number.NaN));
  if (digits === undefined || !Number.isFinite(ms)) {
    throw usageError(`${what} takes a time like 10, 10s, 500ms or 2m, not '${word}'`);
  }
  if (ms < 1 || ms > limit.most) throw usageError(`${what} ${word} is out of range: from 1ms to ${limit.text}`);
  return ms;
}
