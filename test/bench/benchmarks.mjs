import { batch } from './benchmarks/batch.mjs';
import { dropsCost, dropsExact, dropsFollow, dropsOthers, dropsReady } from './benchmarks/drops.mjs';
import { dumpDevmap } from './benchmarks/dump-devmap.mjs';
import { dumpHash } from './benchmarks/dump-hash.mjs';
import { forwarding } from './benchmarks/forwarding.mjs';
import { importEntries } from './benchmarks/import.mjs';
import { redirectShow } from './benchmarks/redirect-show.mjs';
import { startUp } from './benchmarks/start-up.mjs';
import { xsk, xskMemory, xskWrite } from './benchmarks/xsk.mjs';

/**
 * All benchmarks in the order they run in. Each makes what it needs and gives the figures for the table.
 *
 * @type {Record<string, (options: { smoke: boolean }) => import('./table.mjs').Figure[]>}
 */
export const benchmarks = {
  'start-up': startUp,
  'dump-hash': dumpHash,
  'dump-devmap': dumpDevmap,
  batch,
  import: importEntries,
  'redirect-show': redirectShow,
  forwarding,
  xsk,
  'xsk-write': xskWrite,
  'xsk-memory': xskMemory,
  'drops-cost': dropsCost,
  'drops-others': dropsOthers,
  'drops-ready': dropsReady,
  'drops-exact': dropsExact,
  'drops-follow': dropsFollow,
};
