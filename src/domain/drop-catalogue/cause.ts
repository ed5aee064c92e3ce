import type { DropEvent } from '../drop-counter.ts';
import type { XdpActionName } from '../xdp-action.ts';

/** One way in which the kernel shows a cause. */
export interface DropSignal {
  /**
   * The tracepoint: those of the xdp group; `xdp_redirect` where only comparing redirected with transmitted frames
   * shows the loss; `kfree_skb` (skb group) for frames that became an skb.
   */
  readonly event: DropEvent | 'xdp_redirect' | 'kfree_skb';
  /** Name of the errno, `0` where the event says that nothing is wrong. */
  readonly errno?: string;
  /** The number of the event that says how many frames. */
  readonly field?: 'drops' | 'xdp_drop';
  /** What the program returned; `other` for a value that is no action. */
  readonly action?: XdpActionName | 'other';
  /** The drop reason of kfree_skb. */
  readonly reason?: string;
  /** Through which kind of map; `none` for bpf_redirect() and a failed look-up. */
  readonly through?: 'devmap' | 'cpumap' | 'xskmap' | 'none';
  readonly mode?: 'native' | 'generic';
  /** First kernel that shows it so. */
  readonly since?: string;
  /** First kernel that no longer does. */
  readonly before?: string;
}

/** Why frames are lost, as the kernel, the manual and the user know it. */
export interface DropCause<Code extends string = string> {
  readonly code: Code;
  /** Completes "the frame was lost because …". */
  readonly summary: string;
  /** What happens in the kernel, and how to tell. */
  readonly explanation: string;
  readonly signals: readonly DropSignal[];
  /** The kernel functions that lose the frame. */
  readonly functions: readonly string[];
  /** How it is mended, in words; commands in backquotes, capitals stand for the reader's own names. */
  readonly fix: string;
  /** What differs between kernels. */
  readonly versions?: readonly string[];
}

/** Keeps the codes of a list as literal types. */
export function causes<const Code extends string>(list: readonly DropCause<Code>[]): readonly DropCause<Code>[] {
  return list;
}
