import { decodeDevmapValue } from '../../../domain/devmap.ts';
import { hexWords } from '../../../domain/hex.ts';
import { decodeInteger } from '../../../domain/integer.ts';
import { interfaceName } from '../../../kernel/interface-names.ts';
import type { EntryFormat, EntryRow } from './entry-format.ts';
import { programNames, type ProgramRef, programText } from './program-name.ts';

interface DevmapRow extends EntryRow {
  readonly formatted: {
    readonly key: number;
    readonly value: { readonly ifindex: number; readonly ifname?: string; readonly prog?: ProgramRef };
  };
}

/**
 * Entries of a devmap or devmap_hash, with names for numbers. An ifindex is looked up in the network namespace the
 * command runs in; what has no name there keeps its number.
 */
export function devmapFormat(): EntryFormat<DevmapRow> {
  const programs = programNames();
  const names = new Map<number, string | undefined>();
  const nameOf = (ifindex: number): string | undefined => {
    if (!names.has(ifindex)) names.set(ifindex, interfaceName(ifindex));
    return names.get(ifindex);
  };
  return {
    key: (row) => String(row.formatted.key),
    columns: [
      { header: 'IFINDEX', cell: (row) => String(row.formatted.value.ifindex), align: 'right' },
      { header: 'INTERFACE', cell: (row) => row.formatted.value.ifname ?? '?' },
      { header: 'PROGRAM', cell: (row) => programText(row.formatted.value.prog) },
    ],
    row(key, value) {
      const { ifindex, prog } = decodeDevmapValue(value);
      const ifname = nameOf(ifindex);
      const program = programs(prog);
      return {
        key: hexWords(key),
        value: hexWords(value),
        formatted: {
          key: Number(decodeInteger(key)),
          value: {
            ifindex,
            ...(ifname !== undefined && { ifname }),
            ...(program && { prog: program }),
          },
        },
      };
    },
  };
}
