import { littleEndian } from '../domain/byte-order.ts';
import { bytesOfText } from '../domain/byte-text.ts';
import { KernelRefusal } from '../domain/errors.ts';
import {
  decodeAttributes,
  decodeS32,
  decodeString,
  decodeU32,
  encodeAttributes,
  encodeString,
  encodeU32,
  type NetlinkMessage,
} from '../domain/netlink-message.ts';
import { ENODEV } from './check.ts';
import type { NetlinkSocket } from './netlink.ts';

export type XdpMode = 'native' | 'generic' | 'offload';

/** An XDP program on an interface. */
export interface XdpAttachment {
  readonly mode: XdpMode;
  readonly progId: number;
}

/** An interface as rtnetlink describes it, in the network namespace that was asked. */
export interface Interface {
  readonly ifindex: number;
  readonly name: string;
  readonly mtu: number;
  /** IFF_UP: administratively up. */
  readonly up: boolean;
  /** IFF_RUNNING: up, and the link works (operstate up or unknown). */
  readonly running: boolean;
  /** Whether the driver has a carrier; absent where the kernel does not tell. */
  readonly carrier?: boolean;
  /** `veth`, `bridge`, `tun`, …; absent for hardware and for lo. */
  readonly kind?: string;
  /** `02:00:…`; absent where there is none. */
  readonly mac?: string;
  /** Queues the device was made with; those in use may be fewer (ethtool.ts). */
  readonly rxQueues: number;
  readonly txQueues: number;
  /**
   * The device this one belongs to: the peer of a veth, the lower device of a VLAN or macvlan. `netnsId` is there when
   * that is in another namespace (namespaces.ts).
   */
  readonly link?: { readonly ifindex: number; readonly netnsId?: number };
  /** Ifindex of the bridge, bond or VRF it is in. */
  readonly master?: number;
  /** Mostly one; a card may carry an offloaded program beside that of its driver. */
  readonly xdp: readonly XdpAttachment[];
}

const RTM_NEWLINK = 16;
const RTM_GETLINK = 18;

/** sizeof(struct ifinfomsg). */
const IFINFOMSG = 16;
/** IFNAMSIZ without the final zero (linux/if.h); a longer name is refused, not looked for. */
const NAME_MAX = 15;
const IFF_UP = 1;
const IFF_RUNNING = 0x40;

/** enum in linux/if_link.h. */
const IFLA = {
  address: 1,
  name: 3,
  mtu: 4,
  link: 5,
  master: 10,
  linkinfo: 18,
  extMask: 29,
  txQueues: 31,
  rxQueues: 32,
  carrier: 33,
  linkNetnsId: 37,
  xdp: 43,
  targetNetnsId: 46,
} as const;
const IFLA_INFO_KIND = 1;
const IFLA_XDP = { attached: 2, progId: 4, driver: 5, skb: 6, hardware: 7 } as const;

/** RTEXT_FILTER_SKIP_STATS: without the counters an interface takes half the bytes (linux/rtnetlink.h). */
const SKIP_STATS = 1 << 3;

/**
 * All interfaces of a network namespace, by one dump.
 *
 * @param socket NETLINK_ROUTE, of that namespace
 * @throws KernelRefusal `link list`
 */
export function readInterfaces(socket: NetlinkSocket): Interface[] {
  return socket
    .dump(RTM_GETLINK, requestBody(0, []), { operation: 'link list' })
    .filter(isInterface)
    .map(decodeInterface);
}

/**
 * One interface, or undefined when there is none of that ifindex or name.
 *
 * @param netnsId of the namespace it is in, when that is not the socket's: nobody needs to go there
 * @throws KernelRefusal `link get`; EINVAL where the kernel does not know the namespace (before 5.0 any other)
 */
export function readInterface(which: number | string, socket: NetlinkSocket, netnsId?: number): Interface | undefined {
  if (typeof which === 'string' && bytesOfText(which).length > NAME_MAX) return undefined;
  const attributes = netnsId === undefined ? [] : [{ type: IFLA.targetNetnsId, payload: encodeU32(netnsId) }];
  const body =
    typeof which === 'number'
      ? requestBody(which, attributes)
      : requestBody(0, [...attributes, { type: IFLA.name, payload: encodeString(which) }]);
  try {
    const messages = socket.get(RTM_GETLINK, body, { operation: 'link get', facts: { ifname: which } });
    const message = messages.find(isInterface);
    return message === undefined ? undefined : decodeInterface(message);
  } catch (error) {
    if (error instanceof KernelRefusal && error.errno === ENODEV) return undefined;
    throw error;
  }
}

