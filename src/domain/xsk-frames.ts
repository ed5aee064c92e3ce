import { littleEndian } from './byte-order.ts';
import type { ConsumerRing, ProducerRing } from './xsk-ring.ts';

/*
 * Where the chunks of an AF_XDP socket's memory are. Each is in exactly one place: free, with the kernel to be filled
 * (from the fill ring to the RX ring), with us (in a batch), or with the kernel to be sent (from the TX ring to the
 * completion ring). Addresses are 32-bit numbers: the memory is smaller than 4 GiB.
 */

/** Words of a struct xdp_desc (linux/if_xdp.h): u64 addr, u32 len, u32 options. */
const DESC_SHIFT = 2;
/** Words of an address in the fill and the completion ring. */
const ADDRESS_SHIFT = 1;
/** The halves of a 64-bit address. */
const LOW = littleEndian ? 0 : 1;
const HIGH = 1 - LOW;

export interface FrameRings {
  readonly rx: ConsumerRing;
  readonly fill: ProducerRing;
  readonly completion: ConsumerRing;
  /** Undefined for a socket that only receives. */
  readonly tx: ProducerRing | undefined;
}

export interface FrameMemory {
  readonly bytes: Uint8Array;
  readonly frames: number;
  readonly frameSize: number;
  readonly chunkMask: number;
}

/** Frames that were taken out of the RX ring: ours until they are given back or sent. */
export class FrameBatch {
  readonly addresses: Uint32Array;
  readonly lengths: Uint32Array;
  count = 0;

  constructor(capacity: number) {
    this.addresses = new Uint32Array(capacity);
    this.lengths = new Uint32Array(capacity);
  }

  get capacity(): number {
    return this.addresses.length;
  }
}

/** Takes frames out of the RX ring, and keeps the fill ring as full as it can be. No call allocates memory. */
export class FrameFlow {
  /** Frames taken so far, and their bytes. */
  frames = 0;
  bytes = 0;
  #handedOver = 0;
  readonly #rings: FrameRings;
  readonly #memory: FrameMemory;
  /** Stack of free chunks. */
  readonly #free: Uint32Array;
  #freeCount: number;
  /** Chunks with the kernel to be filled: never more than the fill ring has entries, so that it always has room for ours. */
  #lent = 0;

  constructor(rings: FrameRings, memory: FrameMemory) {
    this.#rings = rings;
    this.#memory = memory;
    const { frames, frameSize } = memory;
    this.#free = Uint32Array.from({ length: frames }, (_, index) => (frames - 1 - index) * frameSize);
    this.#freeCount = frames;
    this.#lend();
  }

  /** Chunks that are nowhere else. */
  get free(): number {
    return this.#freeCount;
  }

  /** Counts up to `limit` frames and gives their chunks back at once. Returns how many there were. */
  discard(limit: number): number {
    const { rx, fill } = this.#rings;
    const count = rx.available(limit);
    if (count === 0) return 0;
    const { chunkMask } = this.#memory;
    const { words: descs, mask: descMask, position: from } = rx;
    const { words: chunks, mask: chunksMask, position: to } = fill;
    let bytes = 0;
    for (let index = 0; index < count; index += 1) {
      const desc = ((from + index) & descMask) << DESC_SHIFT;
      const slot = ((to + index) & chunksMask) << ADDRESS_SHIFT;
      bytes += descs[desc + 2] as number;
      chunks[slot + LOW] = (descs[desc + LOW] as number) & chunkMask;
      chunks[slot + HIGH] = 0;
    }
    rx.release(count);
    fill.submit(count);
    this.frames += count;
    this.bytes += bytes;
    return count;
  }

