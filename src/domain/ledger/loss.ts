import type { DropCounter } from '../drop-counter.ts';
import type { SkbFate } from './freed-skb.ts';
import type { Hop } from './hop.ts';

/** Why an AF_XDP socket has no room for a frame. */
export type SocketCause = 'rx-ring-full' | 'fill-ring-empty' | 'frame-too-large';

/** What proves the cause of a loss, where the event alone does not. */
export type Proof =
  /** The target's driver counted frames that it did not take; `taken` is how many it did take. */
  | { readonly kind: 'driver'; readonly taken?: number | undefined }
  /** The target's driver, which counts all that it does not take, counted none of these. */
  | { readonly kind: 'not-driver' }
  /** The AF_XDP socket counted why it did not take them. */
  | { readonly kind: 'socket'; readonly cause: SocketCause }
  /** The program counted a missed look-up of this key. */
  | { readonly kind: 'missed'; readonly key: number }
  | { readonly kind: 'skb'; readonly fate: SkbFate; readonly hop: Hop; readonly onlyRedirected: boolean };

/** Lost frames of one counter, or a part of them. */
export interface Loss {
  readonly counter: DropCounter;
  readonly proof?: Proof;
  /** The other report of the same frames, which was taken out. */
  readonly double?: DropCounter;
}
