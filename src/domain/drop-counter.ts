import { addUp, since } from './summing.ts';

/** The tracepoints of the xdp group (include/trace/events/xdp.h), and one of the skb group, that lost frames are counted from. */
export type DropEvent =
  | 'xdp_redirect_err'
  | 'xdp_redirect_map_err'
  | 'xdp_exception'
  | 'xdp_devmap_xmit'
  | 'xdp_cpumap_enqueue'
  | 'xdp_cpumap_kthread'
  | 'xdp_bulk_tx'
  | 'kfree_skb'
  // Only of broadcasts that went nowhere: the event itself says that all is well.
  | 'xdp_redirect';

/**
 * Lost frames that look alike to the kernel: what every backend yields, however it counts. A property is absent where
 * the event does not carry it.
 */
export interface DropCounter {
  readonly event: DropEvent;
  /** Which number of the event was summed up; absent where each event is one frame. */
  readonly field?: 'drops' | 'xdp_drop';
  /** Lost frames. */
  readonly count: number;
  /** Positive Linux errno; 0 where the event says that the frames were lost without an error. */
  readonly errno?: number;
  /** The program's return value; `xdp_exception` only. */
  readonly action?: number;
  /** The device the frame came in by; for `xdp_exception` of an egress program, the target. */
  readonly fromIfindex?: number;
  /** Inode of the network namespace of that device; no event carries it, but a program on the tracepoint sees it. */
  readonly netns?: number;
  /** The target, 0 where there is none. */
  readonly toIfindex?: number;
  /** Inode of the target's network namespace. */
  readonly toNetns?: number;
  /** 0 when the kernel did not know it. */
  readonly progId?: number;
  /** 0: no helper call; INT_MAX: no map (plain bpf_redirect, or a failed look-up). */
  readonly mapId?: number;
  /** The key that was looked up. */
  readonly mapIndex?: number;
  /** The CPU on which it happened. */
  readonly cpu?: number;
  /** cpumap: the CPU the frame was for. */
  readonly toCpu?: number;
  /** `kfree_skb`: the kernel's reason, as SKB_DROP_REASON_… without the prefix. */
  readonly reason?: string;
  /** `kfree_skb`: the address in the kernel where the frame was freed, where the reason says nothing. */
  readonly where?: bigint;
}

/** What the kernel reports as map id where no map was involved (net/core/filter.c, `ri->map_id = INT_MAX`). */
export const noMapId = 0x7fff_ffff;

/** The same counters added up: one for each set of equal properties, in the order of first appearance. */
export function addUpCounters(counters: Iterable<DropCounter>): DropCounter[] {
  return addUp(counters, counterKey);
}

/** What has come since `before`, for interval output; counters that did not move are left out. */
export function countersSince(before: Iterable<DropCounter>, now: Iterable<DropCounter>): DropCounter[] {
  return since(before, now, counterKey);
}

function counterKey(counter: DropCounter): string {
  return [
    counter.event,
    counter.field,
    counter.errno,
    counter.action,
    counter.fromIfindex,
    counter.toIfindex,
    counter.progId,
    counter.mapId,
    counter.mapIndex,
    counter.cpu,
    counter.toCpu,
    counter.netns,
    counter.toNetns,
    counter.reason,
    counter.where,
  ].join();
}
