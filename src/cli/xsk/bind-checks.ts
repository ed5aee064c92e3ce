import { type AttachDangers, attachDangers, isHardware } from '../../domain/attach-safety.ts';
import { KernelRefusal, ToolError, usageError } from '../../domain/errors.ts';
import { kernelFeatures } from '../../domain/kernel-feature.ts';
import type { LiveDevice } from '../../domain/live-system.ts';
import { tooManyRxQueues } from '../../domain/xdp-queues.ts';
import { readDevice } from '../../kernel/devices.ts';
import { channels } from '../../kernel/ethtool.ts';
import { hasFeature } from '../../kernel/kernel-features.ts';
import { BpfMap } from '../../kernel/map.ts';
import { type XdpFeatures, readXdpFeaturesOf } from '../../kernel/netdev-features.ts';
import { NETLINK_ROUTE, NetlinkSocket } from '../../kernel/netlink.ts';
import type { Warning } from '../../output/reporter.ts';
import { ownerText, readXskmap, type SocketValue } from '../map/format/xskmap.ts';
import { mapText } from '../map/map-text.ts';
import { neighbourhood, sshAddress } from '../redirect/safety.ts';
import { deviceIndex } from '../redirect/store.ts';
import type { BindRequest } from './bind-request.ts';
import { bindWarnings } from './bind-warnings.ts';
import { mapsOfAttached } from './program-maps.ts';

/** What was found out before anything was changed. */
export interface BindTarget {
  readonly device: LiveDevice;
  /** The user's map; undefined with --attach. */
  readonly map: BpfMap | undefined;
  readonly warnings: readonly Warning[];
}

/**
 * Checks all that can be checked without changing anything.
 *
 * @param open the map that was named
 * @throws ToolError not-found, usage, unsupported, conflict, refused
 */
export function checkBind(
  request: BindRequest,
  open: () => BpfMap | undefined,
  env: Readonly<Record<string, string | undefined>>,
): BindTarget {
  const { ifname, queue } = request;
  const found = readDevice(deviceIndex(ifname));
  if (found === undefined) throw new ToolError('not-found', `${ifname} has just gone`);
  const device = { ...found, rxQueues: queuesInUse(found) };
  checkQueue(device, queue);
  const features = readXdpFeaturesOf(device.ifindex);
  checkMode(request, features);
  const map = open();
  if (map === undefined) checkNoProgram(device);
  else checkMap(map, queue);
  const around = neighbourhood();
  const dangers = attachDangers(device.ifindex, around, () => sshAddress(env));
  checkSafety(request, dangers);
  const warnings = bindWarnings(request, {
    device,
    zeroCopy: features?.zeroCopy,
    fragments: hasFeature(kernelFeatures.socketFragments),
    hardware: isHardware(device.ifindex, around.interfaces),
    dangers,
    map: map && { id: map.info.id, text: mapText(map.info), used: isUsed(map, device) },
  });
  return { device, map, warnings };
}

/** A device is made with queues for all CPUs, and uses fewer. */
function queuesInUse({ ifname, rxQueues = 1 }: LiveDevice): number {
  using socket = new NetlinkSocket(NETLINK_ROUTE);
  return channels(socket.fd, ifname)?.rx ?? rxQueues;
}

function checkQueue(device: LiveDevice, queue: number): void {
  const { ifname, rxQueues = 1 } = device;
  if (queue < rxQueues) return;
  const queues = rxQueues === 1 ? '1 receive queue, number 0' : `${rxQueues} receive queues, 0 to ${rxQueues - 1}`;
  throw usageError(
    `${ifname} has no queue ${queue}: it has ${queues}`,
    ({ other }) =>
      tooManyRxQueues(device, queue + 1) ??
      `more of them, where the driver can: ${other(['ethtool', '-L', ifname, 'rx', String(queue + 1)])} (or combined)`,
  );
}

function checkMode({ ifname, mode }: BindRequest, features: XdpFeatures | undefined): void {
  if (mode !== 'zerocopy' || features === undefined || features.zeroCopy) return;
  throw new ToolError('unsupported', `the driver of ${ifname} has no AF_XDP in zero-copy mode`, {
    hint: 'with --copy every driver will do',
  });
}

/**
 * A program that is attached takes the frames of the queue away from the stack, by which the caller may be connected.
 *
 * @throws ToolError refused
 */
function checkSafety({ ifname, queue, path, yes, duration }: BindRequest, { grave }: AttachDangers): void {
  const [worst] = grave;
  if (worst === undefined || 'map' in path || yes || duration !== undefined) return;
  throw new ToolError('refused', `${worst}: taking what arrives at queue ${queue} of ${ifname} may cut you off`, {
    hint: 'add --duration 60s, after which it ends by itself, or --yes',
  });
}

/** @throws ToolError usage for a map of another type or without that key, conflict when the key has a socket */
function checkMap(map: BpfMap, queue: number): void {
  const { typeName, maxEntries } = map.info;
  if (typeName !== 'xskmap') {
    throw usageError(`${mapText(map.info)} is no xskmap`, 'AF_XDP sockets are entered in maps of type xskmap only');
  }
  if (queue >= maxEntries) {
    throw usageError(
      `${mapText(map.info)} has no key for queue ${queue}: its keys go from 0 to ${maxEntries - 1}`,
      'a larger map is needed, and a program that uses it',
    );
  }
  const [row] = readXskmap(map, queue, queue + 1).rows;
  if (row !== undefined) throw occupied(map, queue, row.formatted.value);
}

/** The error for a key that has a socket. */
export function occupied(map: BpfMap, key: number, value?: SocketValue): ToolError {
  const owner = value === undefined ? '' : ownerText(value);
  return new ToolError(
    'conflict',
    `key ${key} of ${mapText(map.info)} has a socket already${owner === '' ? '' : `, of ${owner}`}`,
    {
      hint: ({ own }) =>
        `end its owner, or take it out: ${own(['map', 'delete', 'id', String(map.info.id), 'key', String(key)])}`,
      errno: 17,
      operation: 'map update',
    },
  );
}

/** With --attach the device must be free. @throws ToolError conflict */
function checkNoProgram({ ifname, progIds, xdpMode }: LiveDevice): void {
  const [id] = progIds;
  if (id === undefined) return;
  const map = xskmapOf(id);
  throw new ToolError('conflict', `${ifname} has program ${id} attached${xdpMode ? ` in ${xdpMode} mode` : ''}`, {
    hint:
      map === undefined
        ? ({ own }) => `take it off first: ${own(['net', 'detach', 'xdp', 'dev', ifname])}`
        : `it uses an xskmap: give --map id:${map} instead of --attach`,
  });
}

/** An xskmap that the program uses. */
function xskmapOf(programId: number): number | undefined {
  return mapsOfAttached(programId)?.find((id) => {
    try {
      using map = BpfMap.byId(id);
      return map.info.typeName === 'xskmap';
    } catch (error) {
      if (error instanceof KernelRefusal) return false;
      throw error;
    }
  });
}

/** Whether a program that is attached to the device uses the map; undefined where that cannot be known. */
function isUsed({ info }: BpfMap, { progIds }: LiveDevice): boolean | undefined {
  const used = progIds.map((id) => mapsOfAttached(id));
  if (used.some((ids) => ids?.includes(info.id))) return true;
  return used.includes(undefined) ? undefined : false;
}
