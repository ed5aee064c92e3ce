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
