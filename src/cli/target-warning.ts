import { readU32 } from '../domain/byte-order.ts';
import { KernelRefusal } from '../domain/errors.ts';
import type { Approach, TargetProblem } from '../domain/target-health.ts';
import type { Context } from './context.ts';

/** The targets that a command has looked at already: a batch writes the same one many times. */
const seen = new WeakMap<object, Set<number>>();

/**
 * Warns about a target that cannot receive now, once in a command; undefined when there was nothing to look at.
 *
 * @param ifindex of the target, in the network namespace the command runs in
 */
export function warnAboutTarget(
  context: Context,
  ifindex: number,
  approach?: Approach,
): Promise<undefined> | undefined {
  if (context.options.quiet) return undefined;
  let targets = seen.get(context.maps);
  if (targets === undefined) {
    targets = new Set();
    seen.set(context.maps, targets);
  }
  if (targets.has(ifindex)) return undefined;
  targets.add(ifindex);
  return lookAt(context, ifindex, approach);
}

/** The same for the target of a devmap entry. @param value of 4 or 8 bytes, in the kernel's layout */
export function warnAboutEntry(context: Context, value: Uint8Array): Promise<undefined> | undefined {
  return warnAboutTarget(context, readU32(value));
}

async function lookAt(context: Context, ifindex: number, approach: Approach | undefined): Promise<undefined> {
  const { targetProblems } = await import('../domain/target-health.ts');
  const { locatePeer, readDevice } = await import('../kernel/devices.ts');
  let problems: readonly TargetProblem[];
  try {
    const device = readDevice(ifindex);
    if (device === undefined || (device.ndoXmit !== 'unknown' && targetProblems(device, approach).length === 0)) {
      return undefined;
    }
    problems = targetProblems(locatePeer(device), approach);
  } catch (error) {
    // A warning is no reason to fail: a sandbox without netlink, or a device that goes meanwhile.
    if (error instanceof KernelRefusal) return undefined;
    throw error;
  }
  for (const { sentence, fix } of problems) await context.warn({ message: sentence, hint: fix });
  return undefined;
}
