import { constants } from 'node:os';

import type { Call } from './faulty-command.ts';

const { EACCES, EAGAIN, EBUSY, EINTR, EIO, EMFILE, ENOBUFS, ENOENT, ENOMEM, ENOSPC, EPERM, EROFS } = constants.errno;

/** Calls that give a descriptor. */
const opening = [EMFILE, ENOMEM];
/** Calls that change a folder. */
const changing = [ENOSPC, EPERM, ENOMEM, EROFS];
/** Calls that look at a path, of which "it is not there" is an answer, and no fault. */
const looking = [EACCES, ENOMEM, EIO];

/** The errnos that a call can give by the man pages, those that mean that something is wrong and not an answer. */
const byName: Readonly<Record<string, readonly number[]>> = {
  open: [...opening, EACCES, EINTR],
  fopen: [...opening, EACCES],
  socket: [...opening, EPERM],
  socketpair: opening,
  pipe2: opening,
  fork: [EAGAIN, ENOMEM],
  mkdir: changing,
  mkdtemp: changing,
  rmdir: [EBUSY, EPERM, ENOMEM],
  unlink: [EPERM, ENOMEM, EROFS, EIO],
  rename: changing,
  symlink: changing,
  link: changing,
  chmod: [EPERM, EROFS],
  access: looking,
  stat: looking,
  lstat: looking,
  readlink: looking,
  realpath: looking,
  scandir: [EACCES, ENOMEM, EMFILE],
  opendir: [EACCES, ENOMEM, EMFILE],
  fstat: [ENOMEM, EIO],
  statfs: looking,
  fstatfs: [ENOMEM, EIO],
  read: [EIO, EINTR, ENOMEM],
  write: [ENOSPC, EIO, EINTR],
  ftruncate: [EIO, EPERM],
  fsync: [EIO, ENOSPC],
  fchmod: [EPERM, EROFS],
  flock: [ENOMEM, EINTR],
  mount: [EPERM, EBUSY, ENOMEM],
  setns: [EPERM, ENOMEM],
  bind: [ENOMEM, EPERM, EBUSY],
  getsockname: [ENOBUFS],
  send: [ENOBUFS, EPERM, EINTR, ENOMEM],
  sendmsg: [ENOBUFS, EAGAIN, EINTR],
  recv: [ENOBUFS, EINTR, EAGAIN, ENOMEM],
  recvmsg: [ENOBUFS, EINTR, ENOMEM],
  setsockopt: [ENOMEM, EPERM],
  getsockopt: [ENOMEM, ENOBUFS],
  poll: [EINTR, ENOMEM],
  ioctl: [EPERM, ENOMEM, EBUSY],
  fcntl: [EMFILE, ENOMEM],
  mmap: [ENOMEM, EAGAIN, EPERM],
  dup3: [EMFILE, EBUSY],
  epoll_create1: opening,
};

/** The same for bpf(2), by enum bpf_cmd. */
const byCommand: Readonly<Record<number, readonly number[]>> = {
  0: [ENOMEM, EPERM, EMFILE], // MAP_CREATE
  1: [ENOMEM, EPERM], // MAP_LOOKUP_ELEM
  2: [ENOMEM, EPERM, EBUSY], // MAP_UPDATE_ELEM
  3: [EPERM, EBUSY], // MAP_DELETE_ELEM
  4: [ENOMEM, EPERM], // MAP_GET_NEXT_KEY
  5: [ENOMEM, EPERM, EMFILE, EAGAIN], // PROG_LOAD
  6: [ENOSPC, ENOMEM, EPERM], // OBJ_PIN: the first when bpffs is full (bpf_get_inode, kernel/bpf/inode.c)
  7: [EMFILE, ENOMEM, EACCES], // OBJ_GET
  10: [ENOMEM, EINTR, EPERM], // PROG_TEST_RUN
  11: [EPERM], // PROG_GET_NEXT_ID
  12: [EPERM], // MAP_GET_NEXT_ID
  13: [EMFILE, EPERM, EAGAIN, ENOENT], // PROG_GET_FD_BY_ID
  14: [EMFILE, EPERM, EAGAIN, ENOENT], // MAP_GET_FD_BY_ID
  15: [ENOMEM], // OBJ_GET_INFO_BY_FD
  17: [ENOMEM, EMFILE, EPERM], // RAW_TRACEPOINT_OPEN
  18: [ENOMEM, EPERM, EMFILE], // BTF_LOAD
  19: [EMFILE, EPERM, ENOENT], // BTF_GET_FD_BY_ID
  22: [EBUSY, EPERM], // MAP_FREEZE
  24: [ENOMEM, EPERM], // MAP_LOOKUP_BATCH
  28: [ENOMEM, EBUSY, EMFILE, EPERM], // LINK_CREATE
  29: [ENOMEM, EBUSY], // LINK_UPDATE
  30: [EMFILE, EPERM, ENOENT], // LINK_GET_FD_BY_ID
  31: [EPERM], // LINK_GET_NEXT_ID
  34: [ENOMEM, EPERM], // LINK_DETACH
};

/** The errnos with which a call is to fail, the likeliest first. */
export function errnosOf({ name, detail }: Call): readonly number[] {
  // Node.js asks so what its own streams are, and ends where it gets no answer (guessHandleType, lib/internal/util.js).
  if (name === 'fstat' && detail === 'stream') return [];
  if (name === 'bpf') return byCommand[Number(detail)] ?? [ENOMEM, EPERM];
  return byName[name] ?? [ENOMEM, EPERM];
}

/** The name of an errno. */
export function errnoWord(errno: number): string {
  const [name] = Object.entries(constants.errno).find(([, value]) => value === errno) ?? [];
  return name ?? String(errno);
}
