import { bindLibrary, koffi } from './koffi.ts';
import type { Pointer } from './libbpf.ts';

/**
 * The functions of the C library that xdpctl calls. Those that can fail return -1 and leave the reason in errno:
 * read it with `lastErrno` before any other call.
 */
export interface Libc {
  close(fd: number): number;
  open(path: string | Uint8Array, flags: number, mode: number): number;
  faccessat(directory: number, path: string | Uint8Array, mode: number, flags: number): number;
  fcntl(fd: number, command: number, argument: number): number;
  mount(source: string, target: string, type: string, flags: number, data: string | null): number;
  statfs(path: string | Uint8Array, buffer: Uint8Array): number;
  setns(fd: number, type: number): number;
  flock(fd: number, operation: number): number;
  socket(domain: number, type: number, protocol: number): number;
  bind(fd: number, address: Uint8Array, length: number): number;
  send(fd: number, bytes: Uint8Array, length: number, flags: number): number;
  recv(fd: number, bytes: Uint8Array, length: number, flags: number): number;
  setsockopt(fd: number, level: number, option: number, value: Uint8Array, length: number): number;
  getsockopt(fd: number, level: number, option: number, value: Uint8Array, length: Uint32Array): number;
  ioctl(fd: number, request: number, argument: Uint8Array): number;
  mmap(address: Pointer, length: number, protection: number, flags: number, fd: number, offset: number): Pointer;
  munmap(address: Pointer, length: number): number;
  poll(descriptors: Uint8Array, count: number, milliseconds: number): number;
  writev(fd: number, pieces: Uint8Array, count: number): number;
  sendmsg(fd: number, message: Uint8Array, flags: number): number;
  recvmsg(fd: number, message: Uint8Array, flags: number): number;
  socketpair(domain: number, type: number, protocol: number, fds: Uint8Array): number;
  getpagesize(): number;
  vsnprintf(buffer: Uint8Array, size: number, format: Pointer, arguments_: Pointer): number;
  syscall(number: number, a: number, b: number, c: number): number;
}

const int = 'int';
const u32 = 'uint32_t';
const size = 'size_t';
const ssize = 'int64_t';
const str = 'str';
const ptr = 'void *';

/**
 * Loaded as the C library that Node itself runs on (`libc.so.6` with glibc, already mapped; musl answers to the
 * same name through its loader's own aliases only for `libc.so`), hence the name is looked up in the process.
 */
export const libc = bindLibrary<Libc>(null, {
  close: [int, [int]],
  open: [int, [str, int, u32]],
  faccessat: [int, [int, str, int, int]],
  fcntl: [int, [int, int, 'int64_t']],
  mount: [int, [str, str, str, 'uint64_t', str]],
  statfs: [int, [str, ptr]],
  setns: [int, [int, int]],
  flock: [int, [int, int]],
  socket: [int, [int, int, int]],
  bind: [int, [int, ptr, u32]],
  send: [ssize, [int, ptr, size, int]],
  recv: [ssize, [int, ptr, size, int]],
  setsockopt: [int, [int, int, int, ptr, u32]],
  getsockopt: [int, [int, int, int, ptr, ptr]],
  ioctl: [int, [int, 'uint64_t', ptr]],
  mmap: [ptr, [ptr, size, int, int, int, 'int64_t']],
  munmap: [int, [ptr, size]],
  poll: [int, [ptr, 'uint64_t', int]],
  writev: [ssize, [int, ptr, int]],
  sendmsg: [ssize, [int, ptr, int]],
  recvmsg: [ssize, [int, ptr, int]],
  socketpair: [int, [int, int, int, ptr]],
  getpagesize: [int, []],
  vsnprintf: [int, [ptr, size, ptr, ptr]],
  syscall: ['int64_t', ['int64_t', 'int64_t', 'int64_t', 'int64_t']],
});

/** The positive errno that the last FFI call left behind. */
export function lastErrno(): number {
  return koffi().errno();
}

/** What a call in another thread returned, and the errno that it left behind. */
export interface ThreadResult {
  readonly result: number;
  readonly errno: number;
}

/**
 * Makes a call in a thread of the pool, so that the event loop goes on meanwhile. The caller keeps its buffers alive and
 * its descriptors open until it ends. The thread is in the network namespace that the process began in.
 */
export function callInThread<Parameters extends unknown[]>(
  call: (...parameters: Parameters) => number,
  ...parameters: Parameters
): Promise<ThreadResult> {
  const bound = call as unknown as { async(...all: unknown[]): void };
  return new Promise((resolve) => {
    bound.async(...parameters, (_: null, result: number) => {
      // koffi sets errno to that of the thread for the time of this callback.
      resolve({ result, errno: lastErrno() });
    });
  });
}
