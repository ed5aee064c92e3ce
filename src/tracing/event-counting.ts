import type { BackendFailure, BackendName } from './backend.ts';
import { countWithBpftrace } from './event-bpftrace.ts';
import { countWithBuiltin } from './event-builtin.ts';
import { countWithPerf } from './event-perf.ts';
import type { EventRequest, EventSession } from './event-session.ts';
import { firstThatWorks, type Via } from './select.ts';

/** In the order in which `auto` tries them. */
const counters: readonly { readonly name: BackendName; start(request: EventRequest): Promise<EventSession> }[] = [
  { name: 'builtin', start: countWithBuiltin },
  { name: 'bpftrace', start: countWithBpftrace },
  { name: 'perf', start: countWithPerf },
];

/**
 * Counts the tracepoints of the xdp group with the backend that is asked for, or with the first one that works.
 *
 * @throws ToolError `unsupported` or `permission` when none works
 */
export function countEvents(
  via: Via,
  request: EventRequest,
  onSkipped: (failure: BackendFailure) => void,
): Promise<EventSession> {
  return firstThatWorks(via, counters, onSkipped, ({ start }) => start(request));
}
