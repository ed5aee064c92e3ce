import { addUp, since } from './summing.ts';

/**
 * Frames that were not lost, counted only to be compared with others: those whose redirect succeeded, and those that had
 * a target (sent or refused by its driver). Broadcasts without a target are the difference.
 */
export interface FlowCounter {
  readonly kind: 'redirected' | 'transmitted';
  readonly count: number;
  /** The device the frames came in by. */
  readonly fromIfindex: number;
  /** Inode of its network namespace, where known. */
  readonly netns?: number;
  readonly toIfindex?: number;
  readonly toNetns?: number;
  /** `redirected` only; INT_MAX for bpf_redirect(). */
  readonly mapId?: number;
  readonly progId?: number;
}

/** What has come since `before`. */
export function flowsSince(before: Iterable<FlowCounter>, now: Iterable<FlowCounter>): FlowCounter[] {
  return since(before, now, flowKey);
}

/** The same flows added up. */
export function addUpFlows(flows: Iterable<FlowCounter>): FlowCounter[] {
  return addUp(flows, flowKey);
}

function flowKey(flow: FlowCounter): string {
  const { kind, fromIfindex, netns, toIfindex, toNetns, mapId, progId } = flow;
  return [kind, fromIfindex, netns, toIfindex, toNetns, mapId, progId].join();
}
