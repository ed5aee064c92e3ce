import type { KernelRefusal } from './errors.ts';
import type { Explanation, Surroundings } from './explanation.ts';
import { kernelFeatures } from './kernel-feature.ts';
import { kernelAtLeast, parseKernelVersion } from './kernel-version.ts';
import type { Typed } from './typed-command.ts';

const { fragments, genericEntryPrograms } = kernelFeatures;

const EPERM = 1;
const EBUSY = 16;
const EEXIST = 17;
const ENODEV = 19;
const EINVAL = 22;
const ENOSPC = 28;
const ERANGE = 34;
const ENOLINK = 67;
const EOPNOTSUPP = 95;

/**
 * Words for a refused `xdp attach` or `xdp detach`. The kernel's own words (the extended ack, fact `extack`) are part of
 * the message: drivers give reasons that no errno tells.
 */
export function explainXdp(
  { operation, errno, facts }: KernelRefusal,
  { kernelRelease }: Surroundings,
): Explanation | undefined {
  const device = String(facts['ifname'] ?? `ifindex ${String(facts['ifindex'])}`);
  const extack = facts['extack'] === undefined ? undefined : String(facts['extack']);
  const because = extack === undefined ? '' : `: ${withinSentence(extack)}`;
  const failed =
    operation === 'xdp detach'
      ? `the program cannot be detached from ${device}${because}`
      : `the program cannot be attached to ${device}${because}`;
  switch (errno) {
    case ENODEV:
      return { kind: 'not-found', message: `there is no interface ${device} in this network namespace` };
    case EOPNOTSUPP:
      return {
        kind: 'unsupported',
        message: `${device} cannot run XDP programs${facts['mode'] === undefined ? '' : ` in ${String(facts['mode'])} mode`}${because}`,
        ...(facts['mode'] === 'native' && {
          hint: `${facts['net'] === true ? 'use xdpgeneric' : 'add --mode generic (in a document "mode": "generic")'}, which works with every driver but is slower`,
        }),
      };
    case EBUSY:
    case EEXIST:
      return { kind: 'conflict', message: failed, hint: seeAttached };
    case ERANGE:
      return {
        kind: 'refused',
        message: failed,
        hint: isBefore(kernelRelease, fragments.since)
          ? 'lower the MTU'
          : 'lower the MTU, or use a program that is aware of fragments: SEC("xdp.frags")',
      };
    case ENOSPC:
      return {
        kind: 'refused',
        message: failed,
        hint: ({ own }) => `see what mends it: ${own(['net', 'features', 'dev', device])}`,
      };
    case EINVAL:
      // What a driver says that knows nothing of XDP_SETUP_PROG_HW (veth_xdp, drivers/net/veth.c).
      if (facts['mode'] === 'offload' && extack === undefined) {
        return { kind: 'unsupported', message: `${device} cannot run XDP programs in offload mode` };
      }
      // Says nothing of it (generic_xdp_install, net/core/dev.c, before 5.15).
      if (facts['mode'] === 'generic' && extack === undefined && isBefore(kernelRelease, genericEntryPrograms.since)) {
        return {
          kind: 'unsupported',
          message: `${failed}: before Linux ${genericEntryPrograms.since} no program may run in generic mode that uses a devmap or cpumap whose entries have room for programs`,
          hint: 'use a devmap with values of 4 bytes, or native mode',
        };
      }
      // BPF_XDP_DEVMAP and BPF_XDP_CPUMAP programs belong in map entries (dev_xdp_attach, net/core/dev.c).
      return { kind: /can not be attached/.test(extack ?? '') ? 'usage' : 'refused', message: failed };
    default:
      return extack === undefined ? undefined : { kind: 'refused', message: failed };
  }
}

/** Words for a refused `xdp link`, `link update` or `link detach`. */
export function explainLink({ operation, errno, facts }: KernelRefusal): Explanation | undefined {
  if (operation === 'xdp link') {
    return errno === EINVAL
      ? {
          kind: 'unsupported',
          message: 'this kernel has no links for XDP programs (Linux 5.9)',
          hint: 'leave --link out',
        }
      : undefined;
  }
  // Another program than the expected one, or a link that was detached.
  if (errno !== EPERM && errno !== ENOLINK) return undefined;
  return {
    kind: 'conflict',
    message: `link ${String(facts['id'])} does not hold the program that it was expected to hold`,
    hint: seeAttached,
  };
}

function isBefore(release: string, version: string): boolean {
  const kernel = parseKernelVersion(release);
  return kernel !== undefined && !kernelAtLeast(kernel, version);
}

function seeAttached({ own }: Typed): string {
  return `see what is attached: ${own(['net', 'show'])}`;
}

/** The kernel's sentence as a part of ours; abbreviations (XDP, BPF) keep their capitals. */
function withinSentence(text: string): string {
  return /^[A-Z][a-z']/.test(text) ? `${text.charAt(0).toLowerCase()}${text.slice(1)}` : text;
}