function requestBody(ifindex: number, attributes: Parameters<typeof encodeAttributes>[0]): Uint8Array {
  const rest = encodeAttributes([...attributes, { type: IFLA.extMask, payload: encodeU32(SKIP_STATS) }]);
  const body = new Uint8Array(IFINFOMSG + rest.length);
  new DataView(body.buffer).setInt32(4, ifindex, littleEndian);
  body.set(rest, IFINFOMSG);
  return body;
}

function isInterface({ type, body }: NetlinkMessage): boolean {
  return type === RTM_NEWLINK && body.length >= IFINFOMSG;
}

/** struct ifinfomsg (linux/rtnetlink.h), then attributes. */
function decodeInterface({ body }: NetlinkMessage): Interface {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const attributes = decodeAttributes(body.subarray(IFINFOMSG));
  const flags = view.getUint32(8, littleEndian);
  const carrier = attributes.get(IFLA.carrier)?.[0];
  const kind = attributeIn(attributes.get(IFLA.linkinfo), IFLA_INFO_KIND);
  const mac = attributes.get(IFLA.address);
  const master = decodeU32(attributes.get(IFLA.master));
  const link = decodeLink(attributes);
  return {
    ifindex: view.getInt32(4, littleEndian),
    name: decodeString(attributes.get(IFLA.name) ?? new Uint8Array()),
    mtu: decodeU32(attributes.get(IFLA.mtu)) ?? 0,
    up: (flags & IFF_UP) !== 0,
    running: (flags & IFF_RUNNING) !== 0,
    rxQueues: decodeU32(attributes.get(IFLA.rxQueues)) ?? 1,
    txQueues: decodeU32(attributes.get(IFLA.txQueues)) ?? 1,
    xdp: decodeXdp(attributes.get(IFLA.xdp)),
    ...(carrier !== undefined && { carrier: carrier !== 0 }),
    ...(kind !== undefined && { kind: decodeString(kind) }),
    ...(mac !== undefined && mac.length > 0 && { mac: macText(mac) }),
    ...(link !== undefined && { link }),
    ...(master !== undefined && { master }),
  };
}

function decodeLink(attributes: ReadonlyMap<number, Uint8Array>): Interface['link'] {
  const ifindex = decodeU32(attributes.get(IFLA.link));
  if (ifindex === undefined || ifindex === 0) return undefined;
  const netnsId = decodeS32(attributes.get(IFLA.linkNetnsId));
  return { ifindex, ...(netnsId !== undefined && { netnsId }) };
}

/** XDP_ATTACHED_* (linux/if_link.h); with several programs the kernel says MULTI, and the id of each by its mode. */
const attachedModes: Readonly<Record<number, XdpMode>> = { 1: 'native', 2: 'generic', 3: 'offload' };

function decodeXdp(payload: Uint8Array | undefined): XdpAttachment[] {
  if (payload === undefined) return [];
  const nest = decodeAttributes(payload);
  const byMode: readonly (readonly [XdpMode, number | undefined])[] = [
    ['native', decodeU32(nest.get(IFLA_XDP.driver))],
    ['generic', decodeU32(nest.get(IFLA_XDP.skb))],
    ['offload', decodeU32(nest.get(IFLA_XDP.hardware))],
  ];
  const found = byMode.flatMap(([mode, progId]) => (progId === undefined ? [] : [{ mode, progId }]));
  const mode = attachedModes[nest.get(IFLA_XDP.attached)?.[0] ?? 0];
  const progId = decodeU32(nest.get(IFLA_XDP.progId));
  // Before 4.19 there is one id, without a mode of its own.
  return found.length === 0 && mode !== undefined && progId !== undefined ? [{ mode, progId }] : found;
}

function attributeIn(nest: Uint8Array | undefined, type: number): Uint8Array | undefined {
  return nest === undefined ? undefined : decodeAttributes(nest).get(type);
}

function macText(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(':');
}
