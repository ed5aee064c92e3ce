import { hexWords } from '../../../domain/hex.ts';
import { decodeInteger } from '../../../domain/integer.ts';
import type { MapInfo } from '../../../domain/map-info.ts';
import { keyText } from './bytes.ts';
import type { EntryFormat, EntryRow } from './entry-format.ts';

interface InnerMapRow extends EntryRow {
  readonly inner_map_id: number;
}

/** Entries of arrays and hashes of maps: what is read is the id of the inner map. */
export function mapInMapFormat(_info: MapInfo): EntryFormat<InnerMapRow> {
  return {
    key: keyText,
    columns: [{ header: 'INNER MAP ID', cell: (row) => String(row.inner_map_id), align: 'right' }],
    row(key, value) {
      const keyInteger = decodeInteger(key);
      return {
        key: hexWords(key),
        value: hexWords(value),
        inner_map_id: Number(decodeInteger(value)),
        ...(keyInteger !== undefined && { formatted: { key: keyInteger } }),
      };
    },
  };
}
