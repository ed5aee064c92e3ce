import { usageError } from './errors.ts';
import { BPF_F_RDONLY, BPF_F_WRONLY } from './map-flags.ts';
import { aMapOf, isRedirectKind, type MapTypeName, type RedirectKind } from './map-type.ts';

/** What `map create` asks the kernel for. */
export interface MapRequest {
  readonly type: MapTypeName;
  readonly name: string;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: number;
}

/** Size of a value when none is given: enough for everything an entry of this type can hold. */
export function defaultValueSize(type: MapTypeName): number {
  return isRedirectKind(type) && type !== 'xskmap' ? 8 : 4;
}

/** Size of a key when none is given. */
export const DEFAULT_KEY_SIZE = 4;

/** BPF_OBJ_NAME_LEN without the final zero (linux/bpf.h). */
const NAME_MAX = 15;

/** devmap_hash rounds its entries up to a power of two of buckets in an u32 (dev_map_init_map, kernel/bpf/devmap.c). */
const DEVMAP_HASH_MAX = 2 ** 31;

/**
 * Refuses what the kernel would answer with a bare EINVAL or E2BIG, naming the rule.
 *
 * @param kernelMaxCpu the largest CPU number of this kernel, which bounds a cpumap
 * @throws ToolError usage
 */
export function checkMapRequest(request: MapRequest, kernelMaxCpu: () => number): void {
  checkMapName(request.name);
  if (request.maxEntries < 1) throw usageError('entries must be at least 1');
  const { type } = request;
  if (isRedirectKind(type)) checkRedirectMap(type, request, kernelMaxCpu);
}

/** @throws ToolError usage for a name that the kernel would refuse or that would be cut */
export function checkMapName(name: string): void {
  if (/^[A-Za-z0-9_.]{1,15}$/.test(name)) return;
  throw usageError(
    `'${name}' is no map name: 1 to ${NAME_MAX} letters, digits, '_' or '.'`,
    "give one with the word 'name'",
  );
}

function checkRedirectMap(
  kind: RedirectKind,
  { keySize, valueSize, maxEntries, flags }: MapRequest,
  kernelMaxCpu: () => number,
): void {
  if (keySize !== 4) throw usageError(`the key of ${aMapOf(kind)} is 4 bytes, not ${keySize}`, 'leave it out');
  if (kind === 'xskmap') {
    if (valueSize !== 4) throw usageError(`the value of an xskmap is 4 bytes, not ${valueSize}`);
  } else if (valueSize !== 4 && valueSize !== 8) {
    throw usageError(`the value of a ${kind} is 4 bytes, or 8 with a program, not ${valueSize}`);
  }
  if (kind === 'devmap_hash' && maxEntries > DEVMAP_HASH_MAX) {
    throw usageError(`a devmap_hash has at most ${DEVMAP_HASH_MAX} entries, not ${maxEntries}`);
  }
  if (kind !== 'cpumap') return;
  const most = kernelMaxCpu() + 1;
  if (maxEntries > most) {
    throw usageError(
      `a cpumap has at most ${most} entries on this kernel (its largest CPU number + 1), not ${maxEntries}`,
    );
  }
  if (flags & (BPF_F_RDONLY | BPF_F_WRONLY)) {
    throw usageError('a cpumap takes neither rdonly nor wronly');
  }
}
