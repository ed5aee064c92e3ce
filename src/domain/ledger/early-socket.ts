import { errnoNumber } from '../errno.ts';
import type { Evidence } from '../evidence.ts';
import { kernelAtLeast } from '../kernel-version.ts';
import type { LiveMap, LiveSystem } from '../live-system.ts';
import type { XskStatistics } from '../xsk-statistics.ts';
import { divide } from './divide.ts';
import { bindSocket } from './fixes.ts';
import type { Loss, SocketCause } from './loss.ts';
import type { Scene } from './scene.ts';
import { certain, likely, type Verdict } from './verdict.ts';

/*
 * Before Linux 5.19 an AF_XDP socket has two errnos for all reasons not to take a frame (xsk_rcv() in net/xdp/xsk.c): what
 * the socket is like, and what it counts, tells them apart.
 */

/** Whether each reason has an errno of its own. */
export function splitsErrnos({ kernel }: LiveSystem): boolean {
  return kernelAtLeast(kernel, '5.19');
}

/** Divides frames for which there was no room (ENOSPC) by what the socket says that it lacked. */
export function divideSocketLosses(losses: readonly Loss[], system: LiveSystem, { sockets }: Evidence): Loss[] {
  if (sockets === undefined || splitsErrnos(system)) return [...losses];
  const left = new Map([...sockets].map(([place, statistics]) => [place, countedCauses(statistics)]));
  return losses.flatMap((loss) => {
    const { event, errno, mapId = 0, mapIndex = 0 } = loss.counter;
    const causes = left.get(socketPlace(mapId, mapIndex));
    const isNoRoom = event === 'xdp_redirect_err' && errno === errnoNumber('ENOSPC');
    return causes === undefined || !isNoRoom ? [loss] : divide(loss, causes, (cause) => ({ kind: 'socket', cause }));
  });
}

/** The key of Evidence.sockets. */
export function socketPlace(mapId: number, key: number): string {
  return `${mapId} ${key}`;
}

function countedCauses(statistics: XskStatistics): Map<SocketCause, number> {
  const { rx_dropped: dropped, rx_ring_full: full, rx_fill_ring_empty_descs: empty } = statistics;
  const withoutBuffer = Math.min(dropped, empty);
  return new Map([
    ['rx-ring-full', full],
    ['fill-ring-empty', withoutBuffer],
    ['frame-too-large', dropped - withoutBuffer],
  ]);
}

/** EINVAL: the socket is not bound, or not to the queue that the frames came in by. */
export function notBoundHere({ counter, from, before }: Scene, map: LiveMap): Verdict {
  const key = counter.mapIndex;
  const name = `the AF_XDP socket at key ${key}`;
  const elsewhere = `${name} is bound to another device or queue than the frames came in by`;
  const unbound = { fix: bindSocket(map, key, from) };
  const socket = socketAt(map, key);
  switch (socket?.state) {
    case 'unbound':
    case 'device-gone':
      return certain('xsk-unbound', `${name} is not bound to a device, or its device is gone`, unbound);
    case 'bound': {
      const isHere = socket.ifindex === from?.ifindex && socket.netns === from?.netns.inode;
      if (!isHere) return certain('xsk-wrong-queue', elsewhere);
      const earlier = socketAt(before?.maps.get(map.id), key)?.state;
      if (earlier === 'unbound' || from?.rxQueues === 1) {
        return likely('xsk-unbound', `${name} was not bound when the frames came; it is now`);
      }
      return (earlier === 'bound' ? certain : likely)('xsk-wrong-queue', elsewhere);
    }
    default:
      return likely('xsk-wrong-queue', `${elsewhere}, or to none (before Linux 5.19 both look alike)`);
  }
}

function socketAt(map: LiveMap | undefined, key: number | undefined) {
  return map?.entries?.find((entry) => entry.key === key)?.socket;
}
