import type { KernelRefusal } from './errors.ts';
import type { Explanation, Surroundings } from './explanation.ts';
import { linesBeforeVerdict, loadFailure } from './load-log.ts';

const ENOENT = 2;
/** bpf_check() gives up when a signal is pending; libbpf tries five times. */
const EAGAIN = 11;

/** Reasons that are no fault of the file: EINTR, EIO, ENOMEM, ENFILE, EMFILE. */
const OF_THE_SYSTEM = new Set([4, 5, 12, 23, 24]);

/** Whether the verifier refused a program and said why. */
export function isVerdict({ facts }: KernelRefusal): boolean {
  const { program, reason } = loadFailure(String(facts['log'] ?? ''));
  return program !== undefined && reason !== undefined;
}

/** Words for refused operations on files of BPF programs: `object open`, `object load`, `object map`, `object program`. */
export function explainObject(
  { operation, errno, facts }: KernelRefusal,
  { capabilities }: Surroundings,
): Explanation | undefined {
  const { program, reason } = loadFailure(String(facts['log'] ?? ''));
  const path = String(facts['path']);
  switch (operation) {
    case 'object open':
      if (OF_THE_SYSTEM.has(errno)) return undefined;
      return errno === ENOENT
        ? { kind: 'not-found', message: `there is no file ${path}` }
        : { kind: 'usage', message: `${path} is no BPF object that libbpf can read${because(reason)}` };
    case 'object load':
      if (errno === EAGAIN) {
        return {
          kind: 'refused',
          message: `signals kept the kernel from loading ${program === undefined ? path : `program '${program}'`}`,
          hint: 'nothing has been changed; try again',
        };
      }
      if (program === undefined) return { kind: 'refused', message: `${path} cannot be loaded${because(reason)}` };
      if (reason !== undefined && path.endsWith(`/${QUEUES_READER}`) && !mayTrace(capabilities)) {
        return unreadSockets;
      }
      if (reason !== undefined && /is referenced but wasn't created/.test(reason)) return unmadeData(path);
      return reason === undefined
        ? {
            kind: 'refused',
            message: `the kernel refuses program '${program}' without saying why`,
            hint: 'a devmap or cpumap serves either fragment-aware programs (xdp.frags) or plain ones, whichever came first',
          }
        : {
            kind: 'refused',
            message: `the verifier refuses program '${program}': ${reason}`,
            hint: `${whereabouts(String(facts['log'] ?? ''))}its whole log: the same command with --debug`,
          };
    default:
      return undefined;
  }
}

/** The least that reads an xskmap, which the verifier of Linux 5.10 lets pass with CAP_PERFMON only. */
const QUEUES_READER = 'xskmap_queues.bpf.o';

function mayTrace(capabilities: Surroundings['capabilities']): boolean {
  return capabilities?.has('CAP_PERFMON') === true || capabilities?.has('CAP_SYS_ADMIN') === true;
}

const unreadSockets: Explanation = {
  kind: 'permission',
  message: 'on this kernel reading an xskmap needs CAP_PERFMON, which this process does not have',
  hint: 'run it as root, or with that capability',
};

/** libbpf tries whether the kernel has global data (5.2), and takes any failure for a no (kernel_supports, libbpf.c). */
function unmadeData(path: string): Explanation {
  return {
    kind: 'refused',
    message: `${path} cannot be loaded: libbpf could not make the map of its global data`,
    hint: 'it tried whether this kernel has such maps and failed: is there too little memory, or too few descriptors (ulimit -n)?',
  };
}

/** The last lines of the verifier's log before its verdict, as the beginning of a sentence. */
function whereabouts(log: string): string {
  const lines = linesBeforeVerdict(log, 3);
  return lines.length === 0 ? '' : `the verifier was at: ${lines.join(' | ')}; `;
}

function because(reason: string | undefined): string {
  return reason === undefined ? '' : `: ${reason}`;
}
