/**
 * Every errno of Linux as the kernel's own headers number them (include/uapi/asm-generic/errno-base.h, errno.h, and
 * include/linux/errno.h for 524, which the kernel returns although user space has no name for it).
 * x86, arm, riscv and s390 use this numbering; mips, sparc, alpha and parisc have their own and are not served.
 */
const table: readonly (readonly [number: number, name: string, text: string])[] = [
  [1, 'EPERM', 'operation not permitted'],
  [2, 'ENOENT', 'no such file, map entry or object'],
  [3, 'ESRCH', 'no such process'],
  [4, 'EINTR', 'interrupted by a signal'],
  [5, 'EIO', 'input/output error'],
  [6, 'ENXIO', 'no such device or address'],
  [7, 'E2BIG', 'argument list too long, or a key outside the map'],
  [8, 'ENOEXEC', 'wrong format of an executable'],
  [9, 'EBADF', 'not an open file descriptor of the right kind'],
  [10, 'ECHILD', 'no child process'],
  [11, 'EAGAIN', 'not ready now, try again'],
  [12, 'ENOMEM', 'out of memory'],
  [13, 'EACCES', 'permission denied'],
  [14, 'EFAULT', 'bad memory address'],
  [15, 'ENOTBLK', 'not a block device'],
  [16, 'EBUSY', 'in use by another'],
  [17, 'EEXIST', 'exists already'],
  [18, 'EXDEV', 'on another file system'],
  [19, 'ENODEV', 'no such device'],
  [20, 'ENOTDIR', 'not a directory'],
  [21, 'EISDIR', 'is a directory'],
  [22, 'EINVAL', 'invalid argument'],
  [23, 'ENFILE', 'too many open files in the system'],
  [24, 'EMFILE', 'too many open files in the process'],
  [25, 'ENOTTY', 'the device does not know this request'],
  [26, 'ETXTBSY', 'the program file is being executed'],
  [27, 'EFBIG', 'file too large'],
  [28, 'ENOSPC', 'no space left'],
  [29, 'ESPIPE', 'cannot seek here'],
  [30, 'EROFS', 'read-only file system'],
  [31, 'EMLINK', 'too many links'],
  [32, 'EPIPE', 'nobody reads the pipe any more'],
  [33, 'EDOM', 'argument outside the domain of the function'],
  [34, 'ERANGE', 'result or value out of range'],
  [35, 'EDEADLK', 'would deadlock'],
  [36, 'ENAMETOOLONG', 'name too long'],
  [37, 'ENOLCK', 'no lock available'],
  [38, 'ENOSYS', 'this kernel has no such system call'],
  [39, 'ENOTEMPTY', 'directory not empty'],
  [40, 'ELOOP', 'too many symbolic links'],
  [42, 'ENOMSG', 'no message of that type'],
  [43, 'EIDRM', 'identifier removed'],
  [44, 'ECHRNG', 'channel number out of range'],
  [45, 'EL2NSYNC', 'level 2 not synchronised'],
  [46, 'EL3HLT', 'level 3 halted'],
  [47, 'EL3RST', 'level 3 reset'],
  [48, 'ELNRNG', 'link number out of range'],
  [49, 'EUNATCH', 'protocol driver not attached'],
  [50, 'ENOCSI', 'no CSI structure available'],
  [51, 'EL2HLT', 'level 2 halted'],
  [52, 'EBADE', 'invalid exchange'],
  [53, 'EBADR', 'invalid request descriptor'],
  [54, 'EXFULL', 'exchange full'],
  [55, 'ENOANO', 'no anode'],
  [56, 'EBADRQC', 'invalid request code'],
  [57, 'EBADSLT', 'invalid slot'],
  [59, 'EBFONT', 'bad font file'],
  [60, 'ENOSTR', 'not a stream device'],
  [61, 'ENODATA', 'no data available'],
  [62, 'ETIME', 'timer expired'],
  [63, 'ENOSR', 'out of stream resources'],
  [64, 'ENONET', 'the machine is on no network'],
  [65, 'ENOPKG', 'package not installed'],
  [66, 'EREMOTE', 'object is remote'],
  [67, 'ENOLINK', 'link severed'],
  [68, 'EADV', 'advertise error'],
  [69, 'ESRMNT', 'remote mount error'],
  [70, 'ECOMM', 'communication error on send'],
  [71, 'EPROTO', 'protocol error'],
  [72, 'EMULTIHOP', 'multihop attempted'],
  [73, 'EDOTDOT', 'RFS error'],
  [74, 'EBADMSG', 'not a data message'],
  [75, 'EOVERFLOW', 'value too large for its type, or no room for it'],
  [76, 'ENOTUNIQ', 'name not unique on the network'],
  [77, 'EBADFD', 'file descriptor in a bad state'],
  [78, 'EREMCHG', 'remote address changed'],
  [79, 'ELIBACC', 'cannot read a needed shared library'],
  [80, 'ELIBBAD', 'damaged shared library'],
  [81, 'ELIBSCN', 'damaged section in a program file'],
  [82, 'ELIBMAX', 'too many shared libraries'],
  [83, 'ELIBEXEC', 'a shared library cannot be executed'],
  [84, 'EILSEQ', 'invalid byte sequence'],
  [85, 'ERESTART', 'interrupted, to be restarted'],
  [86, 'ESTRPIPE', 'stream pipe error'],
  [87, 'EUSERS', 'too many users'],
  [88, 'ENOTSOCK', 'not a socket'],
  [89, 'EDESTADDRREQ', 'destination address required'],
  [90, 'EMSGSIZE', 'message or frame too long'],
  [91, 'EPROTOTYPE', 'wrong protocol for the socket'],
  [92, 'ENOPROTOOPT', 'protocol option not available'],
  [93, 'EPROTONOSUPPORT', 'protocol not supported'],
  [94, 'ESOCKTNOSUPPORT', 'socket type not supported'],
  [95, 'EOPNOTSUPP', 'operation not supported by the device, map or socket'],
  [96, 'EPFNOSUPPORT', 'protocol family not supported'],
  [97, 'EAFNOSUPPORT', 'address family not supported'],
  [98, 'EADDRINUSE', 'address in use'],
  [99, 'EADDRNOTAVAIL', 'address not available'],
  [100, 'ENETDOWN', 'network device is down'],
  [101, 'ENETUNREACH', 'network unreachable'],
  [102, 'ENETRESET', 'connection dropped because the network was reset'],
  [103, 'ECONNABORTED', 'connection aborted'],
  [104, 'ECONNRESET', 'connection reset by peer'],
  [105, 'ENOBUFS', 'no buffer space available'],
  [106, 'EISCONN', 'already connected'],
  [107, 'ENOTCONN', 'not connected'],
  [108, 'ESHUTDOWN', 'endpoint is shut down'],
  [109, 'ETOOMANYREFS', 'too many references'],
  [110, 'ETIMEDOUT', 'timed out'],
  [111, 'ECONNREFUSED', 'connection refused'],
  [112, 'EHOSTDOWN', 'host is down'],
  [113, 'EHOSTUNREACH', 'no route to host'],
  [114, 'EALREADY', 'already in progress'],
  [115, 'EINPROGRESS', 'in progress now'],
  [116, 'ESTALE', 'stale handle'],
  [117, 'EUCLEAN', 'structure needs cleaning'],
  [118, 'ENOTNAM', 'not a XENIX named type file'],
  [119, 'ENAVAIL', 'no XENIX semaphores available'],
  [120, 'EISNAM', 'is a named type file'],
  [121, 'EREMOTEIO', 'remote input/output error'],
  [122, 'EDQUOT', 'quota exceeded'],
  [123, 'ENOMEDIUM', 'no medium'],
  [124, 'EMEDIUMTYPE', 'wrong medium type'],
  [125, 'ECANCELED', 'cancelled'],
  [126, 'ENOKEY', 'required key not available'],
  [127, 'EKEYEXPIRED', 'key expired'],
  [128, 'EKEYREVOKED', 'key revoked'],
  [129, 'EKEYREJECTED', 'key rejected'],
  [130, 'EOWNERDEAD', 'owner died'],
  [131, 'ENOTRECOVERABLE', 'state not recoverable'],
  [132, 'ERFKILL', 'not possible while the radio is switched off'],
  [133, 'EHWPOISON', 'memory page has a hardware error'],
  [524, 'ENOTSUPP', 'operation not supported (a kernel-internal number that leaks to user space)'],
];

