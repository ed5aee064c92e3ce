import { preparePin } from '../kernel/bpffs.ts';
import type { Context } from './context.ts';

/**
 * Makes sure that something can be pinned at `path`, mounting bpffs where that is the tool's to do.
 *
 * @throws ToolError conflict when something is there; what else `preparePin` throws
 */
export function prepareNewPin(path: string, { options: { nomount, dryRun }, maps }: Context): void {
  const planned = maps.rehearsal?.pinned(path);
  preparePin(path, { nomount, dryRun, ...(planned !== undefined && { taken: planned !== null }) });
}
