import { kernelAtLeast } from '../kernel-version.ts';
import type { LiveMap, LiveSystem } from '../live-system.ts';
import type { Loss } from './loss.ts';
import { egressMaps, nameOf, type Scene } from './scene.ts';
import { certain, likely, type Verdict } from './verdict.ts';

/*
 * Before Linux 5.14 the program in a devmap entry runs before a frame is queued for the target, and what it drops is
 * reported as success (dev_map_enqueue() returns 0): the frames are missing from those that the target's driver got.
 * Broadcasts, the other way for frames to go missing, came with the change.
 */

/** Whether programs in devmap entries run before the frames are queued. */
export function runsEgressEarly({ kernel }: LiveSystem): boolean {
  return !kernelAtLeast(kernel, '5.14');
}

/** Whether some entry of the map has a program. */
export function hasEgress(map: LiveMap | undefined): boolean {
  return entriesWithProgram(map).length > 0;
}

/** Frames to which programs in the entries of these maps gave an illegal action: an event of their own reports them. */
export function withIllegalAction(maps: ReadonlySet<number>, losses: readonly Loss[], system: LiveSystem): number {
  return losses
    .filter(
      ({ counter: { event, progId } }) =>
        event === 'xdp_exception' && egressMaps(progId, system).some(({ id }) => maps.has(id)),
    )
    .reduce((sum, { counter }) => sum + counter.count, 0);
}

/** The verdict on redirected frames that no driver got. */
export function droppedEarly({ map, from, counter, system }: Scene): Verdict {
  const entries = entriesWithProgram(map);
  const [entry] = entries;
  const who = nameOf(from, counter.fromIfindex);
  if (entry === undefined) {
    const explanation = `frames from ${who} were redirected and did not get to a driver, so a program in a devmap entry dropped them, which is gone now`;
    return likely('egress-program-drop', explanation);
  }
  const name = system.programs.get(entry.progId)?.name ?? `program ${entry.progId}`;
  const to = system.devices.find(
    ({ ifindex, netns }) => ifindex === entry.ifindex && netns.inode === from?.netns.inode,
  );
  const explanation = `${name}, in the entry that leads to ${nameOf(to, entry.ifindex)}, dropped the frames`;
  const place = { mapId: map?.id, key: entry.key, toIfindex: entry.ifindex };
  if (entries.length === 1) return certain('egress-program-drop', explanation, place);
  return likely('egress-program-drop', `${explanation}, or a program in another entry did`, { mapId: map?.id });
}

function entriesWithProgram(map: LiveMap | undefined) {
  return (map?.entries ?? []).flatMap(({ key, ifindex, progId }) =>
    progId === undefined || progId === 0 ? [] : [{ key, ifindex, progId }],
  );
}
