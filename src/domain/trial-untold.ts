import { ToolError } from './errors.ts';
import type { TrialCounts } from './trial-counts.ts';
import type { TrialLedger } from './trial-ledger.ts';

/** What a test counted, and how much of it was lost. */
export interface Told {
  readonly counts: TrialCounts;
  /** Events that did not fit in the trace buffer. */
  readonly lost: number;
}

/**
 * Makes sure that the ledger is one although events were lost: what is known only because no event told of it may have
 * been delivered as well as dropped. The transmit counters of the targets do not help, because whatever fills the buffer
 * may go out there too; nor is the test repeated, because its frames have really left.
 *
 * @throws ToolError refused
 */
export function checkTold({ counts, lost }: Told, { sent, copies, findings }: TrialLedger): void {
  if (lost === 0) return;
  const silent = findings.reduce((sum, { event, count }) => (event === undefined ? sum + count : sum), 0);
  const untold = silent + unhandled(counts);
  if (untold === 0) return;
  throw new ToolError(
    'refused',
    `what became of ${untold} of ${sent + copies} frames cannot be told, because the trace buffer lost ${lost} ${lost === 1 ? 'event' : 'events'}`,
    { hint: 'try again when less is redirected on this machine' },
  );
}

/** Frames in the queues of CPUs of which it was never heard that their threads had them. */
function unhandled({ queued, handled }: TrialCounts): number {
  const taken = (mapId: number, cpu: number): number =>
    handled.reduce((sum, each) => (each.mapId === mapId && each.cpu === cpu ? sum + each.frames : sum), 0);
  return queued.reduce(
    (sum, { mapId, cpu, frames, dropped }) => sum + Math.max(0, frames - dropped - taken(mapId, cpu)),
    0,
  );
}
