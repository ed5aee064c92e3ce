import type { KernelRefusal } from './errors.ts';
import { explainFreeze } from './explain-map.ts';
import { type Explanation, subject, type Surroundings, tail } from './explanation.ts';

const EPERM = 1;
const EACCES = 13;

/** BPF_F_RDONLY and BPF_F_WRONLY (linux/bpf.h): what user space may not do with a map. */
const BPF_F_RDONLY = 1 << 3;
const BPF_F_WRONLY = 1 << 4;

/** EPERM is not always a missing capability: the map, the pin's name or an old memory limit may be the reason. */
export function explainDenied(refusal: KernelRefusal, surroundings: Surroundings): Explanation {
  const { operation } = refusal;
  if (operation === 'map freeze' && refusal.facts['frozen'] === true) return explainFreeze(refusal);
  const reason = ofTheMap(refusal) ?? ofThePath(refusal);
  if (reason !== undefined) return reason;
  const missing = missingCapability(refusal, surroundings);
  if (missing === undefined && operation === 'pin get' && isDotted(refusal)) return dotted(refusal);
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
      message: `the kernel does not permit this: ${doing(refusal)}`,
      hint: 'a security module, a lockdown or the file mode of a pin may be the reason',
    };
  }
  return {
    kind: 'permission',
    message: `${doing(refusal)} needs ${missing}, which this process does not have`,
    hint: 'run it as root, or with that capability',
  };
}

/** A map that user space may not change, or not read, whatever capabilities it has. */
function ofTheMap(refusal: KernelRefusal): Explanation | undefined {
  const { operation, facts } = refusal;
  const flags = Number(facts['flags'] ?? 0);
  const changes = operation === 'map update' || operation === 'map delete';
  if (changes && facts['frozen'] === true) {
    return {
      kind: 'refused',
      message: `${subject(refusal)} is frozen: user space can no longer change it`,
      hint: 'create a new map; freezing cannot be undone',
    };
  }
  if (changes && flags & BPF_F_RDONLY) {
    return {
      kind: 'refused',
      message: `${subject(refusal)} was created with the flag rdonly: user space cannot change it`,
    };
  }
  if (/^map (?:lookup|getnext)$/.test(operation) && flags & BPF_F_WRONLY) {
    return {
      kind: 'refused',
      message: `${subject(refusal)} was created with the flag wronly: user space cannot read it`,
    };
  }
  return undefined;
}

/** A path at which there can be no pin. */
function ofThePath(refusal: KernelRefusal): Explanation | undefined {
  const { operation, errno, facts } = refusal;
  const path = String(facts['path'] ?? '');
  if (operation === 'pin' && isDotted(refusal)) return dotted(refusal);
  if (operation !== 'pin get' || errno !== EACCES) return undefined;
  if (facts['directory'] === true) return { kind: 'usage', message: `${path} is a directory, not a pin` };
  if (facts['outside'] === true) {
    return { kind: 'usage', message: `${path} is not in a bpffs: an ordinary file is no pin` };
  }
  return undefined;
}

/** The kernel refuses dots in the names below bpffs (bpf_lookup, kernel/bpf/inode.c). */
function isDotted({ errno, facts }: KernelRefusal): boolean {
  return errno === EPERM && String(facts['path'] ?? '').includes('.');
}

function dotted({ facts }: KernelRefusal): Explanation {
  return { kind: 'usage', message: `the kernel allows no '.' in names below bpffs: ${String(facts['path'])}` };
}

/** The capability that the operation needs and this process lacks; undefined when it lacks none. */
function missingCapability(refusal: KernelRefusal, { capabilities }: Surroundings): string | undefined {
  if (capabilities === undefined) return undefined;
  const file = fileCapability(refusal);
  if (file !== undefined) return capabilities.has(file) ? undefined : file;
  const { operation } = refusal;
  if (capabilities.has('CAP_SYS_ADMIN')) {
    return operation.startsWith('xdp') && !capabilities.has('CAP_NET_ADMIN') ? 'CAP_NET_ADMIN' : undefined;
  }
  // bpf_capable() is not enough for ids: kernel/bpf/syscall.c asks for CAP_SYS_ADMIN.
  if (/ by id$| next id$/.test(operation)) return 'CAP_SYS_ADMIN';
  if (operation === 'netns enter' || operation === 'mount bpffs') return 'CAP_SYS_ADMIN';
  // Whoever has the program open needs nothing else (rtnl_setlink, net/core/rtnetlink.c).
  if (operation.startsWith('xdp')) return capabilities.has('CAP_NET_ADMIN') ? undefined : 'CAP_NET_ADMIN';
  if (!capabilities.has('CAP_BPF')) return 'CAP_BPF';
  if (!capabilities.has('CAP_NET_ADMIN')) return 'CAP_NET_ADMIN';
  return undefined;
}

/** Where the mode of a file is what stands in the way: the capability that passes over it (generic_permission, fs/namei.c). */
function fileCapability({ operation, errno, facts }: KernelRefusal): string | undefined {
  if (operation === 'unpin' && errno === EPERM) return 'CAP_FOWNER';
  if (errno !== EACCES) return undefined;
  // ptrace_may_access() guards the namespaces of a process (proc_ns_get_link, fs/proc/namespaces.c).
  if (operation === 'netns open' && String(facts['path']).startsWith('/proc/')) return 'CAP_SYS_PTRACE';
  return /^(?:pin|pin get|unpin|netns open|statfs|access)$/.test(operation) ? 'CAP_DAC_OVERRIDE' : undefined;
}

/** What was to be done, as it stands in a sentence. */
function doing(refusal: KernelRefusal): string {
  const { operation } = refusal;
  const what: Partial<Record<string, string>> = {
    'map next id': 'listing maps',
    'prog next id': 'listing programs',
    'link next id': 'listing links',
    'map get by id': 'opening the map with id',
    'prog get by id': 'opening the program with id',
    'link get by id': 'opening the link with id',
    'pin get': 'opening the pin',
    pin: 'making the pin',
    unpin: 'removing the pin',
    'netns open': 'opening the network namespace',
    'netns enter': 'entering the network namespace',
  };
  return `${what[operation] ?? operation}${tail(refusal)}`;
}

function kernelBefore({ kernelRelease }: Surroundings, major: number, minor: number): boolean {
  const [, first = '0', second = '0'] = /^(\d+)\.(\d+)/.exec(kernelRelease) ?? [];
  return Number(first) < major || (Number(first) === major && Number(second) < minor);
}
