import type { EntryChunk } from '../domain/entry-chunk.ts';
import { isIndexed } from '../domain/map-type.ts';
import { libbpf } from '../ffi/libbpf.ts';
import { addressOf } from '../ffi/memory.ts';
import { check, EINVAL, ENOENT, ENOSPC, ENOTSUPP, EOPNOTSUPP } from './check.ts';
import type { BpfMap } from './map.ts';

export interface EntryOptions {
  /** Slots without an entry come too, with ENOENT. Only maps whose keys are indexes have such slots. */
  readonly all?: boolean;
  /** Entries that are there and cannot be read come too, with their errno; without it they end the walk. */
  readonly unreadable?: boolean;
}

/** So many entries are read at a time, and of large ones as many as this much memory holds. */
const CHUNK = 4096;
const CHUNK_BYTES = 4 << 20;

/**
 * All entries of a map, read in the way that costs fewest system calls: batches of thousands where the map has
 * batch calls (redirect maps do not), else one lookup for each index, else key by key.
 *
 * @throws KernelRefusal `map lookup` or `map getnext`
 */
export function entryChunks(map: BpfMap, options: EntryOptions = {}): Iterable<EntryChunk> {
  const { typeName } = map.info;
  if (isIndexed(typeName) && (options.all || !hasBatch(map))) return byIndex(map, options.all ?? false);
  if (hasBatch(map)) return byBatch(map);
  return byKey(map, options.unreadable ?? false);
}

/** Whether the kernel has BPF_MAP_LOOKUP_BATCH for this map: asked with a batch of none, which reads nothing. */
function hasBatch(map: BpfMap): boolean {
  const nothing = new Uint8Array(8);
  const result = libbpf.bpf_map_lookup_batch(map.fd, null, nothing, nothing, nothing, new Uint32Array(1), null);
  if (result === -ENOTSUPP || result === -EINVAL || result === -EOPNOTSUPP) return false;
  check(result, 'map lookup', map.facts());
  return true;
}

function* byBatch(map: BpfMap): Generator<EntryChunk> {
  const { keySize } = map.info;
  let capacity = chunkCapacity(map);
  let keys = new Uint8Array(capacity * keySize);
  let values = new Uint8Array(capacity * map.valueLength);
  const count = new Uint32Array(1);
  // The cursor is a bucket number for hash maps and the last key for others.
  const cursor = new Uint8Array(Math.max(keySize, 8));
  let position: Uint8Array | null = null;
  for (;;) {
    count[0] = capacity;
    const result = libbpf.bpf_map_lookup_batch(map.fd, position, cursor, keys, values, count, null);
    if (result === -ENOSPC) {
      // One hash bucket holds more than fits (__htab_map_lookup_and_delete_batch): ask again with more room.
      capacity *= 2;
      keys = new Uint8Array(capacity * keySize);
      values = new Uint8Array(capacity * map.valueLength);
      continue;
    }
    if (result !== -ENOENT) check(result, 'map lookup', map.facts());
    yield { count: count[0] ?? 0, keys, values };
    if (result === -ENOENT) return;
    position = cursor;
  }
}

function* byIndex(map: BpfMap, all: boolean): Generator<EntryChunk> {
  const { maxEntries } = map.info;
  const chunk = new ChunkBuffers(map);
  const index32 = new Uint32Array(1);
  const key = new Uint8Array(index32.buffer);
  const value = new Uint8Array(map.valueLength);
  // Most slots are empty, and each costs a call: addresses are passed faster than buffers.
  const [keyAddress, valueAddress] = [addressOf(key), addressOf(value)];
  const { fd } = map;
  for (let index = 0; index < maxEntries; index += 1) {
    index32[0] = index;
    const result = libbpf.bpf_map_lookup_elem(fd, keyAddress, valueAddress);
    if (result === 0) chunk.push(key, value, 0);
    else if (all) chunk.push(key, undefined, -result);
    else if (result !== -ENOENT) check(result, 'map lookup', map.facts());
    // A long run of empty slots is a chunk of none, so that the reader can breathe in between.
    if (chunk.full || index % (CHUNK * 4) === CHUNK * 4 - 1) yield chunk.take();
  }
  yield chunk.take();
}

function* byKey(map: BpfMap, unreadable: boolean): Generator<EntryChunk> {
  const { keySize } = map.info;
  const chunk = new ChunkBuffers(map);
  const value = new Uint8Array(map.valueLength);
  const most = mostEntries(map);
  let previous: Uint8Array | null = null;
  let key = new Uint8Array(keySize);
  let next = new Uint8Array(keySize);
  // An entry that is deleted under the walk sends it back to the first key; it ends all the same.
  for (let seen = 0; seen < most && map.nextKey(previous, key); seen += 1) {
    const result = libbpf.bpf_map_lookup_elem(map.fd, key, value);
    if (result === 0) chunk.push(key, value, 0);
    else if (result !== -ENOENT) {
      if (!unreadable) check(result, 'map lookup', map.facts());
      chunk.push(key, undefined, -result);
    }
    if (chunk.full) yield chunk.take();
    previous = key;
    [key, next] = [next, key];
  }
  yield chunk.take();
}

/** Storage of cgroups has as many entries as there are attachments, and 0 for a limit. */
function mostEntries({ info: { maxEntries } }: BpfMap): number {
  return maxEntries === 0 ? Infinity : maxEntries;
}

/** A value may have 32 KiB for each of hundreds of CPUs, or megabytes. */
function chunkCapacity(map: BpfMap): number {
  const fitting = Math.floor(CHUNK_BYTES / (map.info.keySize + map.valueLength));
  return Math.max(1, Math.min(CHUNK, mostEntries(map), fitting));
}

/** Collects entries into the reused buffers of a chunk. */
class ChunkBuffers {
  readonly #keys: Uint8Array;
  readonly #values: Uint8Array;
  readonly #errnos: Uint16Array;
  readonly #keySize: number;
  readonly #valueLength: number;
  readonly #capacity: number;
  #count = 0;
  #failures = 0;

  constructor(map: BpfMap) {
    this.#keySize = map.info.keySize;
    this.#valueLength = map.valueLength;
    this.#capacity = chunkCapacity(map);
    this.#keys = new Uint8Array(this.#capacity * this.#keySize);
    this.#values = new Uint8Array(this.#capacity * this.#valueLength);
    this.#errnos = new Uint16Array(this.#capacity);
  }

  get full(): boolean {
    return this.#count === this.#capacity;
  }

  push(key: Uint8Array, value: Uint8Array | undefined, errno: number): void {
    this.#keys.set(key, this.#count * this.#keySize);
    if (value !== undefined) this.#values.set(value, this.#count * this.#valueLength);
    this.#errnos[this.#count] = errno;
    if (errno !== 0) this.#failures += 1;
    this.#count += 1;
  }

  take(): EntryChunk {
    const chunk = { count: this.#count, keys: this.#keys, values: this.#values };
    const failed = this.#failures > 0;
    this.#count = 0;
    this.#failures = 0;
    return failed ? { ...chunk, errnos: this.#errnos } : chunk;
  }
}
