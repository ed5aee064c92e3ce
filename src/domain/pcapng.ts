import { littleEndian } from './byte-order.ts';

/*
 * Blocks of a pcapng file (draft-ietf-opsawg-pcapng), in host byte order as the format allows. A block is its type, its
 * length, a body padded to 4 bytes, and its length once more.
 */

const SECTION_HEADER = 0x0a0d_0d0a;
const INTERFACE_DESCRIPTION = 1;
const INTERFACE_STATISTICS = 5;
const ENHANCED_PACKET = 6;

const BYTE_ORDER_MAGIC = 0x1a2b_3c4d;
const LINKTYPE_ETHERNET = 1;

/** Bytes of an Enhanced Packet Block before the frame: type, length, interface, timestamp (2), captured, original length. */
export const PACKET_HEADER_SIZE = 28;
/** Bytes of an Enhanced Packet Block around the frame, without the padding. */
const PACKET_OVERHEAD = PACKET_HEADER_SIZE + 4;

/** A time in microseconds since 1970, in two words: such numbers are larger than 32 bits. */
export interface Timestamp {
  readonly high: number;
  readonly low: number;
}

/** @param microseconds since 1970 */
export function timestampOf(microseconds: number): Timestamp {
  return { high: Math.floor(microseconds / 2 ** 32), low: microseconds % 2 ** 32 };
}

export interface SectionDescription {
  /** Operating system, e.g. `Linux 6.18`. */
  readonly os: string;
  /** Program and version. */
  readonly application: string;
}

/** The block a file begins with. */
export function sectionHeader({ os, application }: SectionDescription): Uint8Array {
  const body = new Uint8Array(16);
  const view = new DataView(body.buffer);
  view.setUint32(0, BYTE_ORDER_MAGIC, littleEndian);
  view.setUint16(4, 1, littleEndian);
  // The section's length: not known.
  view.setInt32(8, -1, littleEndian);
  view.setInt32(12, -1, littleEndian);
  return block(SECTION_HEADER, body, [
    [3, utf8(os)],
    [4, utf8(application)],
  ]);
}

export interface InterfaceDescription {
  readonly name: string;
  readonly description: string;
}

/** The block that describes the interface; packets refer to it by 0. Times are in microseconds, frames are whole. */
export function interfaceDescription({ name, description }: InterfaceDescription): Uint8Array {
  const body = new Uint8Array(8);
  new DataView(body.buffer).setUint16(0, LINKTYPE_ETHERNET, littleEndian);
  return block(INTERFACE_DESCRIPTION, body, [
    [2, utf8(name)],
    [3, utf8(description)],
    [9, Uint8Array.of(6)],
  ]);
}

export interface InterfaceStatistics {
  readonly start: Timestamp;
  readonly end: Timestamp;
  /** Frames that came for us: those delivered and those dropped. */
  readonly received: number;
  /** Frames that the kernel could not give us. */
  readonly dropped: number;
  /** Frames in the file. */
  readonly delivered: number;
}

/** The block that says how many frames there were, and how many of them were lost. */
export function interfaceStatistics({ start, end, received, dropped, delivered }: InterfaceStatistics): Uint8Array {
  return block(INTERFACE_STATISTICS, words(0, end.high, end.low), [
    [2, words(start.high, start.low)],
    [3, words(end.high, end.low)],
    [4, u64(received)],
    [7, u64(dropped)],
    [8, u64(delivered)],
  ]);
}

/** Length of the block of a frame. */
export function packetBlockLength(frameLength: number): number {
  return PACKET_OVERHEAD + frameLength + packetPadding(frameLength);
}

/** How many zero bytes stand between a frame and the block's final length. */
export function packetPadding(frameLength: number): number {
  return -frameLength & 3;
}

/**
 * Writes what stands before a frame: 7 words. Allocates nothing.
 *
 * @param time microseconds since 1970, as two words: the upper and the lower half
 */
export function writePacketHeader(target: Uint32Array, at: number, time: Uint32Array, frameLength: number): void {
  target[at] = ENHANCED_PACKET;
  target[at + 1] = packetBlockLength(frameLength);
  target[at + 2] = 0;
  target[at + 3] = time[0] as number;
  target[at + 4] = time[1] as number;
  target[at + 5] = frameLength;
  target[at + 6] = frameLength;
}

type Option = readonly [code: number, value: Uint8Array];

function block(type: number, body: Uint8Array, options: readonly Option[]): Uint8Array {
  const optionsLength = options.reduce((sum, [, value]) => sum + 4 + align(value.length), 0) + 4;
  const length = 12 + body.length + optionsLength;
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, type, littleEndian);
  view.setUint32(4, length, littleEndian);
  bytes.set(body, 8);
  let at = 8 + body.length;
  for (const [code, value] of options) {
    view.setUint16(at, code, littleEndian);
    view.setUint16(at + 2, value.length, littleEndian);
    bytes.set(value, at + 4);
    at += 4 + align(value.length);
  }
  // The end of the options is four zero bytes.
  view.setUint32(length - 4, length, littleEndian);
  return bytes;
}

function words(...values: readonly number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(values).buffer);
}

function u64(value: number): Uint8Array {
  return new Uint8Array(BigUint64Array.of(BigInt(value)).buffer);
}

/** An option's text, at most as long as its length can say. */
function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text).subarray(0, 0xffff);
}

function align(length: number): number {
  return (length + 3) & ~3;
}
