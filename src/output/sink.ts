import type { ScreenSize } from './screen.ts';

/** Where bytes go: a file descriptor in the command, a buffer in tests. */
export interface ByteStream {
  readonly isTerminal: boolean;
  /** Of the terminal, when it is one. */
  readonly size?: ScreenSize | undefined;
  /** Whether writing is pointless from now on: the reader has gone (EPIPE) or takes nothing, or a write has failed. */
  readonly closed: boolean;
  /** Why a write failed, where it was not for a reader that has gone. */
  readonly failure?: NodeJS.ErrnoException | undefined;
  /** Writes all bytes, resolving when they are accepted; never rejects. */
  write(bytes: Uint8Array): Promise<void>;
  /** Writes as much as can be accepted without waiting, and says how many bytes that were. */
  writeNow(bytes: Uint8Array): number;
  /** From now on this process changes the terminal; undefined when it has put it back. */
  takeOver?(takeover: Takeover | undefined): void;
}

/** What brings a terminal into the state that a picture needs, and back. */
export interface Takeover {
  readonly enter: string;
  readonly leave: string;
}

const CAPACITY = 1 << 17;
const FLUSH_AT = 1 << 16;

/**
 * Collects output and passes it on in pieces of 64 KiB or more. Callers append freely, and `await drain()` where
 * `pressing` says so: that is also where signals get their turn.
 */
export class Sink {
  readonly stream: ByteStream;
  #buffer = new Uint8Array(0);
  #length = 0;
  /** Bytes on their way; the buffer they lie in is not touched until they have arrived. */
  #inFlight: Promise<void> | undefined;
  #spare = new Uint8Array(0);

  constructor(stream: ByteStream) {
    this.stream = stream;
  }

  get closed(): boolean {
    return this.stream.closed;
  }

  /** Whether enough has been collected to pass it on. */
  get pressing(): boolean {
    return this.#length >= FLUSH_AT;
  }

  text(text: string): void {
    // UTF-8 takes at most 3 bytes for a UTF-16 unit.
    this.reserve(text.length * 3);
    const { written } = encoder.encodeInto(text, this.#buffer.subarray(this.#length));
    this.#length += written;
  }

  /** Room for `size` bytes at `position`, for writers that fill bytes themselves and then `advance`. */
  reserve(size: number): Uint8Array {
    const needed = this.#length + size;
    if (needed > this.#buffer.length) {
      const larger = new Uint8Array(Math.max(CAPACITY, needed * 2));
      larger.set(this.#buffer.subarray(0, this.#length));
      this.#buffer = larger;
    }
    return this.#buffer;
  }

  get position(): number {
    return this.#length;
  }

  advance(position: number): void {
    this.#length = position;
  }

  /** Passes on what was collected; at most one piece is on its way while the next is being collected. */
  async drain(): Promise<void> {
    await this.#inFlight;
    if (this.#length === 0 || this.closed) {
      this.#length = 0;
      return;
    }
    const piece = this.#buffer.subarray(0, this.#length);
    const filled = this.#buffer;
    this.#buffer = this.#spare;
    this.#spare = filled;
    this.#length = 0;
    this.#inFlight = this.stream.write(piece);
  }

  /** Passes on everything and waits until it is accepted. */
  async end(): Promise<void> {
    if (this.#inFlight === undefined && this.#length <= FLUSH_AT && !this.closed) {
      const written = this.stream.writeNow(this.#buffer.subarray(0, this.#length));
      this.#buffer.copyWithin(0, written, this.#length);
      this.#length -= written;
      if (this.#length === 0) return;
    }
    await this.drain();
    await this.#inFlight;
    this.#inFlight = undefined;
  }
}

const encoder = new TextEncoder();
