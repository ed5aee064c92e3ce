import { littleEndian } from '../domain/byte-order.ts';
import { decodeAttributes, decodeU32, type NetlinkMessage } from '../domain/netlink-message.ts';
import type { NetlinkSocket } from './netlink.ts';

/** An address of an interface. */
export interface InterfaceAddress {
  readonly ifindex: number;
  /** Four bytes, or sixteen. */
  readonly bytes: Uint8Array;
  readonly prefixLength: number;
  /** Only for the link it is on, as every interface with IPv6 has one. */
  readonly linkLocal: boolean;
}

const RTM_NEWADDR = 20;
const RTM_GETADDR = 22;
const RTM_NEWROUTE = 24;
const RTM_GETROUTE = 26;

/** sizeof(struct ifaddrmsg) (linux/if_addr.h) and struct rtmsg (linux/rtnetlink.h). */
const IFADDRMSG = 8;
const RTMSG = 12;
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const RT_SCOPE_LINK = 253;
const RTN_UNICAST = 1;
const RTA_OIF = 4;
const RTA_MULTIPATH = 9;
/** sizeof(struct rtnexthop): u16 length, u8 flags, u8 hops, int ifindex. */
const RTNEXTHOP = 8;

/**
 * The IPv4 and IPv6 addresses of all interfaces of a network namespace.
 *
 * @param socket NETLINK_ROUTE, of that namespace
 * @throws KernelRefusal `address list`
 */
export function readAddresses(socket: NetlinkSocket): InterfaceAddress[] {
  return socket
    .dump(RTM_GETADDR, new Uint8Array(IFADDRMSG), { operation: 'address list' })
    .filter(({ type, body }) => type === RTM_NEWADDR && body.length >= IFADDRMSG)
    .flatMap(decodeAddress);
}

function decodeAddress({ body }: NetlinkMessage): InterfaceAddress[] {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const attributes = decodeAttributes(body.subarray(IFADDRMSG));
  // Of a point-to-point interface IFA_ADDRESS is the other end's.
  const bytes = attributes.get(IFA_LOCAL) ?? attributes.get(IFA_ADDRESS);
  if (bytes === undefined) return [];
  return [
    {
      ifindex: view.getUint32(4, littleEndian),
      bytes,
      prefixLength: view.getUint8(1),
      linkLocal: bytes.length === 16 && view.getUint8(3) === RT_SCOPE_LINK,
    },
  ];
}

/**
 * The interfaces that default routes lead through, of all routing tables of a network namespace.
 *
 * @param socket NETLINK_ROUTE, of that namespace
 * @throws KernelRefusal `route list`
 */
export function readDefaultRoutes(socket: NetlinkSocket): ReadonlySet<number> {
  const through = socket
    .dump(RTM_GETROUTE, new Uint8Array(RTMSG), { operation: 'route list' })
    .filter(({ type, body }) => type === RTM_NEWROUTE && body.length >= RTMSG && isDefault(body))
    .flatMap(({ body }) => nextHops(body));
  return new Set(through);
}

/** struct rtmsg: the length of the destination's prefix is its second byte, the type its eighth. */
function isDefault(body: Uint8Array): boolean {
  return body[1] === 0 && body[7] === RTN_UNICAST;
}

function nextHops(body: Uint8Array): number[] {
  const attributes = decodeAttributes(body.subarray(RTMSG));
  const single = decodeU32(attributes.get(RTA_OIF));
  const several = attributes.get(RTA_MULTIPATH) ?? new Uint8Array();
  const ifindexes = single === undefined ? [] : [single];
  const view = new DataView(several.buffer, several.byteOffset, several.byteLength);
  for (let at = 0; at + RTNEXTHOP <= several.length;) {
    ifindexes.push(view.getInt32(at + 4, littleEndian));
    const length = view.getUint16(at, littleEndian);
    if (length < RTNEXTHOP) break;
    at += (length + 3) & ~3;
  }
  return ifindexes;
}
