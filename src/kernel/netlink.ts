import { KernelRefusal, type RefusalFacts } from '../domain/errors.ts';
import {
  decodeAnswer,
  decodeMessages,
  encodeMessage,
  encodeU32,
  NLM_F_ACK,
  NLM_F_DUMP,
  NLM_F_DUMP_INTR,
  NLM_F_REQUEST,
  NLMSG_DONE,
  NLMSG_ERROR,
  type NetlinkMessage,
} from '../domain/netlink-message.ts';
import { lastErrno, libc } from '../ffi/libc.ts';
import { EAGAIN, EINTR, ENOBUFS } from './check.ts';
import { Fd } from './fd.ts';

export const NETLINK_ROUTE = 0;
export const NETLINK_GENERIC = 16;

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0x8_0000;
const SOL_SOCKET = 1;
/** SO_RCVTIMEO with a 64-bit time (asm-generic/socket.h: SO_RCVTIMEO_NEW). */
const SO_RCVTIMEO = 66;
const SOL_NETLINK = 270;
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;
/** recv: leave the datagram where it is, and return its real length even when it is longer than the buffer. */
const MSG_PEEK = 2;
const MSG_TRUNC = 0x20;

/** The kernel answers before send() returns; this only keeps a fault from hanging the command. */
const TIMEOUT_S = 5n;
/** The kernel fills datagrams of a dump up to what the reader's buffer holds, at most 32 KiB (netlink_dump). */
const BUFFER_SIZE = 1 << 16;
/** How often a dump is begun again that something disturbed. */
const TRIES = 5;

/** What a request is for: the operation of the refusal, and its facts. */
export interface Purpose {
  readonly operation: string;
  readonly facts?: RefusalFacts;
}

/** A netlink socket of the network namespace in which it was opened, used synchronously. */
export class NetlinkSocket implements Disposable {
  readonly #fd: Fd;
  #buffer = new Uint8Array(BUFFER_SIZE);
  #sequence = 0;

  /**
   * @param protocol NETLINK_ROUTE or NETLINK_GENERIC
   * @throws KernelRefusal `netlink socket`
   */
  constructor(protocol: number) {
    const fd = libc.socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
    if (fd < 0) throw new KernelRefusal('netlink socket', lastErrno(), { protocol });
    this.#fd = new Fd(fd);
    const timeout = new BigInt64Array([TIMEOUT_S, 0n]);
    this.#setOption(SOL_SOCKET, SO_RCVTIMEO, new Uint8Array(timeout.buffer));
    // Kernels without them (before 4.12) give bare errnos.
    this.#setOption(SOL_NETLINK, NETLINK_EXT_ACK, encodeU32(1));
    this.#setOption(SOL_NETLINK, NETLINK_CAP_ACK, encodeU32(1));
  }

  /** The descriptor, which also takes the ioctls of network devices. */
  get fd(): number {
    return this.#fd.number;
  }

  /**
   * Asks for one thing, and returns the messages of the answer.
   *
   * @throws KernelRefusal with the kernel's own words as its fact `text`
   */
  get(type: number, body: Uint8Array, purpose: Purpose): NetlinkMessage[] {
    return this.#ask(type, NLM_F_ACK, body, purpose);
  }

  /**
   * Asks for a list.
   *
   * @throws KernelRefusal with the kernel's own words as its fact `text`
   */
  dump(type: number, body: Uint8Array, purpose: Purpose): NetlinkMessage[] {
    return this.#ask(type, NLM_F_DUMP, body, purpose);
  }

  [Symbol.dispose](): void {
    this.#fd[Symbol.dispose]();
  }

  /**
   * A list during which something changed, or of which the kernel lost a part, is asked for again; one that keeps
   * changing is taken as it comes.
   */
  #ask(type: number, flags: number, body: Uint8Array, purpose: Purpose): NetlinkMessage[] {
    for (let attempt = 1; ; attempt += 1) {
      this.#send(type, NLM_F_REQUEST | flags, body, purpose);
      const { messages, flaw } = this.#receive(purpose);
      if (flaw === undefined) return messages;
      if (attempt < TRIES) continue;
      if (flaw === 'changed') return messages;
      throw refusal(purpose, ENOBUFS);
    }
  }

  #send(type: number, flags: number, body: Uint8Array, purpose: Purpose): void {
    this.#sequence += 1;
    const bytes = encodeMessage({ type, flags, sequence: this.#sequence, body });
    while (libc.send(this.fd, bytes, bytes.length, 0) < 0) {
      const errno = lastErrno();
      if (errno !== EINTR) throw refusal(purpose, errno);
    }
  }

  /** Everything up to the end of the answer to the last request. */
  #receive(purpose: Purpose): { readonly messages: NetlinkMessage[]; readonly flaw: 'changed' | 'lost' | undefined } {
    const messages: NetlinkMessage[] = [];
    let flaw: 'changed' | 'lost' | undefined;
    for (;;) {
      const datagram = this.#datagram(purpose);
      if (datagram === undefined) {
        flaw = 'lost';
        continue;
      }
      for (const message of decodeMessages(datagram)) {
        if (message.sequence !== this.#sequence) continue;
        if (message.flags & NLM_F_DUMP_INTR) flaw ??= 'changed';
        if (message.type !== NLMSG_ERROR && message.type !== NLMSG_DONE) {
          messages.push(message);
          continue;
        }
        const { errno, text } = decodeAnswer(message);
        if (errno !== 0) throw refusal(purpose, errno, text);
        return { messages, flaw };
      }
    }
  }

  /** The next datagram, in memory of its own; undefined when the kernel had to drop one. */
  #datagram(purpose: Purpose): Uint8Array | undefined {
    // A device with hundreds of virtual functions does not fit any buffer chosen beforehand.
    const length = this.#recv(MSG_PEEK | MSG_TRUNC, purpose);
    if (length === undefined) return undefined;
    if (length > this.#buffer.length) this.#buffer = new Uint8Array(length);
    const received = this.#recv(0, purpose);
    return received === undefined ? undefined : this.#buffer.slice(0, received);
  }

  #recv(flags: number, purpose: Purpose): number | undefined {
    for (;;) {
      const length = libc.recv(this.fd, this.#buffer, this.#buffer.length, flags);
      if (length >= 0) return length;
      const errno = lastErrno();
      if (errno === ENOBUFS) return undefined;
      if (errno !== EINTR) throw refusal(purpose, errno === EAGAIN ? ETIMEDOUT : errno);
    }
  }

  #setOption(level: number, option: number, value: Uint8Array): void {
    libc.setsockopt(this.fd, level, option, value, value.length);
  }
}

const ETIMEDOUT = 110;

function refusal({ operation, facts }: Purpose, errno: number, text?: string): KernelRefusal {
  return new KernelRefusal(operation, errno, { ...facts, ...(text !== undefined && { text }) });
}
