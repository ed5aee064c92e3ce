import type { DeviceTally, Evidence } from '../evidence.ts';
import type { LiveDevice, LiveSystem } from '../live-system.ts';
import { egressEntry } from './egress-entry.ts';
import type { Loss, Proof } from './loss.ts';
import { sceneOf } from './scene.ts';

/**
 * Divides frames that were lost without an error among those that the driver of the target did not take and those that
 * an egress program dropped: a driver counts the former, nobody the latter.
 */
export function divideQuietLosses(losses: readonly Loss[], system: LiveSystem, { devices }: Evidence): Loss[] {
  if (devices === undefined) return [...losses];
  const left = new Map(devices.map((tally) => [tally, tally.refused]));
  const quiet = losses.filter(isQuiet).map((loss) => ({ loss, scene: sceneOf(loss.counter, system) }));
  // Where there is no egress program, only the driver can have lost them.
  const inOrder = quiet.toSorted(
    (a, b) => Number(egressEntry(a.scene) !== undefined) - Number(egressEntry(b.scene) !== undefined),
  );
  const divided = inOrder.flatMap(({ loss, scene }) => {
    const tally = tallyOf(scene.to, devices);
    if (tally === undefined) return [loss];
    const rest = left.get(tally) ?? 0;
    left.set(tally, Math.max(0, rest - loss.counter.count));
    return divide(loss, tally, rest, egressEntry(scene) !== undefined);
  });
  return [...losses.filter((loss) => !isQuiet(loss)), ...divided];
}

function isQuiet({ counter, proof }: Loss): boolean {
  return proof === undefined && counter.event === 'xdp_devmap_xmit' && counter.errno === 0;
}

function tallyOf(device: LiveDevice | undefined, tallies: readonly DeviceTally[]): DeviceTally | undefined {
  return tallies.find(({ ifindex, netns }) => ifindex === device?.ifindex && netns === device.netns.inode);
}

/** @param refused frames that the driver counted and that are not accounted for yet */
function divide(loss: Loss, { exact, taken }: DeviceTally, refused: number, hasEgress: boolean): Loss[] {
  const { counter } = loss;
  const byDriver: Proof = { kind: 'driver', ...(taken !== undefined && { taken }) };
  if (!exact) return [refused > 0 && !hasEgress ? { counter, proof: byDriver } : loss];
  const byProgram: Proof = { kind: 'not-driver' };
  const count = Math.min(refused, counter.count);
  const parts: Loss[] = [
    { counter: { ...counter, count }, proof: byDriver },
    { counter: { ...counter, count: counter.count - count }, proof: byProgram },
  ];
  return parts.filter((part) => part.counter.count > 0);
}
