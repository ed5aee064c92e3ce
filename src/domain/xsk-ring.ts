/*
 * The rings of an AF_XDP socket: one side writes entries and moves the producer index, the other reads them and moves the
 * consumer index. Both are free-running 32-bit numbers that wrap around; an entry's slot is its index modulo the size, a
 * power of two (net/xdp/xsk_queue.h). Each side keeps its own copy of the other's index and looks again only when that
 * tells it to wait, because each look takes the cache line from the other CPU.
 *
 * Indexes are kept as signed 32-bit integers, which V8 stores without allocating.
 */

/** A ring in memory that the kernel shares. */
export interface RingMemory {
  /** One element each. */
  readonly producer: Uint32Array;
  readonly consumer: Uint32Array;
  /** Absent before Linux 5.4. */
  readonly flags: Uint32Array | undefined;
  /** The entries in words of 32 bits: 4 for a struct xdp_desc, 2 for an address. */
  readonly words: Uint32Array;
  /** Number of entries, a power of two. */
  readonly size: number;
}

/** XDP_RING_NEED_WAKEUP (linux/if_xdp.h). */
const NEED_WAKEUP = 1;

/** The side that reads: of the RX and the completion ring. */
export class ConsumerRing {
  readonly words: Uint32Array;
  /** A position and this is the entry's slot. */
  readonly mask: number;
  readonly #producer: Uint32Array;
  readonly #consumer: Uint32Array;
  #produced: number;
  #position: number;

  constructor(memory: RingMemory) {
    this.words = memory.words;
    this.mask = memory.size - 1;
    this.#producer = memory.producer;
    this.#consumer = memory.consumer;
    this.#position = Atomics.load(memory.consumer, 0) | 0;
    this.#produced = this.#position;
  }

  /** Index of the first entry not released yet. */
  get position(): number {
    return this.#position;
  }

  /** How many entries can be read from `position` on, at most `limit`. */
  available(limit: number): number {
    let count = (this.#produced - this.#position) | 0;
    if (count === 0) {
      this.#produced = Atomics.load(this.#producer, 0) | 0;
      count = (this.#produced - this.#position) | 0;
    }
    return count < limit ? count : limit;
  }

  /** How many entries wait now, without taking part in the bookkeeping of `available`. */
  get unread(): number {
    return (Atomics.load(this.#producer, 0) - this.#position) | 0;
  }

  /** Gives the slots of the first `count` entries back to the producer, who may overwrite them from now on. */
  release(count: number): void {
    this.#position = (this.#position + count) | 0;
    Atomics.store(this.#consumer, 0, this.#position);
  }
}

/** The side that writes: of the fill and the TX ring. */
export class ProducerRing {
  readonly words: Uint32Array;
  /** A position and this is the entry's slot. */
  readonly mask: number;
  readonly size: number;
  readonly #producer: Uint32Array;
  readonly #consumer: Uint32Array;
  readonly #flags: Uint32Array | undefined;
  #position: number;
  #consumed: number;

  constructor(memory: RingMemory) {
    this.words = memory.words;
    this.size = memory.size;
    this.mask = memory.size - 1;
    this.#producer = memory.producer;
    this.#consumer = memory.consumer;
    this.#flags = memory.flags;
    this.#position = Atomics.load(memory.producer, 0) | 0;
    this.#consumed = Atomics.load(memory.consumer, 0) | 0;
  }

  /** Index of the first entry to write. */
  get position(): number {
    return this.#position;
  }

  /** How many entries may be written from `position` on, at most `wanted`. */
  room(wanted: number): number {
    let free = this.size - ((this.#position - this.#consumed) | 0);
    if (free < wanted) {
      this.#consumed = Atomics.load(this.#consumer, 0) | 0;
      free = this.size - ((this.#position - this.#consumed) | 0);
    }
    return free < wanted ? free : wanted;
  }

  /** Hands the next `count` entries, which have been written, over to the consumer. */
  submit(count: number): void {
    this.#position = (this.#position + count) | 0;
    Atomics.store(this.#producer, 0, this.#position);
  }

  /** How many entries the consumer has not read. */
  get unconsumed(): number {
    return (this.#position - Atomics.load(this.#consumer, 0)) | 0;
  }

  /** Whether the kernel sleeps until a system call wakes it; always where it cannot tell. */
  get needsWakeup(): boolean {
    return this.#flags === undefined || (Atomics.load(this.#flags, 0) & NEED_WAKEUP) !== 0;
  }
}

/** Whether a ring can have that many entries. */
export function isRingSize(entries: number): boolean {
  return entries >= 1 && entries <= 2 ** 31 && Number.isInteger(Math.log2(entries));
}
