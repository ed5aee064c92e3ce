import { littleEndian } from '../domain/byte-order.ts';
import { decodeAttributes, type NetlinkMessage } from '../domain/netlink-message.ts';
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

/** sizeof(struct ifaddrmsg) (linux/if_addr.h). */
const IFADDRMSG = 8;
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const RT_SCOPE_LINK = 253;

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
