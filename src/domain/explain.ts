import { errnoName, errnoText } from './errno.ts';
import { type ErrorKind, type KernelRefusal, type RefusalFacts, ToolError } from './errors.ts';
import { explainEntry } from './explain-entry.ts';
import { explainObject, isVerdict } from './explain-object.ts';
import { explainXdp } from './explain-xdp.ts';
import { explainXsk } from './explain-xsk.ts';
import type { Explanation } from './explanation.ts';
import { aMapOf } from './map-type.ts';

/** What explains a refusal besides the call itself. */
export interface Surroundings {
  /** Effective capabilities that matter for BPF; undefined when they cannot be read. */
  readonly capabilities: ReadonlySet<string> | undefined;
  /** e.g. `6.1.0-44-amd64`. */
  readonly kernelRelease: string;
}

const EPERM = 1;
const ENOENT = 2;
const E2BIG = 7;
const EBADF = 9;
const ENOMEM = 12;
const EACCES = 13;
const EBUSY = 16;
const EEXIST = 17;
const ENODEV = 19;
const EINVAL = 22;
const ENOSPC = 28;
const EOVERFLOW = 75;
const ENOTSOCK = 88;
const EOPNOTSUPP = 95;
const ENOTSUPP = 524;
const LIBBPF_ERRNO_START = 4000;

/** BPF_F_RDONLY and BPF_F_WRONLY (linux/bpf.h): what user space may not do with a map. */
const BPF_F_RDONLY = 1 << 3;
const BPF_F_WRONLY = 1 << 4;

/**
 * Words a refused call. The same errno means different things for each kind of map and each operation, so the table is
 * keyed by (operation, errno, map kind); what has no row of its own is reported with the errno's name and plain text.
 */
export function explain(refusal: KernelRefusal, surroundings: Surroundings): ToolError {
  const { kind, message, hint } = explanation(refusal, surroundings) ?? fallback(refusal, surroundings);
  return new ToolError(kind, message, {
    // libbpf counts its own reasons from 4000 on (enum libbpf_errno): those are no errnos.
    ...(refusal.errno < LIBBPF_ERRNO_START && { errno: refusal.errno }),
    operation: refusal.operation,
    cause: refusal,
    ...(hint !== undefined && { hint }),
  });
}

function explanation(refusal: KernelRefusal, surroundings: Surroundings): Explanation | undefined {
  const { operation, errno } = refusal;
  if (/^(?:xsk|capture) /.test(operation)) return explainXsk(refusal);
  // The verifier too says EACCES.
  if (operation === 'object load' && isVerdict(refusal)) return explainObject(refusal);
  if (errno === EPERM || errno === EACCES) return denied(refusal, surroundings);
  switch (operation) {
    case 'map get by id':
      return byId(refusal, 'map');
    case 'prog get by id':
      return byId(refusal, 'program');
    case 'link get by id':
      return byId(refusal, 'link');
    case 'map update':
    case 'map lookup':
    case 'map delete':
    case 'map getnext':
      return explainEntry(refusal) ?? entry(refusal);
    case 'map create':
      return create(refusal);
    case 'map freeze':
      return errno === EBUSY ? freezeBusy(refusal) : undefined;
    case 'pin':
      return pin(refusal);
    case 'pin get':
    case 'unpin':
      return pinGet(refusal);
    case 'xdp attach':
    case 'xdp detach':
      return explainXdp(refusal);
    default:
      return operation.startsWith('object ') ? explainObject(refusal) : undefined;
  }
}

/** What goes for the entries of every type. */
function entry(refusal: KernelRefusal): Explanation | undefined {
  const { operation, errno } = refusal;
  const map = aMapOf(mapWord(refusal));
  const unsupported = errno === EOPNOTSUPP || errno === ENOTSUPP;
  switch (operation) {
    case 'map update':
      return update(refusal);
    case 'map lookup':
      return unsupported
        ? { kind: 'unsupported', message: `the kernel does not let user space look up entries of ${map}` }
        : undefined;
    case 'map delete':
      return unsupported || errno === EINVAL
        ? {
            kind: 'refused',
            message: `entries of ${map} cannot be deleted`,
            hint: 'overwrite the entry with map update',
          }
        : undefined;
    default:
      return unsupported || errno === EINVAL
        ? { kind: 'unsupported', message: `${map} has no keys to walk through` }
        : undefined;
  }
}

