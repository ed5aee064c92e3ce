import { littleEndian } from '../../domain/byte-order.ts';
import { KernelRefusal, type RefusalFacts } from '../../domain/errors.ts';
import { decodeXskStatistics, XSK_STATISTICS_SIZE, type XskStatistics } from '../../domain/xsk-statistics.ts';
import { lastErrno, libc } from '../../ffi/libc.ts';

/** Levels and options of AF_XDP sockets (linux/if_xdp.h, linux/socket.h). */
export const AF_XDP = 44;
const SOL_XDP = 283;
const SOL_SOCKET = 1;
const SO_ERROR = 4;

export const XDP_MMAP_OFFSETS = 1;
export const XDP_RX_RING = 2;
export const XDP_TX_RING = 3;
export const XDP_UMEM_REG = 4;
export const XDP_UMEM_FILL_RING = 5;
export const XDP_UMEM_COMPLETION_RING = 6;
const XDP_STATISTICS = 7;
const XDP_OPTIONS = 8;

/** In the answer to XDP_OPTIONS. */
const XDP_OPTIONS_ZEROCOPY = 1;

/** @throws KernelRefusal */
export function setXskOption(
  fd: number,
  option: number,
  value: Uint8Array,
  operation: string,
  facts: RefusalFacts,
): void {
  if (libc.setsockopt(fd, SOL_XDP, option, value, value.length) !== 0) {
    throw new KernelRefusal(operation, lastErrno(), facts);
  }
}

/**
 * As many bytes as the kernel has of an option, at most `size`.
 *
 * @throws KernelRefusal `xsk query`
 */
export function getXskOption(fd: number, option: number, size: number): Uint8Array {
  const value = new Uint8Array(size);
  const length = new Uint32Array([size]);
  if (libc.getsockopt(fd, SOL_XDP, option, value, length) !== 0) {
    throw new KernelRefusal('xsk query', lastErrno(), { option });
  }
  return value.subarray(0, length[0]);
}

/** The socket's counters since it was opened. @throws KernelRefusal `xsk query` */
export function readXskStatistics(fd: number): XskStatistics {
  return decodeXskStatistics(getXskOption(fd, XDP_STATISTICS, XSK_STATISTICS_SIZE));
}

/** Whether a bound socket is in zero-copy mode. @throws KernelRefusal `xsk query` */
export function isZeroCopy(fd: number): boolean {
  return (u32(getXskOption(fd, XDP_OPTIONS, 4)) & XDP_OPTIONS_ZEROCOPY) !== 0;
}

/** The error that waits at a socket (errno), 0 when there is none; reading takes it away. */
export function takeSocketError(fd: number): number {
  const value = new Uint8Array(4);
  if (libc.getsockopt(fd, SOL_SOCKET, SO_ERROR, value, new Uint32Array([4])) !== 0) return lastErrno();
  return u32(value);
}

function u32(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0, littleEndian);
}
