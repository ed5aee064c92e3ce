import { decodeCpumapValue } from '../../../domain/cpumap.ts';
import { hexWords } from '../../../domain/hex.ts';
import { decodeInteger } from '../../../domain/integer.ts';
import type { EntryFormat, EntryRow } from './entry-format.ts';
import { programNames, type ProgramRef, programText } from './program-name.ts';

interface CpumapRow extends EntryRow {
  readonly formatted: {
    readonly key: number;
    readonly value: { readonly qsize: number; readonly prog?: ProgramRef };
  };
}

/** Entries of a cpumap: the key is a CPU, the value its queue and program. */
export function cpumapFormat(): EntryFormat<CpumapRow> {
  const programs = programNames();
  return {
    key: (row) => String(row.formatted.key),
    columns: [
      { header: 'QSIZE', cell: (row) => String(row.formatted.value.qsize), align: 'right' },
      { header: 'PROGRAM', cell: (row) => programText(row.formatted.value.prog) },
    ],
    row(key, value) {
      const { qsize, prog } = decodeCpumapValue(value);
      const program = programs(prog);
      return {
        key: hexWords(key),
        value: hexWords(value),
        formatted: {
          key: Number(decodeInteger(key)),
          value: { qsize, ...(program && { prog: program }) },
        },
      };
    },
  };
}
