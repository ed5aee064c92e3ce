import { littleEndian } from '../domain/byte-order.ts';
import { decodeAttributes, decodeU32 } from '../domain/netlink-message.ts';
import type { NetlinkSocket } from './netlink.ts';

/** linux/rtnetlink.h */
const RTM_NEWROUTE = 24;
const RTM_GETROUTE = 26;
const RTM_NEWNEXTHOP = 104;
const RTM_GETNEXTHOP = 106;
const RTN_UNICAST = 1;
const RTA_OIF = 4;
const RTA_MULTIPATH = 9;
const RTA_NH_ID = 30;
/** sizeof(struct rtmsg): u8 family, u8 length of the destination's prefix, …, u8 type, u32 flags. */
const RTMSG = 12;
/** sizeof(struct rtnexthop): u16 length, u8 flags, u8 hops, int ifindex. */
const RTNEXTHOP = 8;

/** linux/nexthop.h: sizeof(struct nhmsg), and of struct nexthop_grp, which begins with the u32 id of a member. */
const NHMSG = 8;
const NEXTHOP_GRP = 8;
const NHA_ID = 1;
const NHA_GROUP = 2;
const NHA_OIF = 5;

const AF_INET6 = 10;

/**
 * The interfaces that default routes lead through, of all routing tables of a network namespace.
 *
 * @param socket NETLINK_ROUTE, of that namespace
 * @throws KernelRefusal `route list`, `nexthop list`
 */
export function readDefaultRoutes(socket: NetlinkSocket): ReadonlySet<number> {
  const routes = socket
    .dump(RTM_GETROUTE, new Uint8Array(RTMSG), { operation: 'route list' })
    .filter(({ type, body }) => type === RTM_NEWROUTE && body.length >= RTMSG && isDefault(body))
    .map(({ body }) => decodeAttributes(body.subarray(RTMSG)));
  const through = routes.flatMap((route) => [...oneOf(route.get(RTA_OIF)), ...several(route.get(RTA_MULTIPATH))]);
  // With net.ipv4.nexthop_compat_mode=0 the id is all that the kernel tells of such a route (fib_dump_info).
  const nexthops = routes.flatMap((route) => oneOf(route.get(RTA_NH_ID)));
  return new Set([...through, ...(nexthops.length === 0 ? [] : behind(nexthops, socket))]);
}

/**
 * All the world, or what is as good: the halves of it that VPNs route to themselves without touching the default route,
 * and all of IPv6 that has been given out (2000::/3).
 */
function isDefault(body: Uint8Array): boolean {
  const [family, prefixLength = 0] = body;
  return prefixLength <= (family === AF_INET6 ? 3 : 1) && body[7] === RTN_UNICAST;
}

function oneOf(payload: Uint8Array | undefined): number[] {
  const value = decodeU32(payload);
  return value === undefined ? [] : [value];
}

function several(hops: Uint8Array = new Uint8Array()): number[] {
  const ifindexes = [];
  const view = new DataView(hops.buffer, hops.byteOffset, hops.byteLength);
  for (let at = 0; at + RTNEXTHOP <= hops.length;) {
    ifindexes.push(view.getInt32(at + 4, littleEndian));
    const length = view.getUint16(at, littleEndian);
    if (length < RTNEXTHOP) break;
    at += (length + 3) & ~3;
  }
  return ifindexes;
}

/** The interfaces of nexthop objects, or of the members of those that are groups; a group has no groups. */
function behind(ids: readonly number[], socket: NetlinkSocket): number[] {
  const nexthops = new Map(
    socket
      .dump(RTM_GETNEXTHOP, new Uint8Array(NHMSG), { operation: 'nexthop list' })
      .filter(({ type, body }) => type === RTM_NEWNEXTHOP && body.length >= NHMSG)
      .map(({ body }) => decodeAttributes(body.subarray(NHMSG)))
      .map((nexthop) => [decodeU32(nexthop.get(NHA_ID)), nexthop]),
  );
  const members = ids.flatMap((id) => [id, ...membersOf(nexthops.get(id)?.get(NHA_GROUP))]);
  return members.flatMap((id) => oneOf(nexthops.get(id)?.get(NHA_OIF)));
}

function membersOf(group: Uint8Array = new Uint8Array()): number[] {
  const view = new DataView(group.buffer, group.byteOffset, group.byteLength);
  return Array.from({ length: Math.floor(group.length / NEXTHOP_GRP) }, (_, index) =>
    view.getUint32(index * NEXTHOP_GRP, littleEndian),
  );
}
