import { littleEndian } from './byte-order.ts';
import { bytesOfText, textOfBytes } from './byte-text.ts';

/*
 * Netlink messages and their attributes as bytes (linux/netlink.h). All numbers are in host byte order, and everything
 * is aligned to 4 bytes.
 */

/** sizeof(struct nlmsghdr). */
export const NLMSG_HEADER = 16;
/** sizeof(struct nlattr). */
const ATTRIBUTE_HEADER = 4;

/** Control messages. */
export const NLMSG_ERROR = 2;
export const NLMSG_DONE = 3;

/** The flags of nlmsghdr that matter here. */
export const NLM_F_REQUEST = 1;
export const NLM_F_ACK = 4;
export const NLM_F_DUMP_INTR = 0x10;
export const NLM_F_DUMP = 0x300;
/** In an answer of type NLMSG_ERROR: the request is quoted without its body; attributes follow. */
const NLM_F_CAPPED = 0x100;
const NLM_F_ACK_TLVS = 0x200;

/** The two high bits of an attribute's type say how it is encoded. */
const TYPE_MASK = 0x3fff;

/** The longest payload whose length fits the header's 16 bits. */
const ATTRIBUTE_MAX = 0xffff - ATTRIBUTE_HEADER;

export interface NetlinkMessage {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  readonly body: Uint8Array;
}

export interface NetlinkAttribute {
  /** Without the flags for nested and network byte order. */
  readonly type: number;
  readonly payload: Uint8Array;
}

/** A message with its header; the kernel fills in the sender. */
export function encodeMessage({ type, flags, sequence, body }: NetlinkMessage): Uint8Array {
  const bytes = new Uint8Array(NLMSG_HEADER + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length, littleEndian);
  view.setUint16(4, type, littleEndian);
  view.setUint16(6, flags, littleEndian);
  view.setUint32(8, sequence, littleEndian);
  bytes.set(body, NLMSG_HEADER);
  return bytes;
}

/** The messages of a datagram. A message that claims to be longer than what is left ends the list. */
export function decodeMessages(bytes: Uint8Array): NetlinkMessage[] {
  const messages: NetlinkMessage[] = [];
  const view = viewOf(bytes);
  for (let at = 0; at + NLMSG_HEADER <= bytes.length;) {
    const length = view.getUint32(at, littleEndian);
    if (length < NLMSG_HEADER || at + length > bytes.length) break;
    messages.push({
      type: view.getUint16(at + 4, littleEndian),
      flags: view.getUint16(at + 6, littleEndian),
      sequence: view.getUint32(at + 8, littleEndian),
      body: bytes.subarray(at + NLMSG_HEADER, at + length),
    });
    at += align(length);
  }
  return messages;
}

/**
 * Attributes one behind the other, each padded to 4 bytes.
 *
 * @throws RangeError for a payload that an attribute cannot hold
 */
export function encodeAttributes(attributes: readonly NetlinkAttribute[]): Uint8Array {
  const size = attributes.reduce((sum, { payload }) => sum + align(ATTRIBUTE_HEADER + payload.length), 0);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const { type, payload } of attributes) {
    if (payload.length > ATTRIBUTE_MAX) throw new RangeError(`attribute ${type} has ${payload.length} bytes`);
    view.setUint16(at, ATTRIBUTE_HEADER + payload.length, littleEndian);
    view.setUint16(at + 2, type, littleEndian);
    bytes.set(payload, at + ATTRIBUTE_HEADER);
    at += align(ATTRIBUTE_HEADER + payload.length);
  }
  return bytes;
}

/**
 * Attributes by type; of a type that comes several times the last. One that claims to be longer than what is left ends
 * the list: nests of more than 64 KiB (many virtual functions) have a length that has wrapped around.
 */
export function decodeAttributes(bytes: Uint8Array): ReadonlyMap<number, Uint8Array> {
  const attributes = new Map<number, Uint8Array>();
  const view = viewOf(bytes);
  for (let at = 0; at + ATTRIBUTE_HEADER <= bytes.length;) {
    const length = view.getUint16(at, littleEndian);
    if (length < ATTRIBUTE_HEADER || at + length > bytes.length) break;
    attributes.set(
      view.getUint16(at + 2, littleEndian) & TYPE_MASK,
      bytes.subarray(at + ATTRIBUTE_HEADER, at + length),
    );
    at += align(length);
  }
  return attributes;
}

/** How the kernel answered a request that it may refuse. */
export interface NetlinkAnswer {
  /** Positive Linux errno; 0 for success. */
  readonly errno: number;
  /** The extended ack: why, in the kernel's words. */
  readonly text?: string;
}

/** NLMSGERR_ATTR_MSG (enum nlmsgerr_attrs). */
const NLMSGERR_ATTR_MSG = 1;

/** Reads a message of type NLMSG_ERROR (an errno or, with 0, an acknowledgement) or NLMSG_DONE (the end of a dump). */
export function decodeAnswer({ type, flags, body }: NetlinkMessage): NetlinkAnswer {
  if (body.length < 4) return { errno: 0 };
  const view = viewOf(body);
  const errno = Math.abs(view.getInt32(0, littleEndian));
  if (!(flags & NLM_F_ACK_TLVS)) return { errno };
  const text = decodeAttributes(body.subarray(quoteEnd(type, flags, view))).get(NLMSGERR_ATTR_MSG);
  return text === undefined ? { errno } : { errno, text: decodeString(text) };
}

/** Where the attributes begin: behind the errno and, in an error, behind the quoted request. */
function quoteEnd(type: number, flags: number, view: DataView): number {
  if (type === NLMSG_DONE || view.byteLength < 4 + NLMSG_HEADER) return 4;
  return 4 + (flags & NLM_F_CAPPED ? NLMSG_HEADER : align(view.getUint32(4, littleEndian)));
}

/** A text attribute, with or without its final zero; what of it is not UTF-8 is kept (byte-text.ts). */
export function decodeString(payload: Uint8Array): string {
  const end = payload.indexOf(0);
  return textOfBytes(end === -1 ? payload : payload.subarray(0, end));
}

/** A text attribute, with its final zero. */
export function encodeString(text: string): Uint8Array {
  return bytesOfText(`${text}\0`);
}

/** A u32 attribute, or undefined for one that is too short. */
export function decodeU32(payload: Uint8Array | undefined): number | undefined {
  return payload === undefined || payload.length < 4 ? undefined : viewOf(payload).getUint32(0, littleEndian);
}

/** A signed 32-bit attribute. */
export function decodeS32(payload: Uint8Array | undefined): number | undefined {
  return payload === undefined || payload.length < 4 ? undefined : viewOf(payload).getInt32(0, littleEndian);
}

export function encodeU32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, littleEndian);
  return bytes;
}

function align(length: number): number {
  return (length + 3) & ~3;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
