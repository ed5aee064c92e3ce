import type { FlowCounter } from './flow-counter.ts';
import type { LiveSystem } from './live-system.ts';
import type { XskStatistics } from './xsk-statistics.ts';

/** What a device counted of redirected frames while losses were counted. */
export interface DeviceTally {
  readonly ifindex: number;
  /** Inode of its network namespace. */
  readonly netns: number;
  /** Redirected frames that its driver did not take: its ring was full, or they did not fit. */
  readonly refused: number;
  /** Whether the driver counts each of those; if not, `refused` above 0 only says that there were some. */
  readonly exact: boolean;
  /** Redirected frames that its driver took; absent where it does not count them. */
  readonly taken?: number;
  /** All frames that left through it; absent likewise. */
  readonly sent?: number;
}

/** What the live system told besides the events, over the time in which they were counted. All of it may be missing. */
export interface Evidence {
  /** What it looked like before. */
  readonly before?: LiveSystem;
  readonly devices?: readonly DeviceTally[];
  /** Look-ups that found nothing, as programs of ours counted them: by program id, by key. */
  readonly misses?: ReadonlyMap<number, ReadonlyMap<number, number>>;
  /** What the AF_XDP sockets in XSKMAPs counted, by map and key (socketPlace()); read where errnos do not tell. */
  readonly sockets?: ReadonlyMap<string, XskStatistics>;
  readonly flows?: readonly FlowCounter[];
  /** The kernel function that an address is in. Looks at 10 MB when it is called first. */
  functionAt?(address: bigint): string | undefined;
}