/** EPERM is not always a missing capability: the map, the pin's name or an old memory limit may be the reason. */
function denied(refusal: KernelRefusal, surroundings: Surroundings): Explanation {
  const { operation, facts } = refusal;
  if (operation === 'map freeze' && facts['frozen'] === true) return freezeBusy(refusal);
  const missing = missingCapability(operation, surroundings);
  const flags = Number(facts['flags'] ?? 0);
  if (missing === undefined || operation === 'map update' || operation === 'map delete') {
    if (facts['frozen'] === true) {
      return {
        kind: 'refused',
        message: `${subject(refusal)} is frozen: user space can no longer change it`,
        hint: 'create a new map; freezing cannot be undone',
      };
    }
    if (operation === 'map lookup' && flags & BPF_F_WRONLY) {
      return {
        kind: 'refused',
        message: `${subject(refusal)} was created with the flag wronly: user space cannot read it`,
      };
    }
    if ((operation === 'map update' || operation === 'map delete') && flags & BPF_F_RDONLY) {
      return {
        kind: 'refused',
        message: `${subject(refusal)} was created with the flag rdonly: user space cannot change it`,
      };
    }
  }
  if (operation === 'pin' && String(facts['path'] ?? '').includes('.')) {
    return {
      kind: 'usage',
      message: `the kernel allows no '.' in names below bpffs: ${String(facts['path'])}`,
    };
  }
  if (operation === 'pin get' && refusal.errno === EACCES && facts['directory'] === true) {
    return { kind: 'usage', message: `${String(facts['path'])} is a directory, not a pin` };
  }
  if (operation === 'pin get' && refusal.errno === EACCES && facts['outside'] === true) {
    return { kind: 'usage', message: `${String(facts['path'])} is not in a bpffs: an ordinary file is no pin` };
  }
  if (missing === undefined && operation === 'map create' && kernelBefore(surroundings, 5, 11)) {
    return {
      kind: 'permission',
      message: 'the kernel refuses the memory for the map: before Linux 5.11 maps count against RLIMIT_MEMLOCK',
      hint: 'raise the limit (ulimit -l unlimited), which takes CAP_SYS_RESOURCE',
    };
  }
  if (missing === undefined) {
    return {
      kind: 'permission',
      message: `the kernel does not permit this: ${operation}${tail(refusal)}`,
      hint: 'a security module, a lockdown or the file mode of a pin may be the reason',
    };
  }
  return {
    kind: 'permission',
    message: `${operation}${tail(refusal)} needs ${missing}, which this process does not have`,
    hint: 'run it as root, or with that capability',
  };
}

/** The capability that the operation needs and this process lacks; undefined when it lacks none. */
function missingCapability(operation: string, { capabilities }: Surroundings): string | undefined {
  if (capabilities === undefined || capabilities.has('CAP_SYS_ADMIN')) {
    if (capabilities === undefined) return undefined;
    return operation.startsWith('xdp') && !capabilities.has('CAP_NET_ADMIN') ? 'CAP_NET_ADMIN' : undefined;
  }
  if (/ by id$| next id$/.test(operation)) {
    // bpf_capable() is not enough for ids: kernel/bpf/syscall.c asks for CAP_SYS_ADMIN.
    return 'CAP_SYS_ADMIN (to open BPF objects by id or name)';
  }
  if (operation === 'netns enter' || operation === 'mount bpffs') return 'CAP_SYS_ADMIN';
  if (!capabilities.has('CAP_BPF')) return 'CAP_BPF';
  if (!capabilities.has('CAP_NET_ADMIN')) return 'CAP_NET_ADMIN';
  return undefined;
}

function update(refusal: KernelRefusal): Explanation | undefined {
  const { errno, facts } = refusal;
  const map = String(facts['mapType'] ?? 'map');
  switch (errno) {
    case E2BIG:
      return map === 'devmap' || map === 'cpumap' || map === 'xskmap' || map === 'array'
        ? {
            kind: 'usage',
            message: `the key is outside the ${map}: keys go from 0 to ${Number(facts['maxEntries']) - 1}`,
          }
        : {
            kind: 'refused',
            message: `${subject(refusal)} is full: it holds ${Number(facts['maxEntries'])} entries`,
            hint: 'delete an entry, or create a larger map',
          };
    case EEXIST:
      return {
        kind: 'conflict',
        message: `${subject(refusal)} has an entry at this key already`,
        hint: 'without noexist the entry is replaced',
      };
    case ENOENT:
      return {
        kind: 'not-found',
        message: `${subject(refusal)} has no entry at this key`,
        hint: 'without exist the entry is made',
      };
    case ENODEV:
      return map === 'cpumap' ? impossibleCpu(facts) : undefined;
    case EOVERFLOW:
      return map === 'cpumap' ? { kind: 'usage', message: 'qsize is at most 16384 (kernel/bpf/cpumap.c)' } : undefined;
    case ENOTSOCK:
    case EBADF:
      return map === 'xskmap'
        ? {
            kind: 'usage',
            message: `descriptor ${String(facts['valueFd'] ?? '')} is no open socket of this process`,
            hint: 'an xskmap takes an AF_XDP socket that the shell handed down, e.g. fd 3',
          }
        : undefined;
    case EOPNOTSUPP:
      return map === 'xskmap' ? { kind: 'usage', message: 'the socket is not an AF_XDP socket' } : undefined;
    case EINVAL:
      return map === 'devmap' || map === 'devmap_hash'
        ? {
            kind: 'usage',
            message:
              'the kernel refuses the value: no such interface in this network namespace, or a program that does not go with the map',
          }
        : undefined;
    default:
      return undefined;
  }
}

