import type { LiveDevice, LiveNetns } from '../../domain/live-system.ts';
import { xskLosses, type XskStatistics } from '../../domain/xsk-statistics.ts';
import type { QueueWithSocket } from '../../kernel/af-xdp/queue-sockets.ts';
import type { SocketSurvey, SurveyedSocket } from '../../kernel/af-xdp/socket-survey.ts';

/** A program that is attached to a device and redirects into XSKMAPs. */
export interface XskmapUse {
  readonly mapId: number;
  readonly ifindex: number;
  /** Inode number of the device's network namespace. */
  readonly netns: number;
  /** Whether it is known that its keys are receive queues. */
  readonly byQueue: boolean;
}

/** Everything that `xsk show` puts together. */
export interface XskSystem {
  readonly survey: SocketSurvey;
  /** Of all namespaces that could be entered. */
  readonly devices: readonly LiveDevice[];
  /** Of the current namespace; undefined where the kernel does not tell. */
  readonly queues: readonly QueueWithSocket[] | undefined;
  readonly mapNames: ReadonlyMap<number, string>;
  readonly uses: readonly XskmapUse[];
}

/** Why frames do not get where they should: codes of `debug explain` and `redirect check`. */
export type XskProblem = 'xsk-unbound' | 'xsk-wrong-queue' | 'queue-without-socket';

/** A socket, or a queue that has none. */
export interface XskRow {
  readonly ifname?: string;
  readonly ifindex?: number;
  /** Name, or inode number, of the network namespace; absent for the current one. */
  readonly netns?: string | number;
  readonly queue?: number;
  /** `free` is a queue that has no socket, `unknown` a socket that could not be looked at. */
  readonly state: 'bound' | 'unbound' | 'device-gone' | 'free' | 'unknown';
  readonly mode?: 'copy' | 'zerocopy';
  readonly pid?: number;
  readonly comm?: string;
  readonly pids?: readonly { readonly pid: number; readonly comm: string }[];
  readonly inode?: number;
  readonly maps: readonly { readonly id: number; readonly name?: string; readonly key: number }[];
  readonly rings?: Readonly<Record<string, number>>;
  /** The most entries that the other rings can have. */
  readonly rings_at_most?: Readonly<Record<string, number>>;
  readonly statistics?: XskStatistics;
  readonly losses?: readonly { readonly code: string; readonly count: number }[];
  readonly problems: readonly XskProblem[];
}

/** What of all there is the user wants to see. */
export interface XskFilter {
  /** A device of the current namespace: all its queues. */
  readonly ifindex?: number;
  readonly mapId?: number;
}

/** The sockets by device and queue, then the queues without one, then the sockets that are not bound. */
export function xskRows(system: XskSystem, filter: XskFilter): XskRow[] {
  const rows = [...system.survey.sockets.map((socket) => socketRow(socket, system)), ...hiddenRows(system)];
  const wanted = [...rows, ...freeRows(system, filter, rows)].filter((row) => isWanted(row, filter, system));
  return wanted.sort(compare);
}

function socketRow(socket: SurveyedSocket, system: XskSystem): XskRow {
  const { details, owners, places, inode, statistics } = socket;
  const bound = details?.state === 'bound';
  const device = bound ? findDevice(system, details.ifindex, details.netns) : undefined;
  const processes = owners.map(({ pid, comm }) => ({ pid, comm }));
  const rings = ringSizes(socket, true);
  const ringsAtMost = ringSizes(socket, false);
  return {
    ...(device !== undefined && { ifname: device.ifname }),
    ...(bound && { ifindex: details.ifindex }),
    ...(details !== undefined && netnsOf(details.netns, system)),
    ...(bound && { queue: details.queue }),
    state: details?.state ?? 'unknown',
    ...(bound && { mode: details.zeroCopy ? 'zerocopy' : 'copy' }),
    ...processes[0],
    ...(processes.length > 1 && { pids: processes }),
    ...(inode !== 0 && { inode }),
    maps: places.map(({ mapId, key }) => ({ id: mapId, ...mapName(mapId, system), key })),
    ...(rings !== undefined && { rings }),
    ...(ringsAtMost !== undefined && { rings_at_most: ringsAtMost }),
    ...(statistics !== undefined && { statistics, losses: xskLosses(statistics, details?.zeroCopy ?? false) }),
    problems: problemsOf(socket, system),
  };
}

/** Ring sizes that are certain, or those that are not. */
function ringSizes({ rings = {} }: SurveyedSocket, exact: boolean): Record<string, number> | undefined {
  const sizes = Object.entries(rings).filter(([, size]) => size.exact === exact);
  return sizes.length === 0 ? undefined : Object.fromEntries(sizes.map(([kind, { entries }]) => [kind, entries]));
}

