import { isMapInMap, isPerCpu } from '../../../domain/map-type.ts';
import type { BpfMap } from '../../../kernel/map.ts';
import type { Column } from '../../../output/outcome.ts';
import { btfFormat } from './btf.ts';
import { bytesFormat } from './bytes.ts';
import { cpumapFormat } from './cpumap.ts';
import { devmapFormat } from './devmap.ts';
import { mapInMapFormat } from './map-in-map.ts';
import { perCpuFormat } from './per-cpu.ts';

/** An entry as it is printed in JSON: bpftool's keys, and what we know of it under `formatted`. */
export interface EntryRow {
  readonly key: readonly string[];
  readonly value?: readonly string[] | { readonly error: string };
  readonly formatted?: object;
}

/** How entries of one map are shown. */
export interface EntryFormat<Row extends EntryRow = EntryRow> {
  /** Columns after the key. */
  readonly columns: readonly Column<Row>[];
  /** The key for people. */
  key(row: Row): string;
  row(key: Uint8Array, value: Uint8Array): Row;
}

/** The format for a map's entries, by its type. */
export function entryFormat(map: BpfMap): EntryFormat {
  const { typeName } = map.info;
  if (typeName === 'devmap' || typeName === 'devmap_hash') return devmapFormat();
  if (typeName === 'cpumap') return cpumapFormat();
  const typed = btfFormat(map);
  if (typed !== undefined) return typed;
  if (isPerCpu(typeName)) return perCpuFormat(map.info);
  if (isMapInMap(typeName)) return mapInMapFormat(map.info);
  return bytesFormat(map.info);
}

/** Whether entries are only bytes and integers, which the output room can write without an object for each. */
export function isPlainBytes(map: BpfMap): boolean {
  const { typeName } = map.info;
  return (
    (typeName === 'hash' || typeName === 'array' || typeName === 'lru_hash' || typeName === 'lpm_trie') &&
    btfFormat(map) === undefined
  );
}
