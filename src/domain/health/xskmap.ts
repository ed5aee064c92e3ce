import type { Certainty } from '../finding.ts';
import { bindSocket, lookUpByQueue, receiveByOne, removeEntry, replaceSocket, setRxQueues } from '../ledger/fixes.ts';
import { nameOf } from '../ledger/scene.ts';
import type { LiveMap, LiveSocket, LiveSystem } from '../live-system.ts';
import { keysOf, mapLabel, type ObservedEntry, type ObservedMap, type ObservedPath } from '../observed-path.ts';
import { missText } from './miss.ts';
import type { PathProblem } from './problem.ts';

/** What is wrong with an xskmap: queues without a socket, and sockets that cannot take what is redirected to them. */
export function xskmapProblems(path: ObservedPath, observed: ObservedMap, system: LiveSystem): PathProblem[] {
  const { map, entries } = observed;
  if (entries === undefined) return [];
  const sockets = entries.filter(({ reachable }) => reachable);
  const problems = [...missing(path, observed), ...sockets.flatMap((entry) => wrong(path, observed, entry, system))];
  return problems.map((problem) => ({ ...problem, mapId: map.id }));
}

/** A program that is not ours most probably looks sockets up by receive queue, as all examples do. */
function missing({ device }: ObservedPath, { map, user, entries = [] }: ObservedMap): PathProblem[] {
  const there = new Set(entries.map(({ entry }) => entry.key));
  const byQueue = user.keySource === undefined || user.keySource === 'queue';
  const keys = byQueue ? queuesOf(device.rxQueues) : (keysOf(user, device) ?? []);
  const certainty: Certainty = user.keySource === undefined ? 'likely' : 'certain';
  return keys
    .filter((key) => !there.has(key))
    .map((key): PathProblem => {
      const inside = key < map.maxEntries;
      const outside = inside ? '' : ` (its keys end at ${map.maxEntries - 1})`;
      if (byQueue) {
        const fix = inside ? bindSocket(map, key, device) : setRxQueues(device, map.maxEntries);
        const sentence = `${mapLabel(map)} has no AF_XDP socket for receive queue ${key} of ${device.ifname}${outside}: ${missText(user)}`;
        return { code: 'queue-without-socket', certainty, sentence, key, fix };
      }
      const sentence = `${mapLabel(map)} has no socket at key ${key}${outside}: ${missText(user)}`;
      return { code: 'map-miss', certainty, sentence, key, fix: inside ? bindSocket(map, key, device) : undefined };
    });
}

function queuesOf(count = 1): number[] {
  return Array.from({ length: count }, (_, queue) => queue);
}

function wrong(
  path: ObservedPath,
  { map, user, entries = [] }: ObservedMap,
  { entry: { key, socket } }: ObservedEntry,
  system: LiveSystem,
): PathProblem[] {
  const { device } = path;
  if (socket === undefined) return [];
  const who = `the AF_XDP socket at key ${key} of ${mapLabel(map)}${ownerText(socket)}`;
  // A key that is no queue of the device is none that frames could come by.
  const fix = key < (device.rxQueues ?? 1) ? replaceSocket(map, key, device) : removeEntry(map, key);
  if (socket.state === 'unbound' || socket.state === 'device-gone') {
    const sentence = `${who} ${socket.state === 'unbound' ? 'is not bound to any device' : 'was bound to a device that is gone'}`;
    return [{ code: 'xsk-unbound', certainty: 'certain', sentence, key, fix }];
  }
  const elsewhere = socket.ifindex !== undefined && !isBoundTo(socket, device);
  const oneKey = user.keySource !== undefined && user.keySource !== 'queue';
  if (!elsewhere && oneKey) return otherQueues(path, map, key, socket, who);
  const byQueue = user.keySource === 'queue' || !sharesQueue(socket, entries);
  const otherQueue = byQueue && socket.queue !== key && (socket.state === 'bound' || socket.queue !== 0);
  if (!elsewhere && !otherQueue) return [];
  const there = system.devices.find((candidate) => isBoundTo(socket, candidate));
  const where = elsewhere ? ` of ${nameOf(there, socket.ifindex)}` : '';
  const sentence = `${who} is bound to receive queue ${socket.queue}${where}, and takes nothing that comes by queue ${key} of ${device.ifname}`;
  const certainty: Certainty = elsewhere || user.keySource === 'queue' ? 'certain' : 'likely';
  return [{ code: 'xsk-wrong-queue', certainty, sentence, key, fix }];
}

/**
 * Frames of all receive queues are led to one socket, which takes those of its own: the kernel refuses the others
 * (xsk_rcv_check, net/xdp/xsk.c).
 */
function otherQueues(
  { device, mode, link }: ObservedPath,
  map: LiveMap,
  key: number,
  { queue, state }: LiveSocket,
  who: string,
): PathProblem[] {
  const queues = queuesOf(device.rxQueues);
  const others = queues.filter((each) => each !== queue);
  if (others.length === 0) return [];
  const all = queues.length === 1 ? 'of the only one' : `of all ${queues.length}`;
  const lost = `those of receive ${others.length === 1 ? 'queue' : 'queues'} ${others.join(', ')} are lost`;
  const sentence = `${who} is bound to receive queue ${queue}, and gets the frames ${all} that ${device.ifname} has: ${lost}`;
  // The first queue is the one that stays when there are fewer.
  const fix = queue === 0 ? receiveByOne(device) : lookUpByQueue(device, map, mode, link);
  // Without a state the socket may as well not be bound (xsk-unbound).
  return [{ code: 'xsk-wrong-queue', certainty: state === 'bound' ? 'certain' : 'likely', sentence, key, fix }];
}

/**
 * Whether another socket in the map has the same queue, which takes XDP_SHARED_UMEM: then the program chooses among them,
 * and keys are no queues (Documentation/networking/af_xdp.rst).
 */
function sharesQueue(one: LiveSocket, entries: readonly ObservedEntry[]): boolean {
  return entries.some(({ entry: { socket } }) => {
    const isOther = socket?.inode !== undefined && one.inode !== undefined && socket.inode !== one.inode;
    return (
      isOther &&
      socket.state === 'bound' &&
      socket.queue === one.queue &&
      socket.ifindex === one.ifindex &&
      socket.netns === one.netns
    );
  });
}

function isBoundTo(
  { ifindex, netns }: LiveSocket,
  device: { readonly ifindex: number; readonly netns: { readonly inode: number } },
): boolean {
  return ifindex === device.ifindex && (netns === undefined || netns === device.netns.inode);
}

function ownerText({ pid, comm }: LiveSocket): string {
  return pid === undefined ? '' : ` (${comm ?? 'process'} ${pid})`;
}
