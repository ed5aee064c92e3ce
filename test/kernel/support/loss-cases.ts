import type { IntactCase, LossCase } from './loss-case.ts';
import { beforeTarget } from './loss-cases/before-target.ts';
import { broadcast } from './loss-cases/broadcast.ts';
import { cpumap } from './loss-cases/cpumap.ts';
import { devmap } from './loss-cases/devmap.ts';
import { fragments } from './loss-cases/fragments.ts';
import { generic } from './loss-cases/generic.ts';
import { intact } from './loss-cases/intact.ts';
import { receiver } from './loss-cases/receiver.ts';
import { xskmap } from './loss-cases/xskmap.ts';

/** Every way to lose frames that can be made here; in two parts, because the filters of tracers are only so long. */
export const lossCases: Readonly<Record<string, readonly LossCase[]>> = {
  'before or at a device': [...beforeTarget, ...devmap, ...fragments],
  elsewhere: [...generic, ...cpumap, ...xskmap, ...receiver, ...broadcast],
};

/** Every way to get where they should. */
export const intactCases: readonly IntactCase[] = intact;
