import { KernelRefusal } from '../domain/errors.ts';
import type { DeviceTally, Evidence } from '../domain/evidence.ts';
import { socketPlace, splitsErrnos } from '../domain/ledger/early-socket.ts';
import { hopsOf } from '../domain/ledger/hop.ts';
import type { LiveDevice, LiveSystem } from '../domain/live-system.ts';
import { type TransmitCounters, transmitTally } from '../domain/transmit-tally.ts';
import { noXskStatistics, type XskStatistics, xskStatisticsSince } from '../domain/xsk-statistics.ts';
import { type SurveyedSocket, surveySockets } from './af-xdp/socket-survey.ts';
import { readOwnMisses } from './own-misses.ts';
import { readTransmitCounters } from './transmit-counters.ts';

/** More devices than this are not all read: then only those that frames are redirected to, as far as maps tell. */
const MANY_DEVICES = 64;

interface Place {
  readonly ifindex: number;
  readonly netns: number;
}

/** What the kernel's own counters say at a moment: those of devices, and those of redirect programs of ours. */
export interface CounterReading {
  readonly devices: ReadonlyMap<string, Place & TransmitCounters>;
  readonly misses: ReadonlyMap<number, ReadonlyMap<number, number>>;
  readonly sockets: readonly SurveyedSocket[];
}

/** Before anything was read. */
export const noReading: CounterReading = { devices: new Map(), misses: new Map(), sockets: [] };

/** Reads what tells causes apart that look alike as events. */
export function readCounters(system: LiveSystem): CounterReading {
  const devices = new Map<string, Place & TransmitCounters>();
  for (const [device, counters] of readTransmitCounters(targetsIn(system))) {
    const place = { ifindex: device.ifindex, netns: device.netns.inode };
    devices.set(keyOf(place), { ...place, ...counters });
  }
  return { devices, misses: readOwnMisses(system), sockets: splitsErrnos(system) ? [] : readSockets(system) };
}

/** What was counted between two readings. */
export function evidenceBetween(
  before: CounterReading,
  after: CounterReading,
): Pick<Evidence, 'devices' | 'misses' | 'sockets'> {
  return {
    devices: tallies(before, after),
    misses: missesBetween(before, after),
    sockets: socketsBetween(before, after),
  };
}

function readSockets({ maps }: LiveSystem): readonly SurveyedSocket[] {
  if (![...maps.values()].some(({ type }) => type === 'xskmap')) return [];
  try {
    return surveySockets().sockets;
  } catch (error) {
    if (error instanceof KernelRefusal) return [];
    throw error;
  }
}

/** One that was not there before has counted since it was opened. */
function socketsBetween(before: CounterReading, after: CounterReading): ReadonlyMap<string, XskStatistics> {
  return new Map(
    after.sockets.flatMap(({ inode, places, statistics }) => {
      if (statistics === undefined) return [];
      const earlier = before.sockets.find((socket) => socket.inode === inode)?.statistics ?? noXskStatistics;
      const counted = xskStatisticsSince(earlier, statistics);
      return places.map(({ mapId, key }): [string, XskStatistics] => [socketPlace(mapId, key), counted]);
    }),
  );
}

function targetsIn(system: LiveSystem): LiveDevice[] {
  const { devices } = system;
  return devices.length <= MANY_DEVICES ? [...devices] : [...new Set(hopsOf(system).map(({ to }) => to))];
}

/** Of devices that came meanwhile nothing is known. */
function tallies(before: CounterReading, after: CounterReading): DeviceTally[] {
  return [...after.devices].flatMap(([key, now]) => {
    const then = before.devices.get(key);
    return then === undefined ? [] : [{ ifindex: now.ifindex, netns: now.netns, ...transmitTally(then, now) }];
  });
}

function missesBetween(before: CounterReading, after: CounterReading): CounterReading['misses'] {
  return new Map(
    [...after.misses].map(([progId, keys]) => {
      const old = before.misses.get(progId);
      return [progId, new Map([...keys].map(([key, count]) => [key, count - (old?.get(key) ?? 0)]))];
    }),
  );
}

function keyOf({ ifindex, netns }: Place): string {
  return `${ifindex} ${netns}`;
}
