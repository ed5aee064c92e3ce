import { littleEndian } from '../domain/byte-order.ts';
import { libc } from '../ffi/libc.ts';

/** POLLIN (poll.h). */
const POLLIN = 1;

/**
 * Whether reading from a descriptor would return at once: with data, at its end, or with an error. A read that waits
 * cannot be given up: Node does not exit before it has ended.
 */
export function isReadable(fd: number): boolean {
  // struct pollfd: int fd, short events, short revents.
  const request = new Uint8Array(8);
  const view = new DataView(request.buffer);
  view.setInt32(0, fd, littleEndian);
  view.setInt16(4, POLLIN, littleEndian);
  return libc.poll(request, 1, 0) !== 0;
}
