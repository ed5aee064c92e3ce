import { bytesOfText } from '../domain/byte-text.ts';
import { decodeString, encodeString } from '../domain/netlink-message.ts';
import { libc } from '../ffi/libc.ts';

/** IF_NAMESIZE (net/if.h). */
export const IF_NAMESIZE = 16;

/** The ifindex of an interface of this network namespace, or undefined. */
export function interfaceIndex(name: string): number | undefined {
  // C would take what comes before a zero byte, and some C libraries the first 15 bytes.
  if (name.includes('\0') || bytesOfText(name).length >= IF_NAMESIZE) return undefined;
  const ifindex = libc.if_nametoindex(encodeString(name));
  return ifindex === 0 ? undefined : ifindex;
}

/** The name of an interface of this network namespace, or undefined. */
export function interfaceName(ifindex: number): string | undefined {
  const name = new Uint8Array(IF_NAMESIZE);
  return libc.if_indextoname(ifindex, name) === null ? undefined : decodeString(name);
}
