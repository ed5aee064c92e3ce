import { littleEndian } from '../../domain/byte-order.ts';
import { KernelRefusal } from '../../domain/errors.ts';
import { ringEntrySizes, type RingKind, ringKinds, ringPageOffsets } from '../../domain/xsk-mappings.ts';
import type { RingMemory } from '../../domain/xsk-ring.ts';
import type { Pointer } from '../../ffi/libbpf.ts';
import { lastErrno, libc } from '../../ffi/libc.ts';
import { mapFailed, viewMemory } from '../../ffi/memory.ts';
import { getXskOption, XDP_MMAP_OFFSETS } from './options.ts';

const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_SHARED = 1;
const MAP_POPULATE = 0x8000;

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
  // struct xdp_mmap_offsets has the rings in this order.
  const offsets = ringKinds.map((kind, ring): [RingKind, RingOffsets] => {
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
