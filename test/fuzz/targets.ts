import type { FuzzTarget } from './target.ts';
import { batchTargets } from './targets/batch.ts';
import { btfTargets } from './targets/btf.ts';
import { documentTargets } from './targets/documents.ts';
import { journalTargets } from './targets/journal.ts';
import { netlinkTargets } from './targets/netlink.ts';
import { objectTargets } from './targets/objects.ts';
import { outputTargets } from './targets/output.ts';
import { pcapngTargets } from './targets/pcapng.ts';
import { procTargets } from './targets/proc.ts';
import { runTargets } from './targets/run.ts';
import { tracingTargets } from './targets/tracing.ts';
import { wordTargets } from './targets/words.ts';

/** Every parser, by what it reads. None of them changes anything on the machine. */
export const targets: readonly FuzzTarget[] = [
  ...wordTargets,
  ...batchTargets,
  ...documentTargets,
  ...tracingTargets,
  ...btfTargets,
  ...netlinkTargets,
  ...procTargets,
  ...pcapngTargets,
  ...outputTargets,
  ...journalTargets,
  ...objectTargets,
  ...runTargets,
];
