import { hexWords } from '../../../domain/hex.ts';
import { decodeInteger } from '../../../domain/integer.ts';
import type { MapInfo } from '../../../domain/map-info.ts';
import type { EntryFormat, EntryRow } from './entry-format.ts';

type Integer = number | bigint;

interface BytesRow extends EntryRow {
  readonly value: readonly string[];
  readonly formatted?: { readonly key?: Integer; readonly value?: Integer };
}

/** Entries as bytes, and as integers where their size is that of one. */
export function bytesFormat(_info: MapInfo): EntryFormat<BytesRow> {
  return {
    key: keyText,
    columns: [{ header: 'VALUE', cell: (row) => integerText(row.formatted?.value, row.value) }],
    row(key, value) {
      const formatted = integers(key, value);
      return {
        key: hexWords(key),
        value: hexWords(value),
        ...(formatted && { formatted }),
      };
    },
  };
}

/** The key for people: the integer, or its bytes. */
export function keyText(row: EntryRow): string {
  const { key } = (row.formatted ?? {}) as { key?: Integer };
  return integerText(key, row.key);
}

/** An integer, or the bytes where there is none. */
export function integerText(integer: Integer | undefined, bytes: readonly string[]): string {
  const text = bytes.map((byte) => byte.slice(2)).join(' ');
  return integer === undefined ? text : `${integer}`;
}

function integers(key: Uint8Array, value: Uint8Array): BytesRow['formatted'] {
  const keyInteger = decodeInteger(key);
  const valueInteger = decodeInteger(value);
  if (keyInteger === undefined && valueInteger === undefined) return undefined;
  return {
    ...(keyInteger !== undefined && { key: keyInteger }),
    ...(valueInteger !== undefined && { value: valueInteger }),
  };
}
