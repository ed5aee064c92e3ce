import type { Report } from '../output/outcome.ts';
import { printable } from '../output/printable.ts';

/** What a verb returns under --dry-run: the steps it would take, none of which was taken. */
export function dryRun(steps: readonly string[]): Report {
  return {
    kind: 'report',
    data: { dry_run: true, would: steps },
    text: steps.length === 0 ? 'would change nothing\n' : steps.map((step) => `would ${printable(step)}\n`).join(''),
  };
}
