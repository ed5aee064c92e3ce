import type { HealthCode } from '../check-catalogue.ts';
import type { Certainty } from '../finding.ts';
import type { LiveDevice } from '../live-system.ts';

/** Something about a path because of which frames are lost, or will be. */
export interface PathProblem {
  readonly code: HealthCode;
  /** `certain` where the system proves it, `likely` where it depends on the program, the driver or the intention. */
  readonly certainty: Certainty;
  readonly sentence: string;
  /**
   * A command to type, quoted for the shell; words in capitals stand for what only the reader knows. Absent where no
   * command mends it, or it cannot be typed from here.
   */
  readonly fix?: string | undefined;
  readonly mapId?: number;
  readonly key?: number;
  /** The device that the frames are for. */
  readonly to?: LiveDevice;
  /** The program in the entry, when the problem is that. */
  readonly progId?: number;
}
