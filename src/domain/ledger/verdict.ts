import type { DropCode } from '../drop-catalogue.ts';
import type { Certainty } from '../finding.ts';
import type { LiveDevice } from '../live-system.ts';

/** What is made of a counter. */
export interface Verdict {
  readonly code: DropCode;
  readonly certainty: Certainty;
  readonly explanation: string;
  readonly fix?: string | undefined;
  /** What the event does not say and the live system shows: the map, the key, the CPU, a better origin or target. */
  readonly mapId?: number | undefined;
  readonly key?: number | undefined;
  readonly cpu?: number | undefined;
  readonly fromIfindex?: number | undefined;
  readonly from?: LiveDevice | undefined;
  readonly toIfindex?: number | undefined;
  readonly to?: LiveDevice | undefined;
}

export function certain(code: DropCode, explanation: string, more: Partial<Verdict> = {}): Verdict {
  return { code, certainty: 'certain', explanation, ...more };
}

export function likely(code: DropCode, explanation: string, more: Partial<Verdict> = {}): Verdict {
  return { code, certainty: 'likely', explanation, ...more };
}
