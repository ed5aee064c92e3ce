import { libc } from '../ffi/libc.ts';

/** IF_NAMESIZE (net/if.h). */
const NAME_SIZE = 16;

/** The ifindex of an interface of this network namespace, or undefined. */
export function interfaceIndex(name: string): number | undefined {
  // C would take what comes before a zero byte, and some C libraries the first 15 bytes.
  if (name.includes('\0') || Buffer.byteLength(name) >= NAME_SIZE) return undefined;
  const ifindex = libc.if_nametoindex(name);
  return ifindex === 0 ? undefined : ifindex;
}

/** The name of an interface of this network namespace, or undefined. */
export function interfaceName(ifindex: number): string | undefined {
  return libc.if_indextoname(ifindex, new Uint8Array(NAME_SIZE)) ?? undefined;
}
