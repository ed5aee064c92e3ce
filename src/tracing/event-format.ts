/** One field of a tracepoint's record. */
export interface EventField {
  readonly name: string;
  /** Bytes from the beginning of the record. */
  readonly offset: number;
  /** Bytes. */
  readonly size: number;
  readonly signed: boolean;
}

/** The record of a tracepoint, as this kernel describes it in `events/GROUP/NAME/format`. */
export interface EventFormat {
  readonly name: string;
  /** `common_type` of its records, and `config` of its perf event. */
  readonly id: number;
  /** By name, those that all tracepoints have (`common_type`, …) included. */
  readonly fields: ReadonlyMap<string, EventField>;
}

const fieldLine =
  /^\s*field:(?<type>[^;]+);\s*offset:(?<offset>\d+);\s*size:(?<size>\d+);(?:\s*signed:(?<signed>\d+);)?/;

/**
 * Reads a tracepoint's `format` file (Documentation/trace/events.rst): the layout of a record is never known from the
 * kernel's version, because distributions carry changed events back.
 *
 * @returns undefined for a text without name or id
 */
export function parseEventFormat(text: string): EventFormat | undefined {
  const name = /^name: (\S+)$/m.exec(text)?.[1];
  const id = /^ID: (\d+)$/m.exec(text)?.[1];
  if (name === undefined || id === undefined) return undefined;
  const fields = new Map<string, EventField>();
  for (const line of text.split('\n')) {
    const field = parseField(line);
    if (field !== undefined) fields.set(field.name, field);
  }
  return { name, id: Number(id), fields };
}

function parseField(line: string): EventField | undefined {
  const groups = fieldLine.exec(line)?.groups;
  if (groups === undefined) return undefined;
  // `unsigned char common_flags`, `__data_loc char[] msg`, `char comm[16]`, `const void * ptr`: the name comes last.
  const name = /([A-Za-z_]\w*)(?:\[\w*\])?\s*$/.exec(groups['type'] ?? '')?.[1];
  if (name === undefined) return undefined;
  return {
    name,
    offset: Number(groups['offset']),
    size: Number(groups['size']),
    signed: groups['signed'] === '1',
  };
}

/**
 * Reads an integer field of 1, 2, 4 or 8 bytes, in the machine's byte order (little-endian on all machines Node runs on
 * but s390x), from a record.
 *
 * @returns undefined when the record is too short or the field has another size
 */
export function readField(record: DataView, field: EventField, littleEndian: boolean): number | undefined {
  const { offset, size, signed } = field;
  if (offset + size > record.byteLength) return undefined;
  switch (size) {
    case 1:
      return signed ? record.getInt8(offset) : record.getUint8(offset);
    case 2:
      return signed ? record.getInt16(offset, littleEndian) : record.getUint16(offset, littleEndian);
    case 4:
      return signed ? record.getInt32(offset, littleEndian) : record.getUint32(offset, littleEndian);
    case 8:
      return Number(signed ? record.getBigInt64(offset, littleEndian) : record.getBigUint64(offset, littleEndian));
    default:
      return undefined;
  }
}
