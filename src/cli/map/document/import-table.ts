import { KernelRefusal, ToolError, usageError } from '../../../domain/errors.ts';
import { decodeInteger } from '../../../domain/integer.ts';
import { checkKeyInside } from '../../../domain/map-key.ts';
import { possibleCpuList } from '../../../kernel/cpu.ts';
import type { BpfMap } from '../../../kernel/map.ts';
import type { Context } from '../../context.ts';
import { toToolError } from '../../to-tool-error.ts';
import { type Cell, keyCell, valueCell } from './cells.ts';
import type { MapDocument } from './format.ts';
import { Interfaces, type Programs } from './names.ts';
import { isDevmap } from './transferable.ts';

/** Entries read between two looks at the clock. */
const STRIDE = 1024;

/**
 * The entries of a document in the kernel's layout, one after another; a program stands there with its id, as it does
 * where the kernel gives an entry out.
 */
export interface ImportTable {
  readonly count: number;
  readonly keys: Uint8Array;
  readonly values: Uint8Array;
  /** Whether the document has this key. */
  has(key: Uint8Array): boolean;
}

/**
 * Reads and checks every entry of a document.
 *
 * @throws ToolError usage or not-found, naming the entry by its index and its key
 */
export async function readEntries(
  document: MapDocument,
  map: BpfMap,
  programs: Programs,
  context: Context,
): Promise<ImportTable> {
  checkSpecification(document, map);
  const { info, valueLength } = map;
  const { entries } = document;
  const interfaces = new Interfaces();
  const reader = new EntryReader(
    keyCell(info, interfaces),
    valueCell(info, valueLength, interfaces, programs),
    map,
    entries.length,
  );
  for (let index = 0; index < entries.length; index += 1) {
    try {
      reader.read(entries[index], index);
    } catch (error) {
      throw placed(error, index, entries[index]);
    }
    const pause = index % STRIDE === 0 ? context.breathe() : undefined;
    if (pause !== undefined) await pause;
  }
  return reader;
}

function checkSpecification({ map: wanted }: MapDocument, { info }: BpfMap): void {
  const differences = [
    ['type', wanted.type, info.typeName],
    ['size of a key', wanted.bytes_key, info.keySize],
    // The values of a redirect map stand in the document by name: both sizes have room for them, but for a program.
    ...(isDevmap(info.typeName) || info.typeName === 'cpumap'
      ? []
      : [['size of a value', wanted.bytes_value, info.valueSize] as const]),
  ].filter(([, there, here]) => there !== here);
  if (differences.length === 0) return;
  const text = differences.map(([what, there, here]) => `${what} ${there} instead of ${here}`).join(', ');
  throw usageError(`the document is of another kind of map: ${text}`);
}

class EntryReader implements ImportTable {
  readonly count: number;
  readonly keys: Uint8Array;
  readonly values: Uint8Array;
  readonly #map: BpfMap;
  readonly #keyCell: Cell;
  readonly #valueCell: Cell;
  readonly #keyView: DataView;
  readonly #valueView: DataView;
  readonly #seen: KeySet;
  readonly #cpus: ReadonlySet<number> | undefined;

  constructor(key: Cell, value: Cell, map: BpfMap, count: number) {
    const { keySize, typeName } = map.info;
    this.count = count;
    this.keys = new Uint8Array(count * keySize);
    this.values = new Uint8Array(count * map.valueLength);
    this.#map = map;
    this.#keyCell = key;
    this.#valueCell = value;
    this.#keyView = new DataView(this.keys.buffer);
    this.#valueView = new DataView(this.values.buffer);
    this.#seen = new KeySet(keySize);
    this.#cpus = typeName === 'cpumap' ? new Set(possibleCpuList()) : undefined;
  }

  read(entry: unknown, index: number): void {
    const { info, valueLength } = this.#map;
    if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) {
      throw usageError('an entry must be an object with "key" and "value"');
    }
    for (const name in entry) {
      if (name !== 'key' && name !== 'value') throw usageError(`an entry has an unknown key "${name}"`);
    }
    const { key, value } = entry as { readonly key?: unknown; readonly value?: unknown };
    const at = index * info.keySize;
    this.#keyCell(key, this.#keyView, at);
    const bytes = this.keys.subarray(at, at + info.keySize);
    checkKeyInside(bytes, info);
    const cpu = this.#cpus === undefined ? undefined : Number(decodeInteger(bytes));
    if (cpu !== undefined && !this.#cpus?.has(cpu)) throw usageError(`CPU ${cpu} is no possible CPU of this machine`);
    if (!this.#seen.add(bytes)) throw usageError('an earlier entry has the same key');
    this.#valueCell(value, this.#valueView, index * valueLength);
  }

  has(key: Uint8Array): boolean {
    return this.#seen.has(key);
  }
}

/** Keys, compared by their bytes. */
class KeySet {
  readonly #set = new Set<number | string>();
  readonly #size: number;

  constructor(size: number) {
    this.#size = size;
  }

  /** False when the key was there already. */
  add(key: Uint8Array): boolean {
    const before = this.#set.size;
    this.#set.add(this.#token(key));
    return this.#set.size > before;
  }

  has(key: Uint8Array): boolean {
    return this.#set.has(this.#token(key));
  }

  #token(key: Uint8Array): number | string {
    if (this.#size !== 4) return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1');
    const [a = 0, b = 0, c = 0, d = 0] = key;
    return a | (b << 8) | (c << 16) | (d << 24);
  }
}

/** The error with the entry that it is about: `entries[17] (key 5): …`. */
export function placed(error: unknown, index: number, entry: unknown): unknown {
  if (!(error instanceof ToolError) && !(error instanceof KernelRefusal)) return error;
  const failure = toToolError(error);
  const key = typeof entry === 'object' && entry !== null ? (entry as { key?: unknown }).key : undefined;
  return failure.reworded(`entries[${index}]${keyText(key)}: ${failure.message}`, { cause: error });
}

/** What is no key at all is not repeated, because it may be as deep as the document is long. */
function keyText(key: unknown): string {
  if (typeof key === 'string' || typeof key === 'number') return ` (key ${key})`;
  const isBytes = Array.isArray(key) && key.every((byte) => typeof byte === 'number');
  return isBytes ? ` (key ${JSON.stringify(key)})` : '';
}
