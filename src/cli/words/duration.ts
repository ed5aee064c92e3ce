import { usageError } from '../../domain/errors.ts';

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** A year: longer is a typing error. */
const MAX_MS = 365 * 24 * 3_600_000;

/**
 * A time like `10` (seconds), `10s`, `500ms`, `2m`, in milliseconds.
 *
 * @throws ToolError usage
 */
export function parseDuration(word: string, what: string): number {
  const [, digits, unit = 's'] = /^([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)?$/.exec(word) ?? [];
  const ms = Math.round(Number(digits) * (unitMs[unit] ?? Number.NaN));
  if (digits === undefined || !Number.isFinite(ms)) {
    throw usageError(`${what} takes a time like 10, 10s, 500ms or 2m, not '${word}'`);
  }
  if (ms < 1 || ms > MAX_MS) throw usageError(`${what} ${word} is out of range: from 1ms to a year`);
  return ms;
}
