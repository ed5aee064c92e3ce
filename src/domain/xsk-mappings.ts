/** The rings of an AF_XDP socket. */
export type RingKind = 'rx' | 'tx' | 'fill' | 'completion';

export const ringKinds: readonly RingKind[] = ['rx', 'tx', 'fill', 'completion'];

/** Where the rings are mapped from: XDP_PGOFF_* and XDP_UMEM_PGOFF_* (linux/if_xdp.h). */
export const ringPageOffsets: Readonly<Record<RingKind, number>> = {
  rx: 0,
  tx: 0x8000_0000,
  fill: 0x1_0000_0000,
  completion: 0x1_8000_0000,
};

/** Size of struct xdp_desc, and of an address. */
export const ringEntrySizes: Readonly<Record<RingKind, number>> = { rx: 16, tx: 16, fill: 8, completion: 8 };

/** Bytes of each ring that a process has mapped, by the inode number of the socket. */
export type SocketMappings = ReadonlyMap<number, Readonly<Partial<Record<RingKind, number>>>>;

const line = /^([0-9a-f]+)-([0-9a-f]+) \S+ ([0-9a-f]+) \S+ \d+ +socket:\[(\d+)\]$/gm;

/**
 * The sockets that are mapped like AF_XDP sockets, from the text of /proc/PID/maps. A packet socket is mapped at 0 only,
 * like an AF_XDP socket whose other rings are somebody else's.
 */
export function parseSocketMappings(text: string): SocketMappings {
  const sockets = new Map<number, Partial<Record<RingKind, number>>>();
  for (const [, from = '', to = '', offset = '', inode = ''] of text.matchAll(line)) {
    const kind = ringKinds.find((each) => ringPageOffsets[each] === Number.parseInt(offset, 16));
    if (kind === undefined) continue;
    const rings = sockets.get(Number(inode)) ?? {};
    rings[kind] = Number.parseInt(to, 16) - Number.parseInt(from, 16);
    sockets.set(Number(inode), rings);
  }
  return sockets;
}

/** Entries of a ring: exact, or at most so many. */
export interface RingSize {
  readonly entries: number;
  readonly exact: boolean;
}

/**
 * How many entries a ring has, from the length of its mapping: the entries are a power of two, so that the mapping's end
 * tells, unless it is a single page, into which several sizes fit.
 *
 * @param start bytes before the entries
 */
export function ringSizeOf(kind: RingKind, length: number, start: number, pageSize: number): RingSize {
  const entries = 2 ** Math.floor(Math.log2((length - start) / ringEntrySizes[kind]));
  return { entries, exact: length > pageSize };
}
