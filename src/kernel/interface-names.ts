import { littleEndian } from '../domain/byte-order.ts';
import { bytesOfText } from '../domain/byte-text.ts';
import { KernelRefusal, type RefusalFacts } from '../domain/errors.ts';
import { decodeString, encodeString } from '../domain/netlink-message.ts';
import { lastErrno, libc } from '../ffi/libc.ts';
import { ENODEV } from './check.ts';
import { Fd } from './fd.ts';

/** IF_NAMESIZE (net/if.h). */
export const IF_NAMESIZE = 16;

/** sizeof(struct ifreq), and where in it the ifindex is, after the name (linux/if.h). */
const IFREQ_SIZE = 40;
const IFREQ_IFINDEX = 16;

/** linux/sockios.h */
const SIOCGIFNAME = 0x8910;
const SIOCGIFINDEX = 0x8933;

/** Any socket takes ioctls about devices; one of this family every kernel has. */
const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0x8_0000;

/** The ifindex of an interface of this network namespace, or undefined. @throws KernelRefusal `interface lookup` */
export function interfaceIndex(name: string): number | undefined {
  // The kernel would take what comes before a zero byte, and the first 15 bytes.
  if (name.includes('\0') || bytesOfText(name).length >= IF_NAMESIZE) return undefined;
  const request = new Uint8Array(IFREQ_SIZE);
  request.set(encodeString(name));
  if (!ask(SIOCGIFINDEX, request, { ifname: name })) return undefined;
  return new DataView(request.buffer).getInt32(IFREQ_IFINDEX, littleEndian);
}

/** The name of an interface of this network namespace, or undefined. @throws KernelRefusal `interface lookup` */
export function interfaceName(ifindex: number): string | undefined {
  const request = new Uint8Array(IFREQ_SIZE);
  new DataView(request.buffer).setUint32(IFREQ_IFINDEX, ifindex, littleEndian);
  return ask(SIOCGIFNAME, request, { id: ifindex }) ? decodeString(request.subarray(0, IF_NAMESIZE)) : undefined;
}

/**
 * Asks about one interface. Not by if_nametoindex() and if_indextoname(), which say ENOENT when they find no descriptor for
 * a socket (__opensock of glibc).
 *
 * @returns whether there is such an interface
 */
function ask(operation: number, request: Uint8Array, facts: RefusalFacts): boolean {
  const socket = libc.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket < 0) throw new KernelRefusal('interface lookup', lastErrno(), facts);
  using fd = new Fd(socket);
  if (libc.ioctl(fd.number, operation, request) === 0) return true;
  const errno = lastErrno();
  if (errno !== ENODEV) throw new KernelRefusal('interface lookup', errno, facts);
  return false;
}
