import type { DropCode } from '../../../src/domain/drop-catalogue.ts';
import { sendFrames } from '../../support/frames.ts';
import type { LossyPath } from './lossy-path.ts';

/** How lost frames are counted; `classic` is what builtin does on a kernel without BTF. */
export type Counting = 'builtin' | 'classic' | 'bpftrace' | 'perf';

/** What sees only the events of the xdp group, and no skb. */
export const withoutSkbs: readonly Counting[] = ['classic', 'bpftrace', 'perf'];

/** One way to lose frames: how the path is made and broken, and what must be said about it. */
export interface LossCase {
  readonly code: DropCode;
  /** What is special about it, where there are several of a code. */
  readonly name?: string;
  /** Frames sent, a different number for each case. */
  readonly count: number;
  /** Frames lost, where not all are; asked for when they are. */
  lost?(path: LossyPath): number;
  readonly object?: string;
  readonly program: string;
  readonly size?: number;
  readonly mode?: 'xdpgeneric';
  /** Breaks the path; what it returns is disposed of at the end. */
  breakIt?(path: LossyPath): Disposable | void;
  /** Sends the frames, where that is not simply done. */
  send?(path: LossyPath): Promise<void> | void;
  /** What the finding says besides code, count and origin. */
  finding?(path: LossyPath): object;
  /** Whether the command of the finding makes the frames arrive. */
  readonly mends?: true;
  /** Those that cannot see it; their `blind` says so. */
  readonly blind?: readonly Counting[];
}

/** What tells a case from the others. */
export function nameOfCase({ code, name }: LossCase): string {
  return name === undefined ? code : `${code} (${name})`;
}

/** Frames that got lost. */
export function lostIn({ count, lost }: LossCase, path: LossyPath): number {
  return lost?.(path) ?? count;
}

/** Makes the frames of a case come. */
export async function sendThrough(each: LossCase, path: LossyPath): Promise<void> {
  if (each.send !== undefined) await each.send(path);
  else sendFrames(path.source, { count: each.count, size: each.size ?? 60 });
}

/** Fills the entry through which `forward` goes. */
export function forward(path: LossyPath, egressProgram?: string): void {
  path.setEntry('targets', 0, path.egress.ifindex, egressProgram);
}
