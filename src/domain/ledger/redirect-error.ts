import { noMapId } from '../drop-counter.ts';
import { errnoName } from '../errno.ts';
import { kernelAtLeast } from '../kernel-version.ts';
import type { LiveMap } from '../live-system.ts';
import { isBroadcastError, memberDown, memberTooSmall } from './broadcast-error.ts';
import { notBoundHere, splitsErrnos } from './early-socket.ts';
import { bindSocket, writeQueue } from './fixes.ts';
import type { SocketCause } from './loss.ts';
import { nameOf, namesMap, redirectMaps, type Scene } from './scene.ts';
import { cannotTransmit, exceedsMtu, isDown } from './target.ts';
import { certain, likely, type Verdict } from './verdict.ts';

/** xdp_redirect_err: the redirect itself failed; the errno says why, the kind of map what it means. */
export function redirectError(scene: Scene): Verdict {
  const { counter, map } = scene;
  const error = errnoName(counter.errno ?? 0);
  if (map?.type === 'xskmap') return socketError(scene, map, error);
  if (map?.type === 'cpumap') return cpuError(scene, map, error);
  switch (error) {
    case 'EOPNOTSUPP':
      return cannotTransmit(scene);
    case 'ENETDOWN':
      return isBroadcastError(scene) ? memberDown(scene) : isDown(scene);
    case 'EMSGSIZE':
      return isBroadcastError(scene) ? memberTooSmall(scene) : exceedsMtu(scene);
    case 'EOVERFLOW':
      return noHeadroom();
    case 'EBADRQC':
      return noCall(scene);
    case 'EINVAL':
      return isWithoutMap(scene) ? withoutMap(scene) : goneMap(scene, error);
    case 'ENXIO':
      return kernelAtLeast(scene.system.kernel, '5.6') ? goneMap(scene, error) : cannotTransmit(scene);
    default:
      return goneMap(scene, error);
  }
}

function noHeadroom(): Verdict {
  return certain('no-headroom', 'the driver left no room in front of the frame for what a redirected frame carries');
}

function noCall({ counter, program }: Scene): Verdict {
  const who = program?.name ?? `program ${counter.progId}`;
  const explanation = withoutCall(who);
  return counter.mapId === 0 ? certain('no-redirect-call', explanation) : likely('no-redirect-call', explanation);
}

function withoutCall(who: string): string {
  return `${who} returned XDP_REDIRECT without calling bpf_redirect_map() or bpf_redirect()`;
}

/** Before 5.13 the event shows 0 where there was no map (include/trace/events/xdp.h). */
function isWithoutMap({ counter, system }: Scene): boolean {
  return counter.mapId === noMapId || (counter.mapId === 0 && !kernelAtLeast(system.kernel, '5.13'));
}

/** EINVAL without a map: bpf_redirect() to an ifindex that is not there, or a failed look-up whose result was ignored. */
function withoutMap(scene: Scene): Verdict {
  const { counter, program, from, system } = scene;
  const target = counter.toIfindex ?? 0;
  const who = program?.name ?? `program ${counter.progId}`;
  const maps = redirectMaps(program, system);
  const couldBeKey = target === 0 || maps.some((map) => isKeyOf(map, target));
  const stale = `${who} returned XDP_REDIRECT although its look-up had failed: it must return what bpf_redirect_map() returns`;
  if (maps.length > 0 && couldBeKey) return certainIf(target === 0, 'stale-target', stale);
  if (program === undefined && target === 0) return likely('stale-target', stale);
  // Since Linux 5.13 that is EBADRQC; before, it looks like bpf_redirect(0).
  if (target === 0 && counter.mapId === 0) {
    return likely('no-redirect-call', withoutCall(who));
  }
  const receiver = nameOf(from, counter.fromIfindex);
  const absent = `${who} redirected to ifindex ${target}, which the network namespace of ${receiver} does not have`;
  const orLeft =
    '; or its look-up failed, it returned XDP_REDIRECT all the same, and an earlier redirect left that ifindex behind';
  const explanation = maps.length === 0 ? absent : absent + orLeft;
  const gone =
    from !== undefined &&
    !system.devices.some(({ ifindex, netns }) => ifindex === target && netns.inode === from.netns.inode);
  return certainIf(gone && program !== undefined && maps.length === 0, 'no-such-interface', explanation);
}

function certainIf(proven: boolean, code: Verdict['code'], explanation: string): Verdict {
  return proven ? certain(code, explanation) : likely(code, explanation);
}