function problemsOf(socket: SurveyedSocket, { uses, survey }: XskSystem): XskProblem[] {
  const { details, places } = socket;
  if (details === undefined || places.length === 0) return [];
  if (details.state !== 'bound') return ['xsk-unbound'];
  const misplaced = places.some(({ mapId, key }) => {
    const devices = uses.filter((use) => use.mapId === mapId);
    const byQueue = devices.some((use) => use.byQueue) || !sharesQueue(socket, mapId, survey);
    if (byQueue && key !== details.queue) return true;
    return (
      devices.length > 0 &&
      !devices.some(({ ifindex, netns }) => ifindex === details.ifindex && netns === details.netns)
    );
  });
  return misplaced ? ['xsk-wrong-queue'] : [];
}

/**
 * Whether another socket in the map has the same queue (XDP_SHARED_UMEM): then the program chooses among them, and keys are
 * no queues.
 */
function sharesQueue({ inode, details }: SurveyedSocket, mapId: number, { sockets }: SocketSurvey): boolean {
  return sockets.some(
    (other) =>
      other.inode !== inode &&
      other.places.some((place) => place.mapId === mapId) &&
      other.details?.state === 'bound' &&
      other.details.queue === details?.queue &&
      other.details.ifindex === details.ifindex &&
      other.details.netns === details.netns,
  );
}

/** Queues that the kernel says have a socket, which nobody could find: of processes that may not be looked at. */
function hiddenRows(system: XskSystem): XskRow[] {
  const here = system.devices.filter(({ netns }) => netns.current);
  return (system.queues ?? []).flatMap(({ ifindex, queue }): XskRow[] => {
    const device = here.find((each) => each.ifindex === ifindex);
    const known = system.survey.sockets.some(
      ({ details }) =>
        details?.state === 'bound' &&
        details.ifindex === ifindex &&
        details.queue === queue &&
        details.netns === device?.netns.inode,
    );
    if (known || device === undefined) return [];
    return [{ ifname: device.ifname, ifindex, queue, state: 'bound', maps: [], problems: [] }];
  });
}

/** The queues without a socket, of the device that was asked for, or of all that have sockets or redirect to some. */
function freeRows(system: XskSystem, { ifindex, mapId }: XskFilter, rows: readonly XskRow[]): XskRow[] {
  return system.devices.flatMap((device) => {
    const netns = netnsOf(device.netns.inode, system).netns;
    const used = rows.filter((row) => row.ifindex === device.ifindex && row.netns === netns);
    const uses = system.uses.filter((use) => use.ifindex === device.ifindex && use.netns === device.netns.inode);
    const asked =
      ifindex === undefined ? used.length > 0 || uses.length > 0 : device.netns.current && device.ifindex === ifindex;
    if (!asked || (mapId !== undefined && !uses.some((use) => use.mapId === mapId))) return [];
    return Array.from({ length: device.rxQueues ?? 0 }, (_, queue) => queue)
      .filter((queue) => !used.some((row) => row.queue === queue))
      .map((queue): XskRow => ({
        ifname: device.ifname,
        ifindex: device.ifindex,
        ...(netns !== undefined && { netns }),
        queue,
        state: 'free',
        maps: [],
        problems: uses.length > 0 ? ['queue-without-socket'] : [],
      }));
  });
}

function isWanted(row: XskRow, { ifindex, mapId }: XskFilter, { uses }: XskSystem): boolean {
  if (ifindex !== undefined) return row.ifindex === ifindex && row.netns === undefined;
  if (mapId === undefined) return true;
  return row.state === 'free' ? uses.some((use) => use.mapId === mapId) : row.maps.some(({ id }) => id === mapId);
}

function findDevice({ devices }: XskSystem, ifindex: number, netns: number): LiveDevice | undefined {
  return devices.find((device) => device.ifindex === ifindex && device.netns.inode === netns);
}

/** Nothing for the current namespace. */
function netnsOf(inode: number, { devices }: XskSystem): { readonly netns?: string | number } {
  const netns: LiveNetns | undefined = devices.find((device) => device.netns.inode === inode)?.netns;
  return netns?.current === true ? {} : { netns: netns?.name ?? inode };
}

function mapName(id: number, { mapNames }: XskSystem): { readonly name?: string } {
  const name = mapNames.get(id);
  return name === undefined || name === '' ? {} : { name };
}

/** By namespace (the current one first), device, queue; what is not bound comes last. */
function compare(a: XskRow, b: XskRow): number {
  return (
    Number(a.ifindex === undefined) - Number(b.ifindex === undefined) ||
    String(a.netns ?? '').localeCompare(String(b.netns ?? '')) ||
    (a.ifindex ?? 0) - (b.ifindex ?? 0) ||
    (a.queue ?? 0) - (b.queue ?? 0) ||
    (a.inode ?? 0) - (b.inode ?? 0)
  );
}
