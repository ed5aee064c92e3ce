import { compileDecoder, isUnsignedInteger } from '../../../domain/btf/decoder.ts';
import { type BtfDecoder, type BtfValue, valueText } from '../../../domain/btf/value.ts';
import { hexText, hexWords } from '../../../domain/hex.ts';
import { decodeInteger } from '../../../domain/integer.ts';
import type { MapInfo } from '../../../domain/map-info.ts';
import { isPerCpu } from '../../../domain/map-type.ts';
import { isUnreadable, mapBtf } from '../../../kernel/btf.ts';
import type { BpfMap } from '../../../kernel/map.ts';
import type { EntryFormat, EntryRow } from './entry-format.ts';

/** How keys and values of a map are read by their types. */
interface Decoders {
  /** Absent where keys have no type: data sections and struct_ops. */
  readonly key: BtfDecoder | undefined;
  readonly value: BtfDecoder;
}

interface BtfRow extends EntryRow {
  readonly value: readonly string[];
  readonly formatted: { readonly key?: BtfValue; readonly value: BtfValue };
}

interface PerCpuBtfRow extends EntryRow {
  readonly values: readonly { readonly cpu: number; readonly value: readonly string[] }[];
  readonly formatted: {
    readonly key?: BtfValue;
    readonly values: readonly { readonly cpu: number; readonly value: BtfValue }[];
  };
}

/**
 * Entries by the types that the kernel knows of the map; undefined where it knows none, or none that say more than the
 * bytes do: unsigned integers are shown as such anyway.
 */
export function btfFormat(map: BpfMap): EntryFormat | undefined {
  if (!known.has(map)) known.set(map, makeFormat(map));
  return known.get(map);
}

/** A batch reads many entries of one map: its types are read and walked once. */
const known = new WeakMap<BpfMap, EntryFormat | undefined>();

function makeFormat(map: BpfMap): EntryFormat | undefined {
  const decoders = decodersOf(map.info);
  if (decoders === undefined) return undefined;
  return isPerCpu(map.info.typeName) ? perCpuValues(decoders, map.info) : values(decoders);
}

function decodersOf(info: MapInfo): Decoders | undefined {
  const btf = mapBtf(info);
  if (btf === undefined) return undefined;
  const { types, keyType, valueType } = btf;
  try {
    if (isUnsignedInteger(types, keyType) && isUnsignedInteger(types, valueType)) return undefined;
    return {
      key: keyType === 0 ? undefined : compileDecoder(types, keyType, info.keySize),
      value: compileDecoder(types, valueType, info.valueSize),
    };
  } catch (error) {
    if (isUnreadable(error)) return undefined;
    throw error;
  }
}

function values(decoders: Decoders): EntryFormat<BtfRow> {
  const [keyView, valueView] = [viewer(), viewer()];
  return {
    key: keyText,
    columns: [{ header: 'VALUE', cell: (row) => valueText(row.formatted.value) }],
    row(key, value) {
      const decoded = decoders.value(valueView(value), value.byteOffset);
      return {
        key: hexWords(key),
        value: hexWords(value),
        formatted: decoders.key
          ? { key: decoders.key(keyView(key), key.byteOffset), value: decoded }
          : { value: decoded },
      };
    },
  };
}

function perCpuValues(decoders: Decoders, { valueSize }: MapInfo): EntryFormat<PerCpuBtfRow> {
  const step = Math.ceil(valueSize / 8) * 8;
  const [keyView, valueView] = [viewer(), viewer()];
  return {
    key: keyText,
    columns: [
      {
        header: 'VALUE OF EACH CPU',
        cell: (row) => row.formatted.values.map(({ cpu, value }) => `${cpu}: ${valueText(value)}`).join('  '),
      },
    ],
    row(key, value) {
      const view = valueView(value);
      const starts = Array.from({ length: value.length / step }, (_, cpu) => cpu * step);
      return {
        key: hexWords(key),
        values: starts.map((at, cpu) => ({ cpu, value: hexWords(value.subarray(at, at + valueSize)) })),
        formatted: {
          ...(decoders.key && { key: decoders.key(keyView(key), key.byteOffset) }),
          values: starts.map((at, cpu) => ({ cpu, value: decoders.value(view, value.byteOffset + at) })),
        },
      };
    },
  };
}

/** The key for people: by its type, or as a number, or as bytes. */
function keyText(row: EntryRow): string {
  const { key } = (row.formatted ?? {}) as { key?: BtfValue };
  if (key !== undefined) return valueText(key);
  const bytes = Uint8Array.from(row.key, Number);
  return String(decodeInteger(bytes) ?? hexText(bytes));
}

/** Views of the whole buffers that entries lie in. Thousands share one: a view for each would take a tenth of the time. */
function viewer(): (bytes: Uint8Array) => DataView {
  let view: DataView = new DataView(new ArrayBuffer(0));
  return ({ buffer }) => {
    if (view.buffer !== buffer) view = new DataView(buffer);
    return view;
  };
}