function isKeyOf(map: LiveMap, key: number): boolean {
  return map.type === 'devmap_hash' ? map.entries?.some((entry) => entry.key === key) === true : key < map.maxEntries;
}

function cpuError({ counter }: Scene, map: LiveMap, error: string | undefined): Verdict {
  const key = counter.mapIndex;
  if (error === 'ENOSPC') return queueFull(map, key);
  if (error === 'EOVERFLOW') return noHeadroom();
  if (error === 'EBADRQC') return notUnderstood(`a cpumap needs native mode before Linux 5.15 (${error})`);
  return notUnderstood(`the redirect to CPU ${key} failed with ${error ?? counter.errno}`);
}

/** The queue of a cpumap entry was full; the next longer one is proposed. */
export function queueFull(map: LiveMap | undefined, cpu: number | undefined): Verdict {
  const entry = map?.entries?.find(({ key }) => key === cpu);
  const length = entry?.qsize;
  const explanation = `the queue of CPU ${cpu}${length === undefined ? '' : `, ${length} frames,`} was full: the CPU took frames slower than they came`;
  const longer = Math.min(16_384, Math.max(2048, 4 * (length ?? 0)));
  const fix = map === undefined || length === 16_384 ? undefined : writeQueue(map, cpu, longer, entry);
  return certain('cpumap-full', explanation, { mapId: map?.id, key: cpu, cpu, fix });
}

function socketError(scene: Scene, map: LiveMap, error: string | undefined): Verdict {
  const { counter, from, system, proof } = scene;
  const socket = `the AF_XDP socket at key ${counter.mapIndex}`;
  switch (error) {
    case 'ENXIO':
      return certain('xsk-unbound', `${socket} is not bound to a device, or its device is gone`, {
        fix: bindSocket(map, counter.mapIndex, from),
      });
    case 'EINVAL':
      return splitsErrnos(system)
        ? certain('xsk-wrong-queue', `${socket} is bound to another device or queue than the frames came in by`)
        : notBoundHere(scene, map);
    case 'ENOMEM':
      return noRoom(socket, 'fill-ring-empty');
    case 'ENOBUFS':
      return noRoom(socket, 'rx-ring-full');
    case 'ENOSPC':
      if (splitsErrnos(system)) return noRoom(socket, 'frame-too-large');
      if (proof?.kind === 'socket') return noRoom(socket, proof.cause);
      return likely(
        'xsk-rx-ring-full',
        `${socket} had a full RX ring, an empty fill ring, or too small buffers: before Linux 5.19 they look alike`,
      );
    case 'EOVERFLOW':
      return noHeadroom();
    default:
      return notUnderstood(`${socket} did not take the frame (${error ?? counter.errno})`);
  }
}

function noRoom(socket: string, cause: SocketCause): Verdict {
  switch (cause) {
    case 'fill-ring-empty':
      return certain(
        'xsk-fill-ring-empty',
        `${socket} had no free buffer: its owner does not refill the fill ring in time`,
      );
    case 'rx-ring-full':
      return certain('xsk-rx-ring-full', `the RX ring of ${socket} was full: its owner does not read in time`);
    case 'frame-too-large':
      return certain(
        'xsk-frame-too-large',
        `frames are longer than the buffers of ${socket} (chunk size less 256 bytes and headroom)`,
      );
  }
}

/** The map is gone or unknown, or the errno says nothing about a device. */
function goneMap(scene: Scene, error: string | undefined): Verdict {
  const { counter, map } = scene;
  const socket = `an AF_XDP socket at key ${counter.mapIndex}, of a map that is gone or may not be looked at,`;
  if (map === undefined && namesMap(counter) && counter.toIfindex === 0) {
    if (error === 'ENXIO') return likely('xsk-unbound', `${socket} was not bound`);
    if (error === 'ENOBUFS') return likely('xsk-rx-ring-full', `${socket} had a full RX ring`);
    if (error === 'ENOMEM') return likely('xsk-fill-ring-empty', `${socket} had no free buffer`);
    if (error === 'EINVAL') return likely('xsk-wrong-queue', `${socket} was bound to another device or queue`);
  }
  if (error === 'ENOMEM') return notUnderstood('no memory for a copy of the frame (broadcast)');
  if (error === 'ENOENT') return notUnderstood('the map was being freed while the frame was on its way');
  return notUnderstood(`the redirect failed with ${error ?? `errno ${counter.errno}`}`);
}

/** Seen, and not understood. */
export function notUnderstood(explanation: string): Verdict {
  return likely('unknown', explanation);
}
