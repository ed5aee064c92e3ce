import { littleEndian } from '../domain/byte-order.ts';
import { KernelRefusal } from '../domain/errors.ts';
import { lastErrno, libc } from '../ffi/libc.ts';
import { addressOf } from '../ffi/memory.ts';
import { EAGAIN, EINTR } from './check.ts';
import { Fd } from './fd.ts';

/*
 * Descriptors that go from one process to another through a Unix socket (unix(7), SCM_RIGHTS). What is on its way
 * lives on when its sender has ended.
 */

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_CLOEXEC = 0x8_0000;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const MSG_CMSG_CLOEXEC = 0x4000_0000;

/** Descriptors in a message; the kernel takes at most 253 (SCM_MAX_FD, net/scm.h). */
const BATCH = 64;
/** struct cmsghdr: size_t length, int level, int type. */
const CONTROL_HEADER = 16;
const CONTROL_SIZE = CONTROL_HEADER + 4 * BATCH;

/** Two sockets that are connected with each other. @throws KernelRefusal `socket pair` */
export function socketPair(): readonly [Fd, Fd] {
  const fds = new Uint8Array(128);
  if (libc.socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) !== 0) {
    throw new KernelRefusal('socket pair', lastErrno());
  }
  const view = new DataView(fds.buffer);
  return [new Fd(view.getInt32(0, littleEndian)), new Fd(view.getInt32(4, littleEndian))];
}

/** Sends descriptors, which the caller keeps. @throws KernelRefusal `descriptor send` */
export function sendDescriptors(socket: number, fds: readonly number[]): void {
  for (let from = 0; from < fds.length; from += BATCH) {
    const message = new Message();
    message.put(fds.slice(from, from + BATCH));
    while (libc.sendmsg(socket, message.header, MSG_NOSIGNAL) < 0) {
      const errno = lastErrno();
      if (errno !== EINTR) throw new KernelRefusal('descriptor send', errno);
    }
  }
}

/** All descriptors that have arrived, in their order; does not wait for more. The caller owns them. */
export function receiveDescriptors(socket: number): Fd[] {
  const received: Fd[] = [];
  for (;;) {
    const message = new Message();
    const length = libc.recvmsg(socket, message.header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (length < 0 && lastErrno() === EINTR) continue;
    if (length < 0 && lastErrno() !== EAGAIN) {
      const errno = lastErrno();
      for (const fd of received) fd[Symbol.dispose]();
      throw new KernelRefusal('descriptor receive', errno);
    }
    if (length <= 0) return received;
    received.push(...message.take());
  }
}

/** struct msghdr with one byte of data, without which the kernel sends nothing, and room for descriptors. */
class Message {
  readonly header = new Uint8Array(128);
  readonly #piece = new Uint8Array(128);
  readonly #data = new Uint8Array(128);
  readonly #control = new Uint8Array(CONTROL_SIZE);

  constructor() {
    const piece = new DataView(this.#piece.buffer);
    piece.setBigUint64(0, addressOf(this.#data), littleEndian);
    piece.setBigUint64(8, 1n, littleEndian);
    const header = new DataView(this.header.buffer);
    header.setBigUint64(16, addressOf(this.#piece), littleEndian);
    header.setBigUint64(24, 1n, littleEndian);
    header.setBigUint64(32, addressOf(this.#control), littleEndian);
    header.setBigUint64(40, BigInt(CONTROL_SIZE), littleEndian);
  }

  put(fds: readonly number[]): void {
    const length = CONTROL_HEADER + 4 * fds.length;
    const control = new DataView(this.#control.buffer);
    control.setBigUint64(0, BigInt(length), littleEndian);
    control.setInt32(8, SOL_SOCKET, littleEndian);
    control.setInt32(12, SCM_RIGHTS, littleEndian);
    fds.forEach((fd, index) => {
      control.setInt32(CONTROL_HEADER + 4 * index, fd, littleEndian);
    });
    // Padded to 8 bytes (CMSG_SPACE).
    new DataView(this.header.buffer).setBigUint64(40, BigInt((length + 7) & ~7), littleEndian);
  }

  take(): Fd[] {
    const control = new DataView(this.#control.buffer);
    const filled = new DataView(this.header.buffer).getBigUint64(40, littleEndian);
    if (filled < CONTROL_HEADER || control.getInt32(12, littleEndian) !== SCM_RIGHTS) return [];
    const count = (Number(control.getBigUint64(0, littleEndian)) - CONTROL_HEADER) >> 2;
    return Array.from({ length: Math.min(count, BATCH) }, (_, index) => {
      return new Fd(control.getInt32(CONTROL_HEADER + 4 * index, littleEndian));
    });
  }
}
