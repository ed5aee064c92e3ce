import { hexWords } from '../../../domain/hex.ts';
import { decodeInteger } from '../../../domain/integer.ts';
import type { MapInfo } from '../../../domain/map-info.ts';
import { integerText, keyText } from './bytes.ts';
import type { EntryFormat, EntryRow } from './entry-format.ts';

interface CpuValue {
  readonly cpu: number;
  readonly value: readonly string[];
}

interface PerCpuRow extends EntryRow {
  readonly values: readonly CpuValue[];
  readonly formatted: { readonly key?: number | bigint; readonly values?: readonly object[] };
}

/** Entries of per-CPU maps: a value for each possible CPU, each in steps of 8 bytes. */
export function perCpuFormat(info: MapInfo): EntryFormat<PerCpuRow> {
  const step = Math.ceil(info.valueSize / 8) * 8;
  return {
    key: keyText,
    columns: [
      {
        header: 'VALUE OF EACH CPU',
        cell: (row) =>
          row.values
            .map(({ cpu, value }, index) => {
              const formatted = row.formatted.values?.[index] as { value: number | bigint } | undefined;
              return `${cpu}: ${integerText(formatted?.value, value)}`;
            })
            .join('  '),
      },
    ],
    row(key, value) {
      const slices = Array.from({ length: value.length / step }, (_, cpu) =>
        value.subarray(cpu * step, cpu * step + info.valueSize),
      );
      const keyInteger = decodeInteger(key);
      const integers = slices.map((slice, cpu) => ({ cpu, value: decodeInteger(slice) }));
      return {
        key: hexWords(key),
        values: slices.map((slice, cpu) => ({ cpu, value: hexWords(slice) })),
        formatted: {
          ...(keyInteger !== undefined && { key: keyInteger }),
          ...(integers[0]?.value !== undefined && { values: integers }),
        },
      };
    },
  };
}
