import { errnoName, errnoText } from './errno.ts';
import { type ErrorKind, type KernelRefusal, ToolError } from './errors.ts';
import { explainDenied } from './explain-denied.ts';
import { explainEntry } from './explain-entry.ts';
import { explainCreate, explainFreeze, explainMapEntry } from './explain-map.ts';
import { explainObject, isVerdict } from './explain-object.ts';
import { explainPin, explainPinGet } from './explain-pin.ts';
import { explainLink, explainXdp } from './explain-xdp.ts';
import { explainXsk } from './explain-xsk.ts';
import { type Explanation, type Surroundings, tail } from './explanation.ts';

export type { Surroundings } from './explanation.ts';

const EPERM = 1;
const ENOENT = 2;
const EACCES = 13;
const EBUSY = 16;
const EEXIST = 17;
const EINVAL = 22;
const ENOSYS = 38;
const EPROTONOSUPPORT = 93;
const EOPNOTSUPP = 95;
const ENOTSUPP = 524;
const LIBBPF_ERRNO_START = 4000;

/**
 * Words a refused call. The same errno means different things for each kind of map and each operation, so the table is
 * keyed by (operation, errno, map kind); what has no row of its own is reported with the errno's name and plain text.
 */
export function explain(refusal: KernelRefusal, surroundings: Surroundings): ToolError {
  const explained = explanation(refusal, surroundings) ?? fallback(refusal, surroundings);
  const { kind, message, hint } = surroundings.ownUserNamespace === true ? onTheHost(explained) : explained;
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
  if (errno === ENOSYS) return withoutSystemCall(refusal);
  const denied = errno === EPERM || errno === EACCES;
  if (/^(?:xsk|capture) /.test(operation)) {
    return explainXsk(refusal) ?? (denied ? explainDenied(refusal, surroundings) : undefined);
  }
  // The verifier too says EACCES.
  if (operation === 'object load' && isVerdict(refusal)) return explainObject(refusal, surroundings);
  // EPERM says that the link holds another program (bpf_xdp_link_update, net/core/dev.c).
  if (operation === 'link update') return explainLink(refusal);
  if (denied) return explainDenied(refusal, surroundings);
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
      return explainEntry(refusal) ?? explainMapEntry(refusal);
    case 'map create':
      return explainCreate(refusal);
    case 'map freeze':
      return errno === EBUSY ? explainFreeze(refusal) : undefined;
    case 'pin':
      return explainPin(refusal);
    case 'pin get':
    case 'unpin':
      return explainPinGet(refusal);
    case 'xdp link':
    case 'link detach':
      return explainLink(refusal);
    case 'xdp attach':
    case 'xdp detach':
      return explainXdp(refusal, surroundings);
    default:
      return operation.startsWith('object ') ? explainObject(refusal, surroundings) : undefined;
  }
}

function byId(refusal: KernelRefusal, what: string): Explanation | undefined {
  if (refusal.errno !== ENOENT) return undefined;
  const id = refusal.facts['id'] ?? refusal.facts['mapId'];
  return { kind: 'not-found', message: `there is no ${what} with id ${String(id)}` };
}

/** Root of a container is not the root that is meant. */
function onTheHost(explained: Explanation): Explanation {
  if (explained.kind !== 'permission') return explained;
  return {
    ...explained,
    hint: 'what a user namespace gives, as in a container without root, does not count here: run it as root of the host',
  };
}

/** Operations of bpf(2), as the kernel room calls them. */
const throughBpf = /^(?:map|prog|link|object|btf|pin|unpin|xdp link)\b/;

function withoutSystemCall(refusal: KernelRefusal): Explanation {
  const { operation, errno } = refusal;
  return {
    kind: 'unsupported',
    message: `${operation}${tail(refusal)} failed: ${errnoText(errno)}`,
    hint: throughBpf.test(operation)
      ? 'bpf(2) is what is missing: a kernel with CONFIG_BPF_SYSCALL has it, an emulator like qemu-user does not pass it on'
      : 'it takes a newer kernel; an emulator like qemu-user does not pass on every system call',
  };
}

function fallback(refusal: KernelRefusal, surroundings: Surroundings): Explanation {
  const { operation, errno } = refusal;
  const kinds: Partial<Record<number, ErrorKind>> = {
    [ENOENT]: 'not-found',
    [EEXIST]: 'conflict',
    [EBUSY]: 'conflict',
    [EPROTONOSUPPORT]: 'unsupported',
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
