import type { DropCode } from '../../../src/domain/drop-catalogue.ts';
import { sendFrames } from '../../support/frames.ts';
import { kernelHas } from '../../support/kernel-has.ts';
import type { LossyPath } from './lossy-path.ts';

/** How lost frames are counted; `classic` is what builtin does on a kernel without BTF. */
export type Counting = 'builtin' | 'classic' | 'bpftrace' | 'perf';

/** What sees only the events of the xdp group, and no skb. */
export const withoutSkbs: readonly Counting[] = ['classic', 'bpftrace', 'perf'];

/** Frames on a path: how it is made, and how they are sent. */
export interface Passage {
  /** How the path is broken, or not; with the code and the mode what tells a case from the others. */
  readonly how: string;
  /** Frames sent, a different number for each case. */
  readonly count: number;
  readonly object?: string;
  readonly program: string;
  readonly size?: number;
  readonly mode?: 'xdpgeneric';
  /** The first kernel on which it can be made, where that is not every one. */
  readonly since?: string;
  /** Breaks the path; what it returns is disposed of at the end. */
  breakIt?(path: LossyPath): Disposable | void;
  /** Sends the frames, where that is not simply done. */
  send?(path: LossyPath): Promise<void> | void;
}

/** A loss that the kernel tells nobody of. */
export const everybody: readonly Counting[] = ['builtin', 'classic', 'bpftrace', 'perf'];

/** One way to lose frames, and what must be said about it. */
export interface LossCase extends Passage {
  readonly code: DropCode;
  /** Frames lost, where not all are; asked for when they are. */
  lost?(path: LossyPath): number;
  /** What the finding says besides code, count and origin. */
  finding?(path: LossyPath): object;
  /** What else is said of the frames of this path. */
  readonly also?: readonly object[];
  /** Part of its explanation. */
  says?(path: LossyPath): string;
  /** Whether the command of the finding makes the frames arrive. */
  readonly mends?: true;
  /** Those that cannot see it; their `blind` says so. */
  readonly blind?: readonly Counting[];
}

/** A path on which frames arrive. */
export interface IntactCase extends Passage {
  /** Waits until they have. */
  untilArrived(path: LossyPath): Promise<void>;
}

/** Before Linux 5.17 the kernel does not say why it frees an skb: then nobody sees these. */
export const withoutReasons: readonly Counting[] = kernelHas('5.17') ? withoutSkbs : everybody;

/** Whether it can be made on the kernel that runs. */
export function isMade({ since }: Passage): boolean {
  return since === undefined || kernelHas(since);
}

/** What tells a case from the others. */
export function nameOfCase({ code, how, mode }: Pick<LossCase, 'how' | 'mode'> & { readonly code: string }): string {
  return `${code}: ${how}${mode === undefined ? '' : ' (generic mode)'}`;
}

/** Frames that got lost. */
export function lostIn({ count, lost }: LossCase, path: LossyPath): number {
  return lost?.(path) ?? count;
}

/** Makes the frames of a case come. */
export async function sendThrough(each: Passage, path: LossyPath): Promise<void> {
  if (each.send !== undefined) await each.send(path);
  else sendFrames(path.source, { count: each.count, size: each.size ?? 60 });
}

/** Fills the entry through which `forward` goes. */
export function forward(path: LossyPath, egressProgram?: string): void {
  path.setEntry('targets', 0, path.egress.ifindex, egressProgram);
}
