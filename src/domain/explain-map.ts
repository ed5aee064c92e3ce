import type { KernelRefusal, RefusalFacts } from './errors.ts';
import { type Explanation, mapWord, subject } from './explanation.ts';
import { aMapOf } from './map-type.ts';

const ENOENT = 2;
const E2BIG = 7;
const EBADF = 9;
const ENOMEM = 12;
const EEXIST = 17;
const ENODEV = 19;
const EINVAL = 22;
const EOVERFLOW = 75;
const ENOTSOCK = 88;
const EOPNOTSUPP = 95;
const ENOTSUPP = 524;

/** Words for refused entries: what goes for every type. */
export function explainMapEntry(refusal: KernelRefusal): Explanation | undefined {
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

/** Words for a map that was not made. */
export function explainCreate(refusal: KernelRefusal): Explanation | undefined {
  const { errno, facts } = refusal;
  const type = String(facts['mapType'] ?? 'map');
  switch (errno) {
    case ENOMEM:
      return {
        kind: 'refused',
        message: `not enough memory for ${aMapOf(type)} of ${Number(facts['maxEntries'])} entries`,
        hint: 'ask for fewer entries',
      };
    case E2BIG:
      return {
        kind: 'usage',
        message: `${aMapOf(type)} of ${Number(facts['maxEntries'])} entries, keys of ${Number(facts['keySize'])} and values of ${Number(facts['valueSize'])} bytes is more than the kernel allows`,
        // bpf_map_charge_init() in kernel/bpf/syscall.c, until Linux 5.10.
        hint: 'ask for fewer entries, or smaller ones; before Linux 5.11 all of a map must be less than 4 GiB',
      };
    case EINVAL:
      return {
        kind: 'usage',
        message: `the kernel refuses ${aMapOf(type)} with keys of ${Number(facts['keySize'])} bytes, values of ${Number(facts['valueSize'])} bytes, ${Number(facts['maxEntries'])} entries and flags 0x${(Number(facts['flags'] ?? 0) >>> 0).toString(16)}`,
        hint: `the rules for ${aMapOf(type)} are in xdpctl-map(8), or this kernel is too old for the type`,
      };
    default:
      return undefined;
  }
}

/** A second freezing is EPERM, because a frozen map cannot be written (map_get_sys_perms, kernel/bpf/syscall.c). */
export function explainFreeze(refusal: KernelRefusal): Explanation {
  return refusal.facts['frozen'] === true
    ? { kind: 'conflict', message: `${subject(refusal)} is frozen already` }
    : {
        kind: 'conflict',
        message: `${subject(refusal)} is being written to, or is mapped for writing`,
        hint: ({ own }) => `see who holds it: ${own(['map', 'show', 'id', String(refusal.facts['mapId'])])}`,
      };
}
