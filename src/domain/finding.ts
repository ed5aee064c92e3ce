import type { DropCode } from './drop-catalogue.ts';

/** `certain` where the event alone or the live system proves it, `likely` where something else looks the same. */
export type Certainty = 'certain' | 'likely';

export interface FindingDevice {
  readonly ifindex: number;
  readonly ifname?: string;
  /** Name, or path, of its network namespace; absent for the caller's own. */
  readonly netns?: string;
}

export interface FindingProgram {
  readonly id: number;
  readonly name?: string;
  /** Where it runs: at the interface that frames come in by, or in the entry of a devmap or of a cpumap. */
  readonly role?: 'ingress' | 'egress' | 'cpumap';
}

export interface FindingMap {
  readonly id: number;
  readonly name?: string;
  /** Paths of its pins. */
  readonly pinned?: readonly string[];
}

/** A verdict: so many frames were lost there, for this reason, and what to type. The shape of `debug drops -j`. */
export interface Finding {
  readonly code: DropCode;
  readonly certainty: Certainty;
  /** Lost frames. */
  readonly count: number;
  readonly event: string;
  /** Positive; absent where the event has none or says 0. */
  readonly errno?: number;
  readonly errnoName?: string;
  readonly from?: FindingDevice;
  readonly to?: FindingDevice;
  readonly prog?: FindingProgram;
  readonly map?: FindingMap;
  readonly key?: number;
  readonly cpu?: number;
  readonly explanation: string;
  /** A command to type, quoted for the shell; words in capitals stand for what only the reader knows. */
  readonly fix?: string;
}
