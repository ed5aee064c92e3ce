import type { DropCounter } from './drop-counter.ts';
import type { FlowCounter } from './flow-counter.ts';
import type { LiveDevice, LiveProgram, LiveSystem } from './live-system.ts';
import { onwardFrom } from './onward.ts';

/** Which lost frames are asked for. Within one list any will do; all lists that are not empty must agree. */
export interface DropFilter {
  /** The device the frame came in by, or the one it was to leave by. */
  readonly ifindexes?: readonly number[];
  /** Inode of the network namespace that those ifindexes are of. */
  readonly netns?: number;
  readonly progIds?: readonly number[];
  readonly mapIds?: readonly number[];
}

/**
 * Whether a counter is asked for. Tracers filter in the kernel by what an event carries; what it does not carry is
 * looked up in the live system here: `xdp_devmap_xmit` names neither program nor map, the cpumap events no device and no
 * program. A counter is left out only when the live system shows that it belongs to others.
 *
 * @param double the other report of the same frames, which may know what this one does not: xdp_exception of a program in a
 *   devmap entry names the target alone, xdp_devmap_xmit also the device that the frames came in by
 */
export function isAskedFor(
  counter: DropCounter,
  filter: DropFilter,
  system: LiveSystem,
  double?: DropCounter,
): boolean {
  const reports = double === undefined ? [counter] : [counter, double];
  // Where a report names no map or no device, all of the program or the map come into question: the other one knows better.
  const naming = (what: 'mapId' | 'fromIfindex'): DropCounter[] =>
    reports.filter((report) => report === counter || report[what] !== undefined);
  const { ifindexes, progIds, mapIds } = filter;
  return (
    (isEmpty(ifindexes) ||
      naming('fromIfindex').some((report) => concernsDevice(report, filter, ifindexes, system)) ||
      (double === undefined && isMetByDevices(counter, filter, ifindexes, system))) &&
    (isEmpty(progIds) ||
      reports.some((report) => concernsProgram(report, progIds, system)) ||
      (double === undefined && isMet(counter, progIds, system))) &&
    (isEmpty(mapIds) || naming('mapId').some((report) => concernsMap(report, mapIds, system)))
  );
}

/**
 * Whether the counter is of a program in a devmap entry that frames come to from these devices. Before Linux 5.14 nothing
 * else reports those frames (dev_map_enqueue() gives them up without a word).
 */
function isMetByDevices(
  counter: DropCounter,
  { netns: wanted }: DropFilter,
  ifindexes: readonly number[],
  system: LiveSystem,
): boolean {
  const devices = system.devices.filter(
    ({ ifindex, netns }) => ifindexes.includes(ifindex) && (wanted === undefined || netns.inode === wanted),
  );
  return isMet(
    counter,
    devices.flatMap((device) => device.progIds),
    system,
  );
}

/** Whether the counter is of a program in a devmap entry that frames come to from these programs. */
function isMet({ progId = 0, fromIfindex }: DropCounter, progIds: readonly number[], system: LiveSystem): boolean {
  const entries = onwardFrom(progIds, system).maps.flatMap((map) => map.entries ?? []);
  return progId !== 0 && entries.some((entry) => entry.progId === progId && entry.ifindex === fromIfindex);
}

/** Whether frames are among those asked for that were counted for a comparison. */
export function isFlowAskedFor(flow: FlowCounter, { ifindexes, netns, progIds, mapIds }: DropFilter): boolean {
  const isHere = netns === undefined || flow.netns === undefined || flow.netns === netns;
  return (
    (isEmpty(ifindexes) || (isHere && ifindexes.includes(flow.fromIfindex))) &&
    (isEmpty(progIds) || flow.progId === undefined || progIds.includes(flow.progId)) &&
    (isEmpty(mapIds) || flow.mapId === undefined || mapIds.includes(flow.mapId))
  );
}

function isEmpty(list: readonly number[] | undefined): list is undefined {
  return list === undefined || list.length === 0;
}

function concernsDevice(
  counter: DropCounter,
  { netns: wanted }: DropFilter,
  ifindexes: readonly number[],
  system: LiveSystem,
): boolean {
  const isOne = (ifindex: number | undefined, netns: number | undefined): boolean =>
    ifindex !== undefined &&
    ifindexes.includes(ifindex) &&
    (netns === undefined || wanted === undefined || netns === wanted);
  if (counter.fromIfindex !== undefined) {
    return isOne(counter.fromIfindex, counter.netns) || isOne(counter.toIfindex, counter.toNetns);
  }
  if (counter.mapId === undefined) return true;
  const programs = programsOn(
    system.devices.filter((device) => isOne(device.ifindex, device.netns.inode)),
    system,
  );
  return programs === undefined || usesMap(programs, counter.mapId);
}

function concernsProgram(counter: DropCounter, progIds: readonly number[], system: LiveSystem): boolean {
  if (counter.progId !== undefined) return progIds.includes(counter.progId);
  if (counter.mapId !== undefined) {
    const programs = known(progIds, system);
    const inEntry = (system.maps.get(counter.mapId)?.entries ?? []).some(({ progId }) => progIds.includes(progId ?? 0));
    return inEntry || programs === undefined || usesMap(programs, counter.mapId);
  }
  const devices = system.devices.filter((device) => device.ifindex === counter.fromIfindex);
  return devices.length === 0 || devices.some((device) => device.progIds.some((id) => progIds.includes(id)));
}

function concernsMap(counter: DropCounter, mapIds: readonly number[], system: LiveSystem): boolean {
  if (counter.mapId !== undefined && mapIds.includes(counter.mapId)) return true;
  // A redirect error that names a map is about that map alone; one without (a failed look-up) may be about any.
  if (counter.mapId !== undefined && system.maps.has(counter.mapId)) return false;
  const programs =
    counter.progId === undefined
      ? programsOn(
          system.devices.filter((device) => device.ifindex === counter.fromIfindex),
          system,
        )
      : known([counter.progId], system);
  return programs === undefined || mapIds.some((mapId) => usesMap(programs, mapId) || holds(mapId, counter, system));
}

/** An egress or cpumap program belongs to the map whose entries it sits in. */
function holds(mapId: number, { progId }: DropCounter, system: LiveSystem): boolean {
  return progId !== undefined && (system.maps.get(mapId)?.entries ?? []).some((entry) => entry.progId === progId);
}

function programsOn(devices: readonly LiveDevice[], system: LiveSystem): LiveProgram[] | undefined {
  return devices.length === 0
    ? undefined
    : known(
        devices.flatMap((device) => device.progIds),
        system,
      );
}

/** The programs of these ids, or undefined when one is not known. */
function known(progIds: readonly number[], system: LiveSystem): LiveProgram[] | undefined {
  const programs = progIds.map((id) => system.programs.get(id));
  return programs.some((program) => program === undefined)
    ? undefined
    : programs.filter((program) => program !== undefined);
}

function usesMap(programs: readonly LiveProgram[], mapId: number): boolean {
  return programs.some((program) => program.mapIds.includes(mapId));
}
