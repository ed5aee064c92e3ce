import { littleEndian } from '../../domain/byte-order.ts';
import { KernelRefusal } from '../../domain/errors.ts';
import type { RingMemory } from '../../domain/xsk-ring.ts';
import type { Pointer } from '../../ffi/libbpf.ts';
import { lastErrno, libc } from '../../ffi/libc.ts';
import { mapFailed, viewMemory } from '../../ffi/memory.ts';
import { getXskOption, XDP_MMAP_OFFSETS } from './options.ts';

export type RingKind = 'rx' | 'tx' | 'fill' | 'completion';

const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_SHARED = 1;
const MAP_POPULATE = 0x8000;

/** Where the rings of a socket are mapped from: XDP_PGOFF_* and XDP_UMEM_PGOFF_* (linux/if_xdp.h). */
export const ringPageOffsets: Readonly<Record<RingKind, number>> = {
  rx: 0,
  tx: 0x8000_0000,
  fill: 0x1_0000_0000,
  completion: 0x1_8000_0000,
};

/** Size of struct xdp_desc, and of an address. */
export const ringEntrySizes: Readonly<Record<RingKind, number>> = { rx: 16, tx: 16, fill: 8, completion: 8 };

/** The rings in struct xdp_mmap_offsets. */
const offsetOrder: readonly RingKind[] = ['rx', 'tx', 'fill', 'completion'];

/** Where the parts of a ring lie in its mapping, in bytes (struct xdp_ring_offset). */
export interface RingOffsets {
  readonly producer: number;
  readonly consumer: number;
  readonly entries: number;
  /** Absent before Linux 5.4. */
  readonly flags: number | undefined;
}

/** @throws KernelRefusal `xsk query` */
export function readRingOffsets(fd: number): Readonly<Record<RingKind, RingOffsets>> {
  const bytes = getXskOption(fd, XDP_MMAP_OFFSETS, 128);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const fields = bytes.length / 32;
  const offsets = offsetOrder.map((kind, ring): [RingKind, RingOffsets] => {
    const field = (index: number): number => Number(view.getBigUint64((ring * fields + index) * 8, littleEndian));
    return [
      kind,
      { producer: field(0), consumer: field(1), entries: field(2), flags: fields > 3 ? field(3) : undefined },
    ];
  });
  return Object.fromEntries(offsets) as Record<RingKind, RingOffsets>;
}

/** A ring of a socket in this process's memory. As long as it is mapped, closing the socket does not free its queue. */
export class MappedRing implements Disposable {
  readonly memory: RingMemory;
  readonly #length: number;
  #mapping: Pointer;

  /**
   * @param size number of entries, as it was set
   * @throws KernelRefusal `xsk map ring`
   */
  constructor(fd: number, kind: RingKind, offsets: RingOffsets, size: number) {
    const length = offsets.entries + size * ringEntrySizes[kind];
    const flags = MAP_SHARED | MAP_POPULATE;
    const mapping = libc.mmap(null, length, PROT_READ | PROT_WRITE, flags, fd, ringPageOffsets[kind]);
    if (mapFailed(mapping)) throw new KernelRefusal('xsk map ring', lastErrno(), { ring: kind, size });
    this.#length = length;
    this.#mapping = mapping;
    const { buffer } = viewMemory(mapping, length);
    this.memory = {
      producer: new Uint32Array(buffer, offsets.producer, 1),
      consumer: new Uint32Array(buffer, offsets.consumer, 1),
      flags: offsets.flags === undefined ? undefined : new Uint32Array(buffer, offsets.flags, 1),
      words: new Uint32Array(buffer, offsets.entries, (size * ringEntrySizes[kind]) / 4),
      size,
    };
  }

  /** Nobody may touch `memory` from now on: that would end the process. */
  [Symbol.dispose](): void {
    if (this.#mapping !== null) libc.munmap(this.#mapping, this.#length);
    this.#mapping = null;
  }
}
