import type { AttachDangers } from '../../domain/attach-safety.ts';
import { setMtu, setUp } from '../../domain/ledger/fixes.ts';
import type { LiveDevice } from '../../domain/live-system.ts';
import { ONE_BUFFER_MTU } from '../../domain/target-health.ts';
import { largestFrame, largestThrough, xskRemedy } from '../../domain/xsk-remedy.ts';
import type { Warning } from '../../output/reporter.ts';
import type { BindRequest } from './bind-request.ts';

/** What surrounds a socket that is about to be bound. */
export interface BindScene {
  readonly device: LiveDevice;
  /** Whether its driver can do zero-copy (NETDEV_XDP_ACT_XSK_ZEROCOPY); undefined where the kernel does not tell. */
  readonly zeroCopy: boolean | undefined;
  /** Whether the kernel gives a socket the frames that lie in several buffers. */
  readonly fragments: boolean;
  readonly hardware: boolean;
  readonly dangers: AttachDangers;
  /** The map of the user; undefined with --attach. */
  readonly map: MapScene | undefined;
}

export interface MapScene {
  readonly id: number;
  readonly text: string;
  /** Whether a program that is attached to the device uses it; undefined where that cannot be known. */
  readonly used: boolean | undefined;
}

/** What the user should know about a socket that can be bound. */
export function bindWarnings(request: BindRequest, scene: BindScene): Warning[] {
  return [
    ...downWarning(scene),
    ...unusedWarning(request, scene),
    ...dangerWarnings(request, scene),
    ...resetWarnings(request, scene),
    ...sizeWarning(request, scene),
    ...fragmentWarning(request, scene),
  ];
}

function downWarning({ device }: BindScene): Warning[] {
  if (device.up) return [];
  return [{ message: `${device.ifname} is down: no frames will come`, hint: setUp(device) }];
}

function unusedWarning({ ifname }: BindRequest, { map }: BindScene): Warning[] {
  if (map?.used !== false) return [];
  return [
    {
      message: `no XDP program that uses ${map.text} is attached to ${ifname}: no frames will come`,
      hint: ({ own }) =>
        `attach one (${own(['redirect', 'attach', ifname, '--map', `id:${map.id}`])}), or let xsk bind bring one: --attach instead of --map`,
    },
  ];
}

/** The stack gets none of the frames that the socket gets. */
function dangerWarnings({ queue }: BindRequest, { map, dangers }: BindScene): Warning[] {
  if (map?.used === false) return [];
  return [
    ...dangers.grave.map((danger) => ({ message: `${danger}: what arrives at queue ${queue} no longer gets there` })),
    ...dangers.remarks.map((message) => ({ message })),
  ];
}

function resetWarnings({ ifname, mode, path }: BindRequest, { hardware, zeroCopy }: BindScene): Warning[] {
  const first =
    hardware && 'attach' in path && path.attach === 'native'
      ? [
          {
            message: `${ifname} is hardware: with the first native program its driver may set the rings up anew, which stops traffic for a moment`,
          },
        ]
      : [];
  if (mode === 'copy' || zeroCopy !== true) return first;
  return [
    ...first,
    {
      message: `${ifname} can do zero-copy: its driver may reset the rings when the first socket is bound, and lose what is under way`,
      hint: 'with --copy it does not',
    },
  ];
}

/** The mistake that costs frames and is seen in no counter but rx_dropped. */
function sizeWarning({ ifname, spec }: BindRequest, { device }: BindScene): Warning[] {
  const [most, room] = [largestThrough(device.mtu), largestFrame(spec.frameSize)];
  if (most <= room) return [];
  return [
    {
      message: `frames of ${ifname} may have ${most} bytes, and a buffer takes ${room}: larger ones will be lost (xsk-frame-too-large)`,
      hint: xskRemedy({ code: 'xsk-frame-too-large', count: 0 }, { ...spec, device }),
    },
  ];
}

/** They are lost without an event (xdp_do_redirect, net/core/filter.c), seen on Linux 6.1. */
function fragmentWarning({ ifname, path, spec }: BindRequest, { device, fragments }: BindScene): Warning[] {
  const [most, whole] = [largestThrough(device.mtu), largestThrough(ONE_BUFFER_MTU)];
  const generic = 'attach' in path && path.attach === 'generic';
  if (fragments || generic || most <= whole || largestFrame(spec.frameSize) <= whole) return [];
  const mend = setMtu(device, ONE_BUFFER_MTU);
  return [
    {
      message: `frames of ${ifname} may have ${most} bytes, and before Linux 6.6 no socket gets those that lie in several buffers, mostly of more than ${whole}: only the drops of ${ifname} count them`,
      ...(mend !== undefined && { hint: `a smaller MTU: ${mend}` }),
    },
  ];
}
