import { closeSync, constants, fstatSync, ftruncateSync, openSync, statSync } from 'node:fs';

import { littleEndian } from '../../domain/byte-order.ts';
import { KernelRefusal } from '../../domain/errors.ts';
import {
  PACKET_HEADER_SIZE,
  packetBlockLength,
  packetPadding,
  timestampOf,
  writePacketHeader,
} from '../../domain/pcapng.ts';
import type { FrameBatch } from '../../domain/xsk-frames.ts';
import { callInThread, lastErrno, libc } from '../../ffi/libc.ts';
import { addressOf } from '../../ffi/memory.ts';
import { EAGAIN, EEXIST, EINTR, EPIPE } from '../check.ts';
import { cPath, osPath } from '../os-path.ts';
import type { Umem } from './umem.ts';

/** writev takes at most IOV_MAX (1024) pieces: two for each frame, and one at the end. */
export const CAPTURE_BATCH = 511;

/** What stands between two frames: padding, the first one's final length, the second one's header. */
const ENVELOPE_WORDS = 9;
/** struct iovec as 32-bit words. */
const PIECE_WORDS = 4;
const LOW = littleEndian ? 0 : 1;
const HIGH = 1 - LOW;
/** Where an address begins in `#bases`: of the frames' memory, of the envelopes, and of what is written once. */
const UMEM = 0;
const ENVELOPES = 2;
const OTHER = 4;

const POLLOUT = 4;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
/** How long a pipe that nobody empties may hold up the first and last block. */
const PATIENCE_MS = 1000;

/**
 * A pcapng file that frames are written to straight from the memory they lie in: the kernel gathers them (writev), and
 * JavaScript never copies one. Whoever writes owns the frames until `write` or `drain` says that all is written.
 */
export class CaptureFile implements Disposable {
  /** Frames that are whole in the file. */
  frames = 0;
  /** Whether the reader of a pipe has gone: nothing more is written. */
  readerGone = false;
  readonly #path: string;
  readonly #fd: number;
  /** A file of ours, which is cut when it cannot take all of a block. */
  readonly #cuttable: boolean;
  /** Sockets (what Node gives a child for stdout) are told with each call not to wait; pipes are opened so. */
  readonly #isSocket: boolean;
  readonly #message = new Uint8Array(128);
  readonly #poll = new Uint8Array(128);
  readonly #envelopes = new Uint32Array((CAPTURE_BATCH + 1) * ENVELOPE_WORDS);
  readonly #pieces = new Uint32Array((2 * CAPTURE_BATCH + 1) * PIECE_WORDS);
  readonly #pieceBytes = new Uint8Array(this.#pieces.buffer);
  /** Addresses, each as its lower and upper half. Halves are no arguments: V8 allocates for numbers from 2^31 on. */
  readonly #bases = new Uint32Array(6);
  /** When the frames came, as its upper and lower half. */
  readonly #time = new Uint32Array(2);
  #pieceCount = 0;
  /** The first piece that is not written yet. */
  #next = 0;
  /** Bytes of the batch that are written. */
  #written = 0;
  /** Where the last whole block ends. */
  #end = 0;
  /** Whether a block was cut short that cannot be taken back: what follows would be unreadable. */
  #broken = false;

