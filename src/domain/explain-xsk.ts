import { errnoText } from './errno.ts';
import type { KernelRefusal } from './errors.ts';
import type { Explanation } from './explanation.ts';

const EPERM = 1;
const ENOENT = 2;
const EACCES = 13;
const ENXIO = 6;
const ENOMEM = 12;
const EBUSY = 16;
const EEXIST = 17;
const ENODEV = 19;
const ENOTDIR = 20;
const EISDIR = 21;
const EINVAL = 22;
const EFBIG = 27;
const ENOSPC = 28;
const EROFS = 30;
const ELOOP = 40;
const EOPNOTSUPP = 95;
const EAFNOSUPPORT = 97;
const ENOBUFS = 105;

/** Words for refused operations on AF_XDP sockets (`xsk …`) and the files their frames go to (`capture …`). */
export function explainXsk(refusal: KernelRefusal): Explanation | undefined {
  switch (refusal.operation) {
    case 'xsk socket':
      return socket(refusal);
    case 'xsk memory':
    case 'xsk register memory':
      return memory(refusal);
    case 'xsk ring':
    case 'xsk map ring':
      return ring(refusal);
    case 'xsk bind':
      return bind(refusal);
    case 'capture open':
      return captureOpen(refusal);
    case 'capture write':
      return captureWrite(refusal);
    default:
      return undefined;
  }
}

function socket({ errno }: KernelRefusal): Explanation | undefined {
  if (errno === EPERM) {
    return {
      kind: 'permission',
      message: 'an AF_XDP socket needs CAP_NET_RAW, which this process does not have',
      hint: 'run it as root, or with that capability',
    };
  }
  if (errno !== EAFNOSUPPORT) return undefined;
  return {
    kind: 'unsupported',
    message: 'this kernel has no AF_XDP sockets',
    hint: 'Linux 4.18 built with CONFIG_XDP_SOCKETS is required',
  };
}

function memory({ errno, facts }: KernelRefusal): Explanation | undefined {
  const size = `${(Number(facts['frames']) * Number(facts['frameSize'])) / 1024} KiB`;
  switch (errno) {
    case ENOBUFS:
      // xdp_umem_account_pages (net/xdp/xdp_umem.c).
      return {
        kind: 'refused',
        message: `the ${size} for the frames are more than RLIMIT_MEMLOCK allows`,
        hint: 'ask for fewer --frames, raise the limit (ulimit -l), or run it with CAP_IPC_LOCK',
      };
    case ENOMEM:
      return { kind: 'refused', message: `not enough memory for ${size} of frames`, hint: 'ask for fewer --frames' };
    default:
      return undefined;
  }
}

function ring({ errno, facts }: KernelRefusal): Explanation | undefined {
  if (errno !== ENOMEM) return undefined;
  return {
    kind: 'refused',
    message: `not enough memory for a ${String(facts['ring'])} ring of ${Number(facts['size'])} entries`,
    hint: 'ask for a smaller one',
  };
}

function bind({ errno, facts }: KernelRefusal): Explanation | undefined {
  const queue = `queue ${Number(facts['queue'])}`;
  switch (errno) {
    case EBUSY:
      return {
        kind: 'conflict',
        message: `${queue} has an AF_XDP socket already`,
        hint: ({ own }) => `see who holds it: ${own(['xsk', 'show'])}`,
      };
    case ENODEV:
      return { kind: 'not-found', message: 'the interface has gone meanwhile' };
    case EOPNOTSUPP:
      return {
        kind: 'unsupported',
        message: 'the driver of this interface has no AF_XDP in zero-copy mode',
        hint: 'with --copy every driver will do',
      };
  }
  if (facts['mode'] === 'zerocopy') {
    // xp_assign_dev (net/xdp/xsk_buff_pool.c) hands on whatever the driver says: it may have no rings to spare for it.
    return {
      kind: 'unsupported',
      message: `the driver of this interface refuses zero-copy on ${queue}: ${errnoText(errno) ?? `errno ${errno}`}`,
      hint: 'with --copy every driver will do; other sizes (--frame-size, --rx-size) may suit this one',
    };
  }
  switch (errno) {
    case EINVAL:
      return {
        kind: 'usage',
        message: `the interface has no ${queue}, or the kernel does not know a flag of the bind`,
        hint: 'see its queues: ethtool -l; need-wakeup takes Linux 5.4',
      };
    default:
      return undefined;
  }
}

function captureOpen({ errno, facts }: KernelRefusal): Explanation | undefined {
  const path = String(facts['path']);
  switch (errno) {
    case EEXIST:
      return { kind: 'conflict', message: `${path} exists already`, hint: 'with --overwrite it is replaced' };
    case ENOENT:
    case ENOTDIR:
      return { kind: 'not-found', message: `the directory of ${path} does not exist` };
    case ELOOP: {
      const target = facts['target'];
      return {
        kind: 'conflict',
        message: `${path} is a symbolic link`,
        ...(target !== undefined && { hint: `name what it leads to: ${String(target)}` }),
      };
    }
    case EROFS:
      return { kind: 'refused', message: `${path} would be on a filesystem that is read-only` };
    case EISDIR:
      return { kind: 'usage', message: `${path} is a directory` };
    case EPERM:
      return { kind: 'permission', message: `${path} may not be written`, hint: 'it may be immutable: see lsattr' };
    case EACCES:
      return {
        kind: 'permission',
        message: `${path} may not be written without CAP_DAC_OVERRIDE`,
        hint: 'run it as root, or with that capability',
      };
    case ENXIO:
      return { kind: 'refused', message: `nobody reads ${path}`, hint: 'begin to read the FIFO first' };
    default:
      return undefined;
  }
}

function captureWrite({ errno, facts }: KernelRefusal): Explanation {
  const isOutput = facts['path'] === '-';
  const path = isOutput ? 'standard output' : String(facts['path']);
  const cut = isOutput ? '' : '; it ends with the last whole frame';
  return errno === ENOSPC || errno === EFBIG
    ? { kind: 'refused', message: `there is no more room for ${path}${cut}`, hint: 'make room, or write elsewhere' }
    : { kind: 'refused', message: `${path} cannot be written: ${errnoText(errno)}${cut}` };
}