function impossibleCpu({ cpu, possibleCpus }: RefusalFacts): Explanation {
  return {
    kind: 'usage',
    message:
      cpu === undefined
        ? 'the key is no possible CPU of this machine'
        : `CPU ${cpu} is no possible CPU of this machine`,
    ...(possibleCpus !== undefined && { hint: `possible CPUs are ${possibleCpus}` }),
  };
}

function create(refusal: KernelRefusal): Explanation | undefined {
  const { errno, facts } = refusal;
  const type = String(facts['mapType'] ?? 'map');
  switch (errno) {
    case ENOMEM:
      return {
        kind: 'refused',
        message: `not enough memory for a ${type} of ${Number(facts['maxEntries'])} entries`,
        hint: 'ask for fewer entries',
      };
    case E2BIG:
      return {
        kind: 'usage',
        message: `a ${type} of ${Number(facts['maxEntries'])} entries, keys of ${Number(facts['keySize'])} and values of ${Number(facts['valueSize'])} bytes is more than the kernel allows`,
      };
    case EINVAL:
      return {
        kind: 'usage',
        message: `the kernel refuses a ${type} with keys of ${Number(facts['keySize'])} bytes, values of ${Number(facts['valueSize'])} bytes, ${Number(facts['maxEntries'])} entries and flags 0x${Number(facts['flags'] ?? 0).toString(16)}`,
        hint: `the rules for a ${type} are in xdpctl-map(8), or this kernel is too old for the type`,
      };
    default:
      return undefined;
  }
}

/** A second freezing is EPERM, because a frozen map cannot be written (map_get_sys_perms, kernel/bpf/syscall.c). */
function freezeBusy(refusal: KernelRefusal): Explanation {
  return refusal.facts['frozen'] === true
    ? { kind: 'conflict', message: `${subject(refusal)} is frozen already` }
    : {
        kind: 'conflict',
        message: `${subject(refusal)} is being written to, or is mapped for writing`,
        hint: 'see who holds it: xdpctl map show',
      };
}

function pin(refusal: KernelRefusal): Explanation | undefined {
  const path = String(refusal.facts['path']);
  switch (refusal.errno) {
    case EEXIST:
      return { kind: 'conflict', message: `${path} exists already` };
    case ENOENT:
      return { kind: 'not-found', message: `the directory of ${path} does not exist` };
    case EINVAL:
      return { kind: 'usage', message: `${path} is not below a mounted bpffs` };
    case ENOSPC:
      return { kind: 'refused', message: `no room in the bpffs for ${path}` };
    default:
      return undefined;
  }
}

function pinGet(refusal: KernelRefusal): Explanation | undefined {
  const path = String(refusal.facts['path']);
  switch (refusal.errno) {
    case ENOENT:
      return {
        kind: 'not-found',
        message: `there is no pin ${path}`,
        ...(refusal.facts['mounted'] === false && {
          hint: "bpffs is not mounted here; 'ip netns exec' hides it: use xdpctl --netns NAME instead",
        }),
      };
    case EINVAL:
      return { kind: 'usage', message: `${path} is an ordinary file, not a pin` };
    default:
      return undefined;
  }
}

function byId(refusal: KernelRefusal, what: string): Explanation | undefined {
  if (refusal.errno !== ENOENT) return undefined;
  const id = refusal.facts['id'] ?? refusal.facts['mapId'];
  return { kind: 'not-found', message: `there is no ${what} with id ${String(id)}` };
}

function fallback(refusal: KernelRefusal, surroundings: Surroundings): Explanation {
  const { operation, errno } = refusal;
  const kinds: Partial<Record<number, ErrorKind>> = {
    [ENOENT]: 'not-found',
    [EEXIST]: 'conflict',
    [EBUSY]: 'conflict',
    [EOPNOTSUPP]: 'unsupported',
    [ENOTSUPP]: 'unsupported',
  };
  return {
    kind: kinds[errno] ?? 'refused',
    message: `${operation}${tail(refusal)} failed: ${errnoText(errno)}`,
    ...(errno === EINVAL && {
      hint: `this may be more than Linux ${surroundings.kernelRelease} can do (${errnoName(errno)})`,
    }),
  };
}

/** The map, as it stands in a sentence: `devmap 12`. */
function subject(refusal: KernelRefusal): string {
  const { facts } = refusal;
  return `${mapWord(refusal)}${facts['mapId'] === undefined ? '' : ` ${String(facts['mapId'])}`}`;
}

function mapWord({ facts }: KernelRefusal): string {
  return String(facts['mapType'] ?? 'map');
}

/** What the operation was about, where that is known. */
function tail({ facts }: KernelRefusal): string {
  const what = facts['path'] ?? facts['ifname'] ?? facts['id'] ?? facts['mapId'];
  return what === undefined ? '' : ` ${String(what)}`;
}

function kernelBefore({ kernelRelease }: Surroundings, major: number, minor: number): boolean {
  const [, first = '0', second = '0'] = /^(\d+)\.(\d+)/.exec(kernelRelease) ?? [];
  return Number(first) < major || (Number(first) === major && Number(second) < minor);
}
