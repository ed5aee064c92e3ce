import { ToolError } from '../../../domain/errors.ts';
import { aMapOf, isIndexed, unreadableReason } from '../../../domain/map-type.ts';
import type { BpfMap } from '../../../kernel/map.ts';

/** Types whose entries mean the same when they are written again. */
const plainTypes: ReadonlySet<string> = new Set([
  'hash',
  'array',
  'percpu_hash',
  'percpu_array',
  'lru_hash',
  'lru_percpu_hash',
  'lpm_trie',
]);

/** Whether the value names an interface, and perhaps a program. */
export function isDevmap(type: string | undefined): boolean {
  return type === 'devmap' || type === 'devmap_hash';
}

/**
 * Refuses maps whose entries cannot be put into a document, or back from one.
 *
 * @throws ToolError unsupported
 */
export function checkTransferable({ info: { typeName, type } }: BpfMap): void {
  if (isDevmap(typeName) || typeName === 'cpumap' || plainTypes.has(typeName ?? '')) return;
  const reason = unreadableReason(typeName) ?? 'its values stand for kernel objects that this program cannot name';
  throw new ToolError(
    'unsupported',
    `the entries of ${aMapOf(typeName ?? `map of type ${type}`)} cannot be exported or imported: ${reason}`,
  );
}

/** Whether entries always exist: they can be overwritten, not removed. */
export function isArray(type: string | undefined): boolean {
  return type === 'array' || type === 'percpu_array';
}

/** Whether the map can be full before every possible key is in it. */
export function hasCapacity(type: string | undefined): boolean {
  // An LRU map drops its oldest entry instead.
  return !isIndexed(type) && type !== 'lru_hash' && type !== 'lru_percpu_hash';
}