  /** Takes up to `limit` frames into an empty batch, as many as it has room for. Returns how many there were. */
  take(batch: FrameBatch, limit: number): number {
    const { rx } = this.#rings;
    const { addresses, lengths } = batch;
    const count = rx.available(limit < addresses.length ? limit : addresses.length);
    batch.count = count;
    if (count === 0) return 0;
    const { words, mask, position } = rx;
    let bytes = 0;
    for (let index = 0; index < count; index += 1) {
      const desc = ((position + index) & mask) << DESC_SHIFT;
      const length = words[desc + 2] as number;
      bytes += length;
      addresses[index] = words[desc + LOW] as number;
      lengths[index] = length;
    }
    rx.release(count);
    this.#lent -= count;
    this.#lend();
    this.frames += count;
    this.bytes += bytes;
    return count;
  }

  /** The batch's frames are done with; it is empty then. */
  giveBack(batch: FrameBatch): void {
    const { addresses, count } = batch;
    const { chunkMask } = this.#memory;
    let free = this.#freeCount;
    for (let index = 0; index < count; index += 1) {
      this.#free[free] = (addresses[index] as number) & chunkMask;
      free += 1;
    }
    this.#freeCount = free;
    batch.count = 0;
    this.#lend();
  }

  /** How many frames can be sent now, at most `wanted`. */
  sendable(wanted: number): number {
    return this.#rings.tx?.room(wanted) ?? 0;
  }

  /**
   * Sends the batch's frames, at most as many as are `sendable`, back to where they came from; the batch is empty then.
   * Frames too short for an Ethernet header are sent as they are.
   */
  sendBack(batch: FrameBatch): void {
    const { tx } = this.#rings;
    if (tx === undefined) throw new Error('the socket has no TX ring');
    const { addresses, lengths, count } = batch;
    const { bytes } = this.#memory;
    const { words, mask, position } = tx;
    for (let index = 0; index < count; index += 1) {
      const address = addresses[index] as number;
      const length = lengths[index] as number;
      if (length >= 2 * MAC) swapMacs(bytes, address);
      const desc = ((position + index) & mask) << DESC_SHIFT;
      words[desc + LOW] = address;
      words[desc + HIGH] = 0;
      words[desc + 2] = length;
      words[desc + 3] = 0;
    }
    tx.submit(count);
    this.#handedOver += count;
    batch.count = 0;
  }

  /** Takes back the chunks of frames that have been sent. Returns how many. */
  reap(): number {
    const { completion } = this.#rings;
    const { chunkMask } = this.#memory;
    const count = completion.available(completion.mask + 1);
    if (count === 0) return 0;
    const { words, mask, position } = completion;
    let free = this.#freeCount;
    for (let index = 0; index < count; index += 1) {
      this.#free[free] = (words[(((position + index) & mask) << ADDRESS_SHIFT) + LOW] as number) & chunkMask;
      free += 1;
    }
    this.#freeCount = free;
    completion.release(count);
    this.#lend();
    return count;
  }

  /** Frames in the TX ring, which the kernel has not taken to be sent. */
  get unsent(): number {
    return this.#rings.tx?.unconsumed ?? 0;
  }

  /** Frames that the kernel has taken to be sent. */
  get sent(): number {
    return this.#handedOver - this.unsent;
  }

  /** How many frames lie in the RX ring and have not been taken. */
  get unread(): number {
    return this.#rings.rx.unread;
  }

  /** Lends free chunks to the kernel, as many as the fill ring takes. */
  #lend(): void {
    const { fill } = this.#rings;
    const room = fill.size - this.#lent;
    const count = room < this.#freeCount ? room : this.#freeCount;
    if (count === 0) return;
    const { words, mask, position } = fill;
    let free = this.#freeCount;
    for (let index = 0; index < count; index += 1) {
      free -= 1;
      const slot = ((position + index) & mask) << ADDRESS_SHIFT;
      words[slot + LOW] = this.#free[free] as number;
      words[slot + HIGH] = 0;
    }
    this.#freeCount = free;
    this.#lent += count;
    fill.submit(count);
  }
}

/** Bytes of a MAC address. */
const MAC = 6;

function swapMacs(bytes: Uint8Array, address: number): void {
  for (let at = address; at < address + MAC; at += 1) {
    const byte = bytes[at] as number;
    bytes[at] = bytes[at + MAC] as number;
    bytes[at + MAC] = byte;
  }
}