  private constructor(path: string, fd: number, { cuttable = false, isSocket = false }, umem: Umem) {
    this.#path = path;
    this.#fd = fd;
    this.#cuttable = cuttable;
    this.#isSocket = isSocket;
    this.#setBase(UMEM, umem.address);
    this.#setBase(ENVELOPES, addressOf(new Uint8Array(this.#envelopes.buffer)));
    const view = new DataView(this.#poll.buffer);
    view.setInt32(0, fd, littleEndian);
    view.setInt16(4, POLLOUT, littleEndian);
  }

  /**
   * Makes a file, or begins to write to a FIFO or a device that is there; never to what a symbolic link to a file leads to.
   *
   * @param overwrite whether a file may be there
   * @throws KernelRefusal `capture open`; EEXIST
   */
  static create(path: string, overwrite: boolean, umem: Umem): CaptureFile {
    const { O_WRONLY, O_CREAT, O_EXCL, O_TRUNC, O_APPEND, O_NONBLOCK, O_NOFOLLOW } = constants;
    const special = isSpecialFile(path);
    // Appending, so that writing goes on at the end of a file that was cut.
    const flags = special ? O_NONBLOCK : O_APPEND | O_CREAT | O_NOFOLLOW | (overwrite ? O_TRUNC : O_EXCL);
    const fd = libc.open(cPath(path), O_WRONLY | O_CLOEXEC | flags, 0o666);
    if (fd < 0) throw new KernelRefusal('capture open', lastErrno(), { path });
    try {
      // Somebody may have put a file in the place of a FIFO, which would be written over.
      if (special && fstatSync(fd).isFile()) throw new KernelRefusal('capture open', EEXIST, { path });
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    return new CaptureFile(path, fd, { cuttable: !special }, umem);
  }

  /** Writes to standard output; to a pipe or socket without ever waiting. */
  static standardOutput(umem: Umem): CaptureFile {
    // A file description of our own: other processes that have the pipe go on waiting.
    const stats = fstatSync(1);
    const fd = stats.isFIFO() ? openSync('/proc/self/fd/1', constants.O_WRONLY | constants.O_NONBLOCK) : 1;
    return new CaptureFile('-', fd, { isSocket: stats.isSocket() }, umem);
  }

  /** Whether frames of a batch are still to be written. */
  get blocked(): boolean {
    return this.#next < this.#pieceCount;
  }

  /**
   * Writes a block that is no frame; not while frames of a batch are still to be written.
   *
   * @throws KernelRefusal `capture write`
   */
  async writeBlock(block: Uint8Array): Promise<void> {
    if (this.readerGone || this.#broken || this.blocked) return;
    this.#setBase(OTHER, addressOf(block));
    this.#setAddress(0, OTHER, 0);
    this.#pieces[2 + LOW] = block.length;
    this.#begin(1);
    const end = performance.now() + PATIENCE_MS;
    while (!this.#push(undefined) && performance.now() < end) {
      await callInThread(libc.poll, this.#poll, 1, PATIENCE_MS);
    }
    if (this.#written === block.length) this.#end += block.length;
  }

  /**
   * Writes the frames of a batch, which holds at most CAPTURE_BATCH.
   *
   * @param microseconds since 1970, when the frames came
   * @returns whether all is written; otherwise the pipe is full, and `drain` goes on
   * @throws KernelRefusal `capture write`; the file then ends with the last whole frame
   */
  write(batch: FrameBatch, microseconds: number): boolean {
    const { addresses, lengths, count } = batch;
    const { high, low } = timestampOf(microseconds);
    this.#time[0] = high;
    this.#time[1] = low;
    const envelopes = this.#envelopes;
    let padding = 0;
    for (let index = 0; index < count; index += 1) {
      const length = lengths[index] as number;
      this.#setEnvelope(index, padding, index > 0, true);
      writePacketHeader(envelopes, index * ENVELOPE_WORDS + 2, this.#time, length);
      this.#setFrame(2 * index + 1, addresses[index] as number, length);
      padding = packetPadding(length);
      envelopes[(index + 1) * ENVELOPE_WORDS + 1] = packetBlockLength(length);
    }
    this.#setEnvelope(count, padding, true, false);
    this.#begin(2 * count + 1);
    return this.#push(batch);
  }

  /**
   * Waits until the pipe takes more, or the time is over, and goes on.
   *
   * @returns whether all of the batch is written
   * @throws KernelRefusal `capture write`
   */
  async drain(batch: FrameBatch, milliseconds: number): Promise<boolean> {
    await callInThread(libc.poll, this.#poll, 1, milliseconds);
    return this.#push(batch);
  }

  [Symbol.dispose](): void {
    if (this.#fd !== 1) closeSync(this.#fd);
  }

  #begin(pieces: number): void {
    this.#pieceCount = pieces;
    this.#next = 0;
    this.#written = 0;
  }

  /** Writes what is left of the pieces. Returns whether nothing is left. */
  #push(batch: FrameBatch | undefined): boolean {
    while (this.#next < this.#pieceCount) {
      const written = this.#writePieces();
      if (written >= 0) {
        this.#written += written;
        this.#advance(written);
        continue;
      }
      const errno = lastErrno();
      if (errno === EAGAIN) return false;
      if (errno === EINTR) continue;
      this.#settle(batch);
      this.#pieceCount = 0;
      if (errno !== EPIPE) throw this.#refusal(errno);
      this.readerGone = true;
      return true;
    }
    this.#settle(batch);
    return true;
  }

  #writePieces(): number {
    const from = this.#next;
    const count = this.#pieceCount - from;
    if (!this.#isSocket) {
      const pieces = from === 0 ? this.#pieceBytes : this.#pieceBytes.subarray(from * PIECE_WORDS * 4);
      return libc.writev(this.#fd, pieces, count);
    }
    // struct msghdr (linux/socket.h): the pieces and their number.
    const view = new DataView(this.#message.buffer);
    view.setBigUint64(16, addressOf(this.#pieceBytes) + BigInt(from * PIECE_WORDS * 4), littleEndian);
    view.setBigUint64(24, BigInt(count), littleEndian);
    return libc.sendmsg(this.#fd, this.#message, MSG_DONTWAIT | MSG_NOSIGNAL);
  }

  /** Passes over pieces that are written; what is left of the last one is the next. */
  #advance(bytes: number): void {
    const pieces = this.#pieces;
    let left = bytes;
    while (left > 0) {
      const at = this.#next * PIECE_WORDS;
      const length = pieces[at + 2 + LOW] as number;
      if (left < length) {
        this.#bases[OTHER] = pieces[at + LOW] as number;
        this.#bases[OTHER + 1] = pieces[at + HIGH] as number;
        this.#setAddress(this.#next, OTHER, left);
        pieces[at + 2 + LOW] = length - left;
        return;
      }
      left -= length;
      this.#next += 1;
    }
  }

  /** Counts the frames of the batch that are whole in the file, and forgets the rest. */
  #settle(batch: FrameBatch | undefined): void {
    if (batch === undefined) return;
    const { lengths, count } = batch;
    let whole = 0;
    for (let index = 0; index < count; index += 1) {
      const next = whole + packetBlockLength(lengths[index] as number);
      if (next > this.#written) break;
      whole = next;
      this.frames += 1;
    }
    this.#end += whole;
  }

  #refusal(errno: number): KernelRefusal {
    if (this.#cuttable) ftruncateSync(this.#fd, this.#end);
    else this.#broken = true;
    return new KernelRefusal('capture write', errno, { path: this.#path });
  }

  /** What stands before frame `index`: the end of the one before it, and its own header. */
  #setEnvelope(index: number, padding: number, end: boolean, header: boolean): void {
    // The padding that is not needed stays before the piece.
    const skipped = end ? 4 - padding : 8;
    const piece = 2 * index;
    this.#setAddress(piece, ENVELOPES, index * ENVELOPE_WORDS * 4 + skipped);
    this.#pieces[piece * PIECE_WORDS + 2 + LOW] = (end ? padding + 4 : 0) + (header ? PACKET_HEADER_SIZE : 0);
  }

  #setFrame(piece: number, address: number, length: number): void {
    this.#setAddress(piece, UMEM, address);
    this.#pieces[piece * PIECE_WORDS + 2 + LOW] = length;
  }

  #setBase(base: number, address: bigint): void {
    this.#bases[base] = Number(address & 0xffff_ffffn);
    this.#bases[base + 1] = Number(address >> 32n);
  }

  /** Lets a piece begin `offset` bytes after one of the `#bases`. */
  #setAddress(piece: number, base: number, offset: number): void {
    const low = (this.#bases[base] as number) + offset;
    const carry = low > 0xffff_ffff ? 1 : 0;
    const at = piece * PIECE_WORDS;
    this.#pieces[at + LOW] = low;
    this.#pieces[at + HIGH] = (this.#bases[base + 1] as number) + carry;
  }
}

const O_CLOEXEC = 0x8_0000;

/** Whether there is something that writing does not overwrite: a FIFO, a device. */
function isSpecialFile(path: string): boolean {
  const stat = statSync(osPath(path), { throwIfNoEntry: false });
  return stat !== undefined && !stat.isFile() && !stat.isDirectory();
}
