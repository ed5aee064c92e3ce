import type { MapInfo } from '../../../domain/map-info.ts';
import { isMapInMap, isPerCpu } from '../../../domain/map-type.ts';
import type { BpfMap } from '../../../kernel/map.ts';
import type { Column } from '../../../output/outcome.ts';
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
  if (typeName === 'devmap' || typeName === 'devmap_hash') return erased(devmapFormat());
  if (typeName === 'cpumap') return erased(cpumapFormat());
  if (isPerCpu(typeName)) return erased(perCpuFormat(map.info));
  if (isMapInMap(typeName)) return erased(mapInMapFormat(map.info));
  return erased(bytesFormat(map.info));
}

/** Whether entries are only bytes and integers, which the output room can write without an object for each. */
export function isPlainBytes(info: MapInfo): boolean {
  const { typeName } = info;
  return (
    (typeName === 'hash' || typeName === 'array' || typeName === 'lru_hash' || typeName === 'lpm_trie') &&
    info.btfValueTypeId === 0
  );
}

/** A format whose rows go back only into itself: the row type need not be known outside. */
function erased<Row extends EntryRow>(format: EntryFormat<Row>): EntryFormat {
  return format as unknown as EntryFormat;
}