/** Second names of the same number: include/uapi/asm-generic/errno.h, and glibc for ENOTSUP. */
const aliases: readonly (readonly [name: string, number: number])[] = [
  ['EWOULDBLOCK', 11],
  ['EDEADLOCK', 35],
  ['ENOTSUP', 95],
];

let byNumber: ReadonlyMap<number, readonly [number, string, string]> | undefined;
let byName: ReadonlyMap<string, number> | undefined;

function rowOf(errno: number): readonly [number, string, string] | undefined {
  byNumber ??= new Map(table.map((row) => [row[0], row]));
  return byNumber.get(Math.abs(errno));
}

/** The name of an errno (`2` and `-2` are both `ENOENT`), or undefined where Linux has none. */
export function errnoName(errno: number): string | undefined {
  return rowOf(errno)?.[1];
}

/** What the errno means in general, in plain words; what it means for one operation is in explain.ts. */
export function errnoText(errno: number): string | undefined {
  return rowOf(errno)?.[2];
}

/** The positive number of an errno's name, in any case (`enoent`), second names included; undefined when there is none. */
export function errnoNumber(name: string): number | undefined {
  byName ??= new Map([...table.map(([number, primary]): [string, number] => [primary, number]), ...aliases]);
  return byName.get(name.toUpperCase());
}

/** All errnos by number, for tables and tests. */
export function allErrnos(): readonly { readonly number: number; readonly name: string; readonly text: string }[] {
  return table.map(([number, name, text]) => ({ number, name, text }));
}
