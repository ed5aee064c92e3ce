import { littleEndian } from '../../../domain/byte-order.ts';
import { ToolError } from '../../../domain/errors.ts';
import { isIndexed } from '../../../domain/map-type.ts';
import { entryChunks } from '../../../kernel/map-entries.ts';
import type { BpfMap } from '../../../kernel/map.ts';
import type { Context } from '../../context.ts';
import { mapText } from '../map-text.ts';
import type { ImportTable } from './import-table.ts';
import type { Programs } from './names.ts';
import { hasCapacity, isArray, isDevmap } from './transferable.ts';

/** Entries looked at between two looks at the clock. */
const STRIDE = 256;

/** What an import does with an entry of the document. */
export const ADD = 0;
export const REPLACE = 1;
export const KEEP = 2;

/** An entry that `replace` removes, with what is needed to put it back. */
export interface ObsoleteEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** The changes that make a map what a document says, with what is needed to undo them. */
export interface ImportPlan {
  readonly map: BpfMap;
  readonly table: ImportTable;
  /** ADD, REPLACE or KEEP for each entry of the document. */
  readonly actions: Uint8Array;
  /** The old value of each entry that is replaced, where the new one stands in the table. */
  readonly olds: Uint8Array;
  readonly obsolete: readonly ObsoleteEntry[];
  /** There is no room for the new entries before the obsolete ones are gone. */
  readonly removeFirst: boolean;
}

/**
 * Compares a document with the map, without changing it.
 *
 * @param replace remove what the document does not have
 * @throws ToolError refused when the entries do not fit in the map
 */
export async function planImport(
  map: BpfMap,
  table: ImportTable,
  replace: boolean,
  programs: Programs,
  context: Context,
): Promise<ImportPlan> {
  const { keySize } = map.info;
  const { valueLength } = map;
  const olds = new Uint8Array(table.values.length);
  const actions = new Uint8Array(table.count);
  let added = 0;
  // An empty map, as it is after a reboot, is not asked for each key.
  const count = isEmpty(map) ? 0 : table.count;
  if (count === 0) added = table.count;
  for (let index = 0; index < count; index += 1) {
    const key = table.keys.subarray(index * keySize, (index + 1) * keySize);
    const old = olds.subarray(index * valueLength, (index + 1) * valueLength);
    if (!map.lookup(key, old)) {
      actions[index] = ADD;
      added += 1;
    } else if (isEqual(table.values, olds, index * valueLength, valueLength)) actions[index] = KEEP;
    else {
      actions[index] = REPLACE;
      holdProgram(map, old, programs);
    }
    const pause = index % STRIDE === 0 ? context.breathe() : undefined;
    if (pause !== undefined) await pause;
  }
  const obsolete = replace ? await obsoleteEntries(map, table, programs, context) : [];
  const removeFirst = await mustRemoveFirst(map, { total: table.count, added, obsolete: obsolete.length }, context);
  return { map, table, actions, olds, obsolete, removeFirst };
}

/** Whether a map without indexed slots has no entry; each new action is ADD then. */
function isEmpty(map: BpfMap): boolean {
  return !isIndexed(map.info.typeName) && !map.nextKey(null, new Uint8Array(map.info.keySize));
}

function isEqual(left: Uint8Array, right: Uint8Array, from: number, length: number): boolean {
  for (let at = from; at < from + length; at += 1) if (left[at] !== right[at]) return false;
  return true;
}

async function obsoleteEntries(
  map: BpfMap,
  table: ImportTable,
  programs: Programs,
  context: Context,
): Promise<ObsoleteEntry[]> {
  const { keySize, typeName } = map.info;
  const { valueLength } = map;
  const list: ObsoleteEntry[] = [];
  for (const { count, keys, values } of entryChunks(map)) {
    for (let index = 0; index < count; index += 1) {
      const key = keys.subarray(index * keySize, (index + 1) * keySize);
      if (table.has(key)) continue;
      const value = values.slice(index * valueLength, (index + 1) * valueLength);
      // An entry of an array cannot be removed: all zeros is as empty as it gets.
      if (isArray(typeName) && value.every((byte) => byte === 0)) continue;
      list.push({ key: key.slice(), value });
      holdProgram(map, value, programs);
    }
    const pause = context.breathe();
    if (pause !== undefined) await pause;
  }
  return list;
}

function holdProgram({ info: { typeName, valueSize } }: BpfMap, value: Uint8Array, programs: Programs): void {
  if (valueSize < 8 || !(isDevmap(typeName) || typeName === 'cpumap')) return;
  const id = new DataView(value.buffer, value.byteOffset, 8).getUint32(4, littleEndian);
  if (id !== 0) programs.hold(id);
}

/** Whether room must be made before entries are added. @throws ToolError refused when there is none to make */
async function mustRemoveFirst(
  map: BpfMap,
  { total, added, obsolete }: { readonly total: number; readonly added: number; readonly obsolete: number },
  context: Context,
): Promise<boolean> {
  const { typeName, maxEntries } = map.info;
  if (added === 0 || !hasCapacity(typeName)) return false;
  if (total > maxEntries) throw doesNotFit(map, total);
  const room = maxEntries - added;
  const present = await countKeys(map, room + obsolete, context);
  if (present > room + obsolete) throw doesNotFit(map, present - obsolete + added);
  return present > room;
}

/** How many entries there are, counted up to one more than `enough`. */
async function countKeys(map: BpfMap, enough: number, context: Context): Promise<number> {
  const { keySize } = map.info;
  let previous: Uint8Array | null = null;
  let key = new Uint8Array(keySize);
  let other = new Uint8Array(keySize);
  let count = 0;
  while (count <= enough && map.nextKey(previous, key)) {
    count += 1;
    previous = key;
    [key, other] = [other, key];
    const pause = count % STRIDE === 0 ? context.breathe() : undefined;
    if (pause !== undefined) await pause;
  }
  return count;
}

function doesNotFit({ info }: BpfMap, entries: number): ToolError {
  return new ToolError(
    'refused',
    `the document does not fit: ${mapText(info)} holds ${info.maxEntries} entries, and there would be at least ${entries}`,
    { hint: "create a larger map, or remove entries: 'replace' removes those that the document does not have" },
  );
}
